/** Whatever a restore meets, or is cut off in: what may be the last copy of something is kept, and there is a way out. */
import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RestoreReport } from '../../src/reconcile/restore/report.js';
import { PROCESS_HANDS as hands, until } from '../support/break.js';
import { cutOff, phaseOf, textOf } from '../support/cut-off.js';
import type { CliResult } from '../support/nexus.js';
import { Nexus } from '../support/nexus.js';
import { takeBackup } from '../support/take-backup.js';

let nexus: Nexus;

async function isWell(): Promise<void> {
  const { code, out } = await nexus.run('check', '--json');
  expect(code, out).toBe(0);
}

async function succeeds(...args: readonly string[]): Promise<string> {
  const { code, out, err } = await nexus.run(...args);
  expect(code, `nexus3 ${args.join(' ')}\n${err}\n${out}`).toBe(0);
  return out;
}

async function fresh(environments: Readonly<Record<string, 'standard' | 'secure'>>): Promise<void> {
  nexus = await Nexus.make({ runtime: 'process', environments });
  await nexus.report(0, 'up');
  await nexus.admin('track', 'vault', 'SET', 'kept', 'then');
  await until(async () => (await nexus.anonymous('track', 'operational', 'GET', 'kept')) === 'then', 'replication');
}

const codeIn = ({ out }: CliResult): string | undefined => /"code":\s*"([A-Z_]+)"/.exec(out)?.[1];

describe('restore --into', () => {
  beforeAll(() => fresh({ track: 'standard', other: 'standard' }));
  afterAll(() => nexus[Symbol.asyncDispose]());

  it('does not take an environment for new that has anything left in its folder', async () => {
    await takeBackup(nexus, 'track', { change: () => Buffer.from('this is not a snapshot') });
    const [vault, operational] = [await nexus.spec('other', 'vault'), await nexus.spec('other', 'operational')];
    const snapshot = join(operational.dataDir, 'dump.rdb');
    const kept = join(nexus.dataRoot, 'other', 'aside', 'kept-vault-then', 'appendonlydir', 'base.rdb');
    for (const role of ['operational', 'vault'] as const) await hands.takeAway(nexus, 'other', role);
    await rm(vault.dataDir, { recursive: true });
    for (const { configDir } of [vault, operational]) await rm(configDir, { recursive: true });
    for (const last of [snapshot, kept]) {
      await rm(join(nexus.dataRoot, 'other', 'aside'), { recursive: true, force: true });
      await rm(snapshot, { force: true });
      await mkdir(join(last, '..'), { recursive: true });
      await writeFile(last, 'the last copy');
      const result = await nexus.run('restore', 'track', '--into', 'other', '--yes', '--json');
      expect(codeIn(result), result.out).toBe('ENVIRONMENT_EXISTS');
      expect(await readFile(last, 'utf8')).toBe('the last copy');
      expect((await nexus.run('status', 'other', '--json')).out).not.toContain('ENVIRONMENT_UNKNOWN');
    }
  });
});

describe('an operational that has the last copy in its memory', () => {
  beforeAll(() => fresh({ track: 'standard' }));
  afterAll(() => nexus[Symbol.asyncDispose]());

  async function loseTheVault(): Promise<void> {
    const { dataDir } = await nexus.spec('track', 'vault');
    await hands.stop(nexus, 'track', 'vault');
    await rm(join(dataDir, 'appendonlydir'), { recursive: true });
  }

  it('and lets no administrator in: it is stopped, which saves, and that is kept', async () => {
    await takeBackup(nexus, 'track');
    for (const last of ['1', '2', '3', '4', '5']) await nexus.admin('track', 'vault', 'SET', `lost${last}`, last);
    await until(async () => (await nexus.anonymous('track', 'operational', 'GET', 'lost5')) === '5', 'replication');
    await nexus.admin('track', 'operational', 'ACL', 'SETUSER', 'admin', 'resetpass', '>somebody-else');
    await loseTheVault();
    const [report] = (JSON.parse(await succeeds('restore', 'track', '--yes', '--json')) as RestoreReport).environments;
    const kept = await readFile(join(report?.keptOperational ?? '', 'dump.rdb'), 'latin1');
    for (const last of ['1', '2', '3', '4', '5']) expect(kept).toContain(`lost${last}`);
    await isWell();
  });

  it('and does not answer: nothing is begun, because to end it may lose that', async () => {
    await nexus.admin('track', 'vault', 'SET', 'lost', 'too');
    await until(async () => (await nexus.anonymous('track', 'operational', 'GET', 'lost')) === 'too', 'replication');
    await takeBackup(nexus, 'track');
    await loseTheVault();
    await hands.freeze(nexus, 'track', 'operational');
    const result = await nexus.run('restore', 'track', '--yes', '--json');
    expect(codeIn(result), result.out).toBe('RESTORE_REFUSED');
    expect(phaseOf(nexus, 'track')).toBeUndefined();
    await hands.thaw(nexus, 'track', 'operational');
    await succeeds('restore', 'track', '--yes');
    await isWell();
  });
});

describe('cut off while the restored data are opened, and then those are lost', () => {
  beforeAll(() => fresh({ track: 'standard' }));
  afterAll(() => nexus[Symbol.asyncDispose]());

  async function cutOffAndLost(): Promise<void> {
    await takeBackup(nexus, 'track');
    const left = await cutOff(
      nexus,
      'track',
      ['restore', 'track', '--yes'],
      () => phaseOf(nexus, 'track') === 'opening',
    );
    expect(left).toBe('opening');
    const { dataDir } = await nexus.spec('track', 'vault');
    await hands.stop(nexus, 'track', 'vault');
    await rm(dataDir, { recursive: true });
  }

  it('the same command restores anew', async () => {
    await cutOffAndLost();
    expect((await nexus.run('restore', 'track', '--abort', '--yes')).code).toBe(1);
    await succeeds('restore', 'track', '--yes');
    await isWell();
    expect(await nexus.admin('track', 'vault', 'GET', 'kept')).toBe('then');
  });

  it('or the vault is rebuilt from its operational', async () => {
    await cutOffAndLost();
    await succeeds('recover', 'track', '--vault', '--yes');
    expect(phaseOf(nexus, 'track')).toBeUndefined();
    await isWell();
    expect(await nexus.admin('track', 'vault', 'GET', 'kept')).toBe('then');
  });

  it('or no engine can load them: another restore is what they make way for', async () => {
    await takeBackup(nexus, 'track');
    const args = ['restore', 'track', '--yes'];
    expect(await cutOff(nexus, 'track', args, () => phaseOf(nexus, 'track') === 'opening')).toBe('opening');
    const { dataDir } = await nexus.spec('track', 'vault');
    await hands.stop(nexus, 'track', 'vault');
    await writeFile(join(dataDir, 'appendonlydir', 'appendonly.aof.1.base.rdb'), 'not a snapshot at all');
    const { id } = await takeBackupOf();
    const first = await nexus.run(...args, '--json');
    expect(first.out).toContain(`nexus3 restore track --id`);
    await succeeds('restore', 'track', '--id', id, '--yes');
    await isWell();
  });

  /** The newest that lies in the repository. */
  async function takeBackupOf(): Promise<{ readonly id: string }> {
    await using world = await nexus.world();
    const newest = (await world.backups.list('track')).at(0);
    if (newest === undefined) throw new Error('no backup');
    return { id: newest.id };
  }
});

describe('a restore of Locker', () => {
  beforeAll(() => fresh({ track: 'standard' }));
  afterAll(() => nexus[Symbol.asyncDispose]());

  const restore = ['restore', 'locker', '--yes'];
  const usersOfLocker = async (): Promise<string> => join((await nexus.spec('locker', 'vault')).configDir, 'users.acl');

  it('lets nobody in before it is proven that the root key opens it', async () => {
    await takeBackup(nexus, 'locker');
    const users = await usersOfLocker();
    const isOpenTooEarly = (): boolean =>
      phaseOf(nexus, 'locker') === 'proving' && /^user default on /m.test(textOf(users));
    expect(await cutOff(nexus, 'locker', restore, isOpenTooEarly)).toBeUndefined();
    await isWell();
  });

  it.each(['replacing', 'proving'])(
    'cut off in %s: nothing is written to Locker until it is decided',
    async (phase) => {
      await takeBackup(nexus, 'locker');
      const before = await nexus.password('track');
      expect(await cutOff(nexus, 'locker', restore, () => phaseOf(nexus, 'locker') === phase)).toBe(phase);
      for (const args of [
        ['locker', 'rekey'],
        ['rotate', 'track'],
        ['rotate', 'locker'],
        ['locker', 'create', 'notes'],
        ['locker', 'grant', 'track'],
        ['locker', 'reset', '--yes'],
        ['create', 'another'],
        ['remove', 'track', '--yes'],
      ]) {
        const result = await nexus.run(...args, '--json');
        expect(codeIn(result), `${args.join(' ')}: ${result.out}${result.err}`).toBe('RESTORE_REFUSED');
      }
      if (phase === 'proving') await readersAreToldWhy();
      await succeeds('restore', 'locker', '--abort', '--yes');
      expect(await nexus.password('track')).toBe(before);
      await isWell();
      // What was taken back is not thrown away: it may be what somebody wants, and Locker is small.
      if (phase === 'proving') expect(await aside('locker')).toContainEqual(expect.stringMatching(/^kept-undone-/));
    },
  );

  /** Behind the fence it runs, and refuses the right password. */
  async function readersAreToldWhy(): Promise<void> {
    await hands.start(nexus, 'locker', 'vault');
    let seen: CliResult | undefined;
    const isUp = async (): Promise<boolean> => {
      seen = await nexus.run('credentials', 'get', 'track', '--json');
      return codeIn(seen) !== 'LOCKER_UNREACHABLE';
    };
    await until(isUp, 'Locker behind its fence');
    expect([seen?.out, seen?.err].join('')).toMatch(/RESTORE_REFUSED[^]*nexus3 restore locker/);
  }

  async function aside(env: string): Promise<readonly string[]> {
    const { readdir } = await import('node:fs/promises');
    const folder = join(nexus.dataRoot, env, 'aside');
    return existsSync(folder) ? await readdir(folder) : [];
  }
});

describe('the root key is lost while a restore is cut off', () => {
  beforeAll(() => fresh({ track: 'standard', user: 'secure' }));
  afterAll(() => nexus[Symbol.asyncDispose]());

  it.each(['track', 'user'])('of %s: a reset leaves its vault to the restore, which then goes on', async (env) => {
    await takeBackup(nexus, env);
    const left = await cutOff(nexus, env, ['restore', env, '--yes'], () => phaseOf(nexus, env) === 'proving');
    expect(left).toBe('proving');
    await rm(join(nexus.root, 'root.key'));
    const { code, out } = await nexus.run('locker', 'reset', '--yes', '--json');
    expect(code, out).toBe(1);
    const report = JSON.parse(out) as {
      environments: readonly { name: string; outcome: string; hint: string | null }[];
    };
    expect(report.environments.find(({ name }) => name === env)).toMatchObject({
      outcome: 'held',
      hint: `nexus3 restore ${env}`,
    });
    await succeeds('restore', env, '--yes');
    await isWell();
  });

  it('of Locker, and there is a kit: it brings the key back, and the restore is decided with it', async () => {
    await takeBackup(nexus, 'locker');
    const stdin = 'four words at random';
    await nexus.runWith({ stdin }, 'locker', 'export', '--recovery', 'kit.age', '--force');
    const args = ['restore', 'locker', '--yes'];
    expect(await cutOff(nexus, 'locker', args, () => phaseOf(nexus, 'locker') === 'proving')).toBe('proving');
    await rm(join(nexus.root, 'root.key'));
    const result = await nexus.runWith({ stdin }, 'locker', 'import', 'kit.age', '--json');
    expect(codeIn(result), result.out).toBe('RESTORE_REFUSED');
    await succeeds('restore', 'locker', '--abort', '--yes');
    await isWell();
  });

  it('of Locker: a reset keeps what that has left with all the rest of Locker', async () => {
    await takeBackup(nexus, 'locker');
    const args = ['restore', 'locker', '--yes'];
    expect(await cutOff(nexus, 'locker', args, () => phaseOf(nexus, 'locker') === 'proving')).toBe('proving');
    await rm(join(nexus.root, 'root.key'));
    const report = JSON.parse(await succeeds('locker', 'reset', '--yes', '--json')) as { keptLocker: string };
    expect(existsSync(join(report.keptLocker, 'restore.json'))).toBe(true);
    await isWell();
  });
});
