/** The last copy is never destroyed: not by a wiped vault, not by an old one, not by any command. On both runtimes. */
import { cp, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeEach, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Hands } from './break.js';
import { until } from './break.js';
import { findingOf, Nexus } from './nexus.js';
import type { NexusOptions } from './nexus.js';

export function describeLastCopy(options: NexusOptions, hands: Hands): void {
  let nexus: Nexus;

  beforeAll(async () => {
    nexus = await Nexus.make(options);
  });

  afterAll(async () => {
    await nexus[Symbol.asyncDispose]();
  });

  beforeEach(async () => {
    await nexus.report(0, 'up');
    const write = (...args: string[]): Promise<unknown> => nexus.admin('track', 'vault', ...args);
    await write('SET', 'kept', 'value');
    await write('SET', 'mortal', 'value', 'EX', '100000');
    await write(
      'GRAPH.QUERY',
      'projects',
      "MERGE (:Project {name: 'nexus', rank: 1})-[:NEEDS]->(:Project {name: 'redis', rank: 2})",
    );
    await write('GRAPH.QUERY', 'projects', 'CREATE INDEX FOR (p:Project) ON (p.rank)').catch(() => undefined);
    await write('GRAPH.QUERY', 'projects', 'CREATE INDEX FOR (p:Project) ON (p.name)').catch(() => undefined);
    await write('GRAPH.CONSTRAINT', 'CREATE', 'projects', 'UNIQUE', 'NODE', 'Project', 'PROPERTIES', '1', 'name').catch(
      () => undefined,
    );
    await until(async () => (await holdings('operational')) === (await holdings('vault')), 'replication');
    // The mark is raised whenever nexus3 looks.
    await nexus.report(0, 'check', 'track');
  });

  afterEach(async () => {
    await nexus.report(0, 'check', 'track', '--fix');
  });

  /** Everything that must survive, as one text. */
  async function holdings(role: 'vault' | 'operational'): Promise<string> {
    const ask = (...args: string[]): Promise<unknown> => nexus.admin('track', role, ...args);
    const table = (reply: unknown): unknown => (Array.isArray(reply) ? reply[1] : reply);
    const graph = async (query: string): Promise<unknown> => table(await ask('GRAPH.RO_QUERY', 'projects', query));
    return JSON.stringify([
      await ask('GET', 'kept'),
      Number(await ask('TTL', 'mortal')) > 90_000,
      await graph('MATCH (a)-[r]->(b) RETURN a.name, type(r), b.name ORDER BY a.name'),
      await graph('CALL db.indexes() YIELD label, properties RETURN label, properties'),
      await graph('CALL db.constraints() YIELD type, label, properties, status RETURN type, label, properties, status'),
    ]);
  }

  async function empty(folder: string): Promise<void> {
    for (const name of await readdir(folder)) await rm(join(folder, name), { recursive: true });
  }

  it('a vault whose data folder was emptied does not start, and the operational keeps what it has', async () => {
    const before = await holdings('operational');
    const { dataDir } = await nexus.spec('track', 'vault');
    await hands.stop(nexus, 'track', 'vault');
    await empty(dataDir);
    await hands.start(nexus, 'track', 'vault');

    await until(async () => (await nexus.findings('track')).includes('vault-empty vault'));
    const report = await nexus.report(1, 'check', 'track');
    expect(findingOf(report, 'track', 'vault-empty')).toMatchObject({ instance: 'vault', fixable: false });
    expect(findingOf(report, 'track', 'vault-empty').remedy).toContain('nexus3 recover track --vault');
    expect(report.environments[0]?.vault.state).toBe('held');
    expect(await holdings('operational')).toBe(before);

    const fix = await nexus.report(1, 'check', 'track', '--fix');
    expect(fix.applied).toBe(0);
    await nexus.report(1, 'up', 'track');
    expect(await holdings('operational')).toBe(before);

    const refused = await nexus.run('recover', 'track', '--yes', '--json');
    expect(refused.code).toBe(1);
    expect(refused.out).toContain('RECOVER_REFUSED');
    expect(await holdings('operational')).toBe(before);

    const recovered = await nexus.run('recover', 'track', '--vault', '--yes', '--json');
    expect(recovered.code, recovered.err).toBe(0);
    expect(await holdings('vault')).toBe(before);
    expect(await holdings('operational')).toBe(before);
    expect(await nexus.findings('track')).toEqual([]);
  });

  it('a vault that was put back to an older state is held, as far as the mark knows', async () => {
    const { dataDir } = await nexus.spec('track', 'vault');
    await hands.stop(nexus, 'track', 'vault');
    await cp(dataDir, `${dataDir}.older`, { recursive: true, preserveTimestamps: true });
    await hands.start(nexus, 'track', 'vault');
    await nexus.report(0, 'check', 'track', '--fix');
    await nexus.admin('track', 'vault', 'SET', 'kept', 'newer');
    await until(async () => (await nexus.admin('track', 'operational', 'GET', 'kept')) === 'newer', 'replication');
    await nexus.report(0, 'check', 'track');
    const before = await holdings('operational');

    await hands.stop(nexus, 'track', 'vault');
    await empty(dataDir);
    await cp(`${dataDir}.older`, dataDir, { recursive: true });
    await rm(`${dataDir}.older`, { recursive: true });
    await chownLike(dataDir);
    await hands.start(nexus, 'track', 'vault');

    await until(async () => (await nexus.findings('track')).includes('vault-behind vault'));
    expect((await nexus.report(1, 'check', 'track', '--fix')).applied).toBe(0);
    expect(await holdings('operational')).toBe(before);

    const recovered = await nexus.run('recover', 'track', '--vault', '--yes', '--json');
    expect(recovered.code, recovered.err).toBe(0);
    expect(await nexus.admin('track', 'vault', 'GET', 'kept')).toBe('newer');
    expect(await holdings('operational')).toBe(before);
    const { keptAside } = JSON.parse(recovered.out) as { keptAside: string | null };
    expect(keptAside, 'an older copy that somebody put back is kept').toMatch(/aside/);
  });

  it('FLUSHALL is not this case: it is a write, and a restart of the vault is not held', async () => {
    await nexus.admin('track', 'vault', 'FLUSHALL');
    await hands.stop(nexus, 'track', 'vault');
    await nexus.report(0, 'up', 'track');
    expect(await nexus.admin('track', 'vault', 'EXISTS', 'kept', 'projects')).toBe(0);
    expect(await nexus.findings('track')).toEqual([]);
  });

  it('neither a vault nor a mark, but an operational with data: no new vault is made', async () => {
    const before = await holdings('operational');
    const vault = await nexus.spec('track', 'vault');
    await hands.takeAway(nexus, 'track', 'vault');
    await empty(vault.dataDir);
    await rm(join(vault.configDir, 'mark'));
    expect(await nexus.findings('track')).toContain('vault-empty vault');
    await nexus.report(1, 'up', 'track');
    expect(await holdings('operational')).toBe(before);
    const recovered = await nexus.run('recover', 'track', '--vault', '--yes', '--json');
    expect(recovered.code, recovered.err).toBe(0);
    expect(await holdings('vault')).toBe(before);
  });

  it('recover ENV refills a wiped operational from its vault', async () => {
    const before = await holdings('vault');
    const { dataDir } = await nexus.spec('track', 'operational');
    await hands.stop(nexus, 'track', 'operational');
    await empty(dataDir);
    const recovered = await nexus.run('recover', 'track', '--yes', '--json');
    expect(recovered.code, recovered.err).toBe(0);
    expect(await holdings('operational')).toBe(before);
    expect(await nexus.findings('track')).toEqual([]);
  });

  it('recover ENV --vault is refused where the vault is not held', async () => {
    const refused = await nexus.run('recover', 'track', '--vault', '--yes', '--json');
    expect(refused.code).toBe(1);
    expect(refused.out).toContain('RECOVER_REFUSED');
  });

  describe('when the operational cannot help', () => {
    it('recover ENV --vault --accept-loss starts afresh, and keeps the operational’s data aside', async () => {
      const { dataDir } = await nexus.spec('track', 'vault');
      await hands.stop(nexus, 'track', 'vault');
      await empty(dataDir);
      await nexus.admin('track', 'operational', 'SAVE');
      const accepted = await nexus.run('recover', 'track', '--vault', '--accept-loss', '--yes', '--json');
      expect(accepted.code, accepted.err).toBe(0);
      const { keptAside } = JSON.parse(accepted.out) as { keptAside: string | null };
      expect(await readdir(keptAside ?? '')).toContain('dump.rdb');
      expect(await nexus.admin('track', 'vault', 'EXISTS', 'kept', 'projects')).toBe(0);
      expect(await nexus.findings('track')).toEqual([]);
    });
  });

  /** Who restores a folder by hand keeps its owner, as `cp -a` does. */
  async function chownLike(folder: string): Promise<void> {
    const { stat, chown } = await import('node:fs/promises');
    const owner = await stat(folder);
    for (const entry of await readdir(folder, { recursive: true })) {
      await chown(join(folder, entry), owner.uid, owner.gid);
    }
  }
}
