/** What goes wrong on the way to a backup: said clearly, nothing half listed, and the others not held up. */
import { watch } from 'node:fs';
import { appendFile, mkdir, open, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Manifest } from '../../src/backup/backups.js';
import { Secret } from '../../src/protocol/secret.js';
import { hostAddress } from '../../src/reconcile/access.js';
import { withScratch } from '../../src/reconcile/scratch.js';
import type { World } from '../../src/reconcile/world.js';
import { chunksOf } from '../support/backup-repository.js';
import { created, fillVault, forgetProbes, newest, verified } from '../support/backup-scenarios.js';
import { PROCESS_HANDS, until } from '../support/break.js';
import { failureOf } from '../support/failure.js';
import { Nexus } from '../support/nexus.js';
import { run as runProgram } from '../support/run.js';

const MOUNT_TIMEOUT_MS = 10_000;
const DISK_MIB = 2;
/** It is not waited for. */
const WITHOUT_LOCKER_MS_MAX = 20_000;
const isRoot = process.getuid?.() === 0;
if (!isRoot) console.warn('NOT ROOT: the test of a full backup disk is skipped.');

let nexus: Nexus;

beforeAll(async () => {
  nexus = await Nexus.make({ runtime: 'process', environments: { track: 'standard', user: 'secure' } });
  await nexus.report(0, 'up');
  await forgetProbes(nexus, 'user');
  await fillVault(nexus, 'track', 5_000, 1_000);
  await nexus.admin('user', 'vault', 'SET', 'kept', 'value');
});

afterAll(async () => {
  await nexus[Symbol.asyncDispose]();
});

async function listed(env: string): Promise<number> {
  await using world = await nexus.world();
  return (await world.backups.list(env)).length;
}

/** Code and evidence of the one environment that fails. */
async function failing(code: number, ...args: readonly string[]): Promise<string> {
  const [one] = (await created(nexus, code, ...args)).environments.filter(({ ok }) => !ok);
  expect(one?.error?.hint).not.toBe('');
  return `${String(one?.name)}: ${String(one?.error?.code)} ${String(one?.error?.evidence.join())}`;
}

describe('a backup that is not made', () => {
  it('because its vault is stopped; the others are', async () => {
    await PROCESS_HANDS.stop(nexus, 'user', 'vault');
    try {
      const report = await created(nexus, 1, '--all');
      expect(report.environments.map(({ name, ok }) => [name, ok])).toEqual([
        ['locker', true],
        ['track', true],
        ['user', false],
      ]);
      expect(report.environments[2]).toMatchObject({ backup: null, error: { code: 'BACKUP_FAILED' } });
      expect(await failing(1, 'user')).toContain('it is stopped');
    } finally {
      await PROCESS_HANDS.start(nexus, 'user', 'vault');
    }
  });

  it('because Locker does not run; what was made before is verified all the same', async () => {
    await PROCESS_HANDS.stop(nexus, 'locker', 'vault');
    try {
      const report = await created(nexus, 3, 'track', 'user');
      expect(report.environments.map(({ error }) => error?.code)).toEqual(['LOCKER_UNREACHABLE', 'LOCKER_UNREACHABLE']);
      const startedAt = performance.now();
      expect((await verified(nexus, 0, 'track')).environments).toMatchObject([{ ok: true, comparedWithVault: false }]);
      expect(performance.now() - startedAt).toBeLessThan(WITHOUT_LOCKER_MS_MAX);
    } finally {
      await PROCESS_HANDS.start(nexus, 'locker', 'vault');
    }
  });

  it('because the vault does not take the backup user’s password, or does not let it', async () => {
    const before = await listed('user');
    await nexus.admin('user', 'vault', 'ACL', 'SETUSER', 'backup', 'resetpass', '>another');
    expect(await failing(3, 'user')).toContain('REDIS_REPLY_UNEXPECTED AUTH backup: WRONGPASS');
    await nexus.admin('user', 'vault', 'ACL', 'LOAD');
    await nexus.admin('user', 'vault', 'ACL', 'SETUSER', 'backup', '-psync');
    expect(await failing(1, 'user')).toContain('BACKUP_FAILED PSYNC: NOPERM');
    await nexus.admin('user', 'vault', 'ACL', 'LOAD');
    expect(await listed('user')).toBe(before);
  });

  it('because the vault is killed in the middle; nothing of it is listed', async () => {
    const before = await listed('track');
    await nexus.admin('track', 'vault', 'CONFIG', 'SET', 'rdb-key-save-delay', '2000');
    const failed = failing(1, 'track');
    await until(async () => /rdb_bgsave_in_progress:1/.test(String(await info())), 'the snapshot');
    await PROCESS_HANDS.kill(nexus, 'track', 'vault');
    expect(await failed).toContain('BACKUP_FAILED the vault closed the connection before the end of the snapshot');
    expect(await listed('track')).toBe(before);
    expect(await hidden('track')).toEqual([]);
    await PROCESS_HANDS.start(nexus, 'track', 'vault');
    await created(nexus, 0, 'track');
  });

  const info = (): Promise<unknown> => nexus.admin('track', 'vault', 'INFO', 'persistence');

  it('because nothing, or too much, is named', async () => {
    for (const args of [
      ['backup', 'create'],
      ['backup', 'create', 'track', '--all'],
      ['backup', 'create', 'no'],
      ['backup', 'verify', 'no'],
      ['backup', 'verify', 'track', '--all'],
      ['backup', 'verify', '--id', '20260108T120000Z-1a2b'],
      ['backup', 'verify', 'track', '--id', '../../etc'],
      ['backup', 'verify', 'track', '--id', '20260108T120000Z-1a2b'],
    ]) {
      expect((await nexus.run(...args, '--json')).code, args.join(' ')).toBe(2);
    }
  });
});

async function hidden(env: string): Promise<readonly string[]> {
  await using world = await nexus.world();
  return (await readdir(join(world.backups.root, env))).filter((name) => name.startsWith('.'));
}

describe('a backup that is made', () => {
  it('leaves nothing in the vault’s folder, not even for a moment', async () => {
    const { dataDir } = await nexus.spec('user', 'vault');
    const seen: string[] = [];
    const watcher = watch(dataDir, { recursive: true }, (event, name) => seen.push(`${event} ${String(name)}`));
    try {
      await created(nexus, 0, 'user', '--no-verify');
      await sleep(100);
    } finally {
      watcher.close();
    }
    // That Locker was asked for a password is in Locker's folder, not in this one.
    expect(seen).toEqual([]);
  });

  it('of which there is no room for all is not listed; with room it is', { skip: !isRoot }, async () => {
    await using world = await nexus.world();
    const folder = join(world.backups.root, 'user');
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { recursive: true });
    await runProgram('mount', ['-t', 'tmpfs', '-o', `size=${String(DISK_MIB)}m`, 'tmpfs', folder], {
      timeoutMs: MOUNT_TIMEOUT_MS,
    });
    try {
      await fillVault(nexus, 'user', 5_000, 1_000);
      expect(await failing(1, 'user')).toContain('DISK_FULL');
      expect(await readdir(folder)).toEqual([]);
      await runProgram('mount', ['-o', 'remount,size=64m', folder], { timeoutMs: MOUNT_TIMEOUT_MS });
      await created(nexus, 0, 'user');
    } finally {
      await runProgram('umount', [folder], { timeoutMs: MOUNT_TIMEOUT_MS });
    }
  });
});

describe('a backup that is not what it should be', () => {
  let manifest: Manifest;

  beforeEach(async () => {
    await created(nexus, 0, 'user');
    manifest = await newest(nexus, 'user');
  });

  const file = async (): Promise<string> => {
    await using world = await nexus.world();
    return join(world.backups.root, 'user', manifest.id, manifest.snapshot.file);
  };

  /** Verifies all; of `user` it must fail so, and of the others nothing. */
  async function verifyFails(...codes: readonly string[]): Promise<string> {
    const { environments } = await verified(nexus, 1);
    for (const { name, ok } of environments) expect([name, ok]).toEqual([name, name !== 'user']);
    const error = environments.find(({ name }) => name === 'user')?.error;
    expect(codes).toContain(error?.code);
    return error?.evidence.join() ?? '';
  }

  /** How far its vault has come. Nothing stays connected: a vault tells its replicas every 10 s that it is there, and counts that. */
  async function positionOfUser(world: World): Promise<Manifest['replication']> {
    const spec = await nexus.spec('user', 'vault');
    const password = new Secret(await nexus.password('user', 'backup'));
    await using stream = await world.servers.snapshot(hostAddress(spec), password);
    return stream.replication;
  }

  /** @returns how many bytes it has */
  async function flipABit(): Promise<number> {
    const handle = await open(await file(), 'r+');
    const { size } = await handle.stat();
    const byte = Buffer.alloc(1);
    await handle.read(byte, 0, 1, size >> 1);
    await handle.write(Buffer.of((byte[0] ?? 0) ^ 4), 0, 1, size >> 1);
    await handle.close();
    return size;
  }

  it('is found out when a bit of it has flipped, or its end is gone', async () => {
    const size = await flipABit();
    await verifyFails('BACKUP_DAMAGED');
    await truncate(await file(), size - 10);
    await verifyFails('BACKUP_DAMAGED');
    await appendFile(await file(), 'junk');
    await verifyFails('BACKUP_DAMAGED');
  });

  it('counts as verified no more once that is found out: no sound one goes for it, and it is not restored', async () => {
    const sound = manifest.id;
    await created(nexus, 0, 'user');
    manifest = await newest(nexus, 'user');
    await flipABit();
    await verifyFails('BACKUP_DAMAGED');
    const json = async (code: number, ...args: readonly string[]): Promise<Record<string, unknown>> => {
      const result = await nexus.run(...args, '--json');
      expect(result.code, result.err).toBe(code);
      return JSON.parse(result.out) as Record<string, unknown>;
    };
    const list = await json(1, 'backup', 'list', 'user');
    const [{ backups } = { backups: [] }] = list['environments'] as readonly { readonly backups: readonly unknown[] }[];
    expect(backups.slice(0, 2)).toMatchObject([
      { id: manifest.id, verifiedAt: null, problem: { code: 'BACKUP_DAMAGED' } },
      { id: sound, problem: null },
    ]);
    const none = ['hourly', 'daily', 'weekly', 'monthly'].flatMap((span) => [`--keep-${span}`, '0']);
    const pruned = await json(0, 'backup', 'prune', 'user', '--keep-last', '1', ...none);
    expect(JSON.stringify(pruned['environments'])).toMatch(
      new RegExp(`"keep":.*${sound}.*"reasons":\\["last","last-verified"\\].*"remove"`),
    );
    const plan = JSON.stringify(await json(0, 'restore', 'user', '--dry-run'));
    expect(plan).toContain(`"id":"${sound}"`);
    expect(plan).toContain(`A newer backup, ${manifest.id}, cannot be used`);
    // It may have been the cable: what is found good later counts again.
    await flipABit();
    await verified(nexus, 0, 'user');
    expect((await newest(nexus, 'user')).verification).not.toBeNull();
  });

  it('is found out when its manifest lies, with a right seal', async () => {
    await using world = await nexus.world();
    const { content, verification } = manifest;
    if (content === null) throw new Error('not counted');
    const databases = content.databases.map((one) => ({ ...one, keys: one.keys + 1 }));
    await world.backups.record(manifest, { content: { ...content, databases }, verification });
    expect(await verifyFails('BACKUP_UNTRUE')).toContain('lasting keys expected');
    await world.backups.record(manifest, { content, verification });
    await verified(nexus, 0, 'user');
  });

  it('is found out when its vault, which has written nothing since, holds something else', async () => {
    await using world = await nexus.world();
    // The snapshot of another vault, as if it had been this one's.
    await created(nexus, 0, 'locker', '--no-verify');
    const path = join(nexus.root, 'other.rdb');
    await world.backups.extract(await newest(nexus, 'locker'), path, undefined);
    const impostor = await readFile(path);
    const replication = await positionOfUser(world);
    await world.backups.write({ ...manifest, replication, createdAt: new Date() }, chunksOf(impostor));
    expect(await verifyFails('BACKUP_UNTRUE')).toContain('expected');
  });
});

describe('a copy that a scratch server cannot load', () => {
  it.each([
    ['is of a later format', 'REDIS9999', 'BACKUP_TOO_NEW'],
    ['is cut short', 'REDIS0012', 'BACKUP_DAMAGED'],
    ['is something else altogether', 'PNG and so on, many bytes of it', 'BACKUP_DAMAGED'],
  ])('because it %s', async (_, text, code) => {
    await using world = await nexus.world();
    const loading = withScratch(
      world,
      'track',
      { appendOnly: false, prepare: (dir) => writeFile(join(dir, 'dump.rdb'), text) },
      () => Promise.resolve(),
    );
    expect((await failureOf(loading)).code).toBe(code);
  });

  it('or an append-only file that is not whole', async () => {
    await using world = await nexus.world();
    const load = (log: string): Promise<number> =>
      withScratch(
        world,
        'track',
        {
          appendOnly: true,
          async prepare(dir) {
            const folder = join(dir, 'appendonlydir');
            await mkdir(folder);
            await writeFile(join(folder, 'appendonly.aof.manifest'), 'file appendonly.aof.1.incr.aof seq 1 type i\n');
            await writeFile(join(folder, 'appendonly.aof.1.incr.aof'), log);
          },
        },
        async ({ admin }) => (await admin.countKeys()).keys,
      );
    const set = '*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\nb\r\n';
    expect(await load(set)).toBe(1);
    expect((await failureOf(load(`${set}*3\r\n$3\r\nSET\r\n$1`))).code).toBe('BACKUP_DAMAGED');
    expect((await failureOf(load(`*1\r\n$5\r\nMULTI\r\n${set}`))).code).toBe('BACKUP_DAMAGED');
    expect((await failureOf(load('#TS:12\r\nnonsense'))).code).toBe('BACKUP_DAMAGED');
  });
});
