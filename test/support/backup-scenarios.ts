/** From the vault to a proven backup, and cut off anywhere on the way. On both runtimes. */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { tmpdir } from 'node:os';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Manifest } from '../../src/backup/backups.js';
import { layoutOf } from '../../src/protocol/layout.js';
import type { BackupCreateReport } from '../../src/reconcile/backup/create.js';
import type { BackupVerifyReport } from '../../src/reconcile/backup/verify.js';
import { expectOneInstant, startTransfers } from './backup-load.js';
import { until } from './break.js';
import { runCommand } from './command.js';
import type { NexusOptions } from './nexus.js';
import { Nexus } from './nexus.js';
import { chance, rounds, SEED } from './random.js';

const KILLS_IN_SOAK = 100;
const MINUTES = 60_000;
const WRITERS = 3;
/** Enough to have a snapshot flow for a while. */
const KEYS = 20_000;
/** Enough to have a constraint come into force only after a second. */
const NODES = 20_000;

export interface ScratchSight {
  /** Scratch servers of this nexus3 that run. */
  running(nexus: Nexus): Promise<readonly string[]>;
  /** Also what is left of those that do not. */
  left(nexus: Nexus): Promise<readonly string[]>;
}

/** Of its environments `track` and `user`. @param killsInCi of each command; a hundred in soak */
export function describeBackup(options: NexusOptions, sight: ScratchSight, killsInCi: number): void {
  let nexus: Nexus;
  const kills = rounds(killsInCi, KILLS_IN_SOAK);
  const random = chance(SEED);

  beforeAll(async () => {
    nexus = await Nexus.make(options);
    await nexus.report(0, 'up');
    for (const env of ['track', 'user']) await forgetProbes(nexus, env);
    await fillVault(nexus, 'track', KEYS, 100);
    await nexus.admin('track', 'vault', 'GRAPH.QUERY', 'people', 'UNWIND range(1, 500) AS n CREATE (:Person {n: n})');
    await nexus.admin('track', 'vault', 'GRAPH.QUERY', 'people', 'CREATE INDEX FOR (p:Person) ON (p.n)');
    await nexus.admin('user', 'vault', 'SET', 'kept', 'value');
    await nexus.admin('user', 'vault', 'SET', 'passing', 'value', 'EX', '1000');
  });

  afterAll(async () => {
    await nexus[Symbol.asyncDispose]();
  });

  it('a standard environment, a secure one and Locker: made, loaded, counted, noted', async () => {
    const report = await created(nexus, 0, '--all');
    expect(report.environments.map(({ name, ok }) => [name, ok])).toEqual([
      ['locker', true],
      ['track', true],
      ['user', true],
    ]);
    const manifests = await Promise.all(['track', 'user', 'locker'].map((env) => newest(nexus, env)));
    const [track, user, locker] = manifests;
    expect(track?.content).toEqual({
      databases: [{ db: 0, keys: KEYS + 1, expiring: 0 }],
      graphs: [{ name: 'people', nodes: 500, edges: 0, labels: 1, indexes: 1, constraints: 0 }],
    });
    expect(user?.content).toEqual({ databases: [{ db: 0, keys: 2, expiring: 1 }], graphs: [] });
    expect(locker?.content?.databases[0]?.keys).toBeGreaterThan(1);
    for (const manifest of manifests) {
      expect(manifest.verification).toMatchObject({ runtime: options.runtime, engine: manifest.engine });
      expect(manifest.verification?.loadMs).toBeGreaterThan(1);
      expect(manifest.replication.id).toMatch(/^[0-9a-f]{40}$/);
      expect(Date.parse(manifest.verification?.verifiedAt ?? '')).toBeGreaterThan(Date.parse(manifest.createdAt));
    }
    const { out } = await nexus.run('locker', 'audit', '--action', 'backup', '--json');
    for (const manifest of manifests) expect(out).toContain(`${manifest.env}: ${manifest.id}`);
    await nothingIsLeft('after create');
  });

  it('is proven once more, and against a vault that has written nothing since', async () => {
    const first = await newest(nexus, 'user');
    const quiet = await verified(nexus, 0, 'user');
    expect(quiet.environments).toMatchObject([
      { ok: true, comparedWithVault: true, backup: { id: first.id, keys: 2 } },
    ]);
    await nexus.admin('user', 'vault', 'SET', 'later', 'value');
    const later = await verified(nexus, 0, 'user', '--id', first.id);
    expect(later.environments).toMatchObject([{ ok: true, comparedWithVault: false }]);
    const again = await newest(nexus, 'user');
    expect(again.content).toEqual(first.content);
    expect(again.verification?.verifiedAt).not.toBe(first.verification?.verifiedAt);
  });

  it('holds one instant while writers write at full speed, who are not held up', async () => {
    const writing = await startTransfers(nexus, 'track', WRITERS);
    try {
      await until(() => writing.count() > 50, 'the writers');
      const before = writing.count();
      const report = await created(nexus, 0, 'track');
      const after = writing.count();
      expect(after).toBeGreaterThan(before);
      expect(report.environments[0]).toMatchObject({ ok: true, comparedWithVault: false });
      const held = await expectOneInstant(nexus, await newest(nexus, 'track'));
      expect(held).toBeGreaterThanOrEqual(before);
      expect(held).toBeLessThanOrEqual(after + WRITERS);
    } finally {
      await writing[Symbol.asyncDispose]();
    }
  });

  it('has the constraint that was asked for the instant before, though that takes a while to be in force', async () => {
    const graph = async (...words: readonly string[]): Promise<unknown> => nexus.admin('track', 'vault', ...words);
    await graph('GRAPH.QUERY', 'many', `UNWIND range(1, ${String(NODES)}) AS n CREATE (:Item {id: n, kind: n % 10})`);
    for (const property of ['id', 'kind']) {
      await graph('GRAPH.QUERY', 'many', `CREATE INDEX FOR (i:Item) ON (i.${property})`);
      await graph('GRAPH.CONSTRAINT', 'CREATE', 'many', 'UNIQUE', 'NODE', 'Item', 'PROPERTIES', '1', property);
    }
    // One of them cannot be kept: the vault knows of it, and a snapshot does not.
    const { environments } = await created(nexus, 0, 'track');
    expect(environments).toMatchObject([{ ok: true, comparedWithVault: true, warnings: [] }]);
    const { content } = await newest(nexus, 'track');
    expect(content?.graphs.find(({ name }) => name === 'many')).toMatchObject({ nodes: NODES, constraints: 1 });
    await graph('GRAPH.DELETE', 'many');
  });

  it.each([['create'], ['verify']])(
    'backup %s, killed anywhere: nothing half is listed, and run again it finishes and leaves nothing',
    async (verb) => {
      const args = ['backup', verb, 'track'];
      const usual = await runCommand(nexus, args);
      expect(usual.code, usual.output).toBe(0);
      for (let kill = 0; kill < kills; kill += 1) {
        const afterMs = Math.floor(random() * usual.ms);
        const where = `seed ${String(SEED)}, kill ${String(kill)}, after ${String(afterMs)} of ${usual.ms.toFixed(0)} ms`;
        await runCommand(nexus, args, afterMs);
        await allIsWhole(where);
        await until(async () => (await sight.running(nexus)).length === 0, `${where}: the end of the scratch server`);
        const again = await runCommand(nexus, args);
        expect(again.code, `${where}\n${again.output}`).toBe(0);
        await allIsWhole(where);
        await nothingIsLeft(where);
        expect((await newest(nexus, 'track')).verification, where).not.toBeNull();
        await thinOut();
      }
    },
    kills * MINUTES,
  );

  /** Whatever is listed can be read back as it was written. */
  async function allIsWhole(where: string): Promise<void> {
    await using world = await nexus.world();
    const folder = await mkdtemp(join(tmpdir(), 'nexus3-extracted-'));
    try {
      for (const { id, manifest, problem } of await world.backups.list('track')) {
        expect(problem, `${where}: ${id}`).toBeUndefined();
        if (manifest !== undefined) await world.backups.extract(manifest, join(folder, id), undefined);
      }
    } finally {
      await rm(folder, { recursive: true });
    }
  }

  async function nothingIsLeft(where: string): Promise<void> {
    expect(await sight.left(nexus), `${where}: scratch servers`).toEqual([]);
    await using world = await nexus.world();
    expect(await namesIn(layoutOf(nexus.dataRoot, 'track').scratch), `${where}: scratch folder`).toEqual([]);
    const hidden = (await namesIn(join(world.backups.root, 'track'))).filter((name) => name.startsWith('.'));
    expect(hidden, `${where}: hidden folders`).toEqual([]);
  }

  async function thinOut(): Promise<void> {
    await using world = await nexus.world();
    await using _lock = await world.backups.acquire('test', () => undefined);
    for (const { id } of (await world.backups.list('track')).slice(2)) await world.backups.remove('track', id);
  }
}

export async function created(nexus: Nexus, code: number, ...args: readonly string[]): Promise<BackupCreateReport> {
  return (await reported(nexus, code, 'backup', 'create', ...args)) as BackupCreateReport;
}

export async function verified(nexus: Nexus, code: number, ...args: readonly string[]): Promise<BackupVerifyReport> {
  return (await reported(nexus, code, 'backup', 'verify', ...args)) as BackupVerifyReport;
}

async function reported(nexus: Nexus, code: number, ...args: readonly string[]): Promise<unknown> {
  const result = await nexus.run(...args, '--json');
  expect(result.code, `${args.join(' ')}\n${result.err}\n${result.out}`).toBe(code);
  return JSON.parse(result.out) as unknown;
}

export async function newest(nexus: Nexus, env: string): Promise<Manifest> {
  await using world = await nexus.world();
  return await world.backups.read(env, undefined);
}

/** What a proof of `up` has left: when it expires, the vault has written something. */
export async function forgetProbes(nexus: Nexus, env: string): Promise<void> {
  const script = "for _, key in ipairs(redis.call('KEYS', 'nexus3:probe:*')) do redis.call('DEL', key) end";
  await nexus.admin(env, 'vault', 'EVAL', script, '0');
}

/** On the server's side, in a moment; what compresses well is not compressed. */
export async function fillVault(nexus: Nexus, env: string, keys: number, bytes: number): Promise<void> {
  await nexus.admin(env, 'vault', 'CONFIG', 'SET', 'rdbcompression', 'no');
  const script = "for i = 1, ARGV[1] do redis.call('SET', 'filler:' .. i, string.rep('x', ARGV[2])) end";
  await nexus.admin(env, 'vault', 'EVAL', script, '0', String(keys), String(bytes));
}

async function namesIn(folder: string): Promise<readonly string[]> {
  return readdir(folder).catch(() => []);
}
