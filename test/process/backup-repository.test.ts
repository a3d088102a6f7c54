/** The repository of backups on a real disk, with runs that are killed, that come together, and a disk that is full. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Backups } from '../../src/backup/backups.js';
import { chunksOf, newBackup, someSecret, type TestRepository, testRepository } from '../support/backup-repository.js';
import { chance, rounds, SEED } from '../support/random.js';
import { run as runProgram } from '../support/run.js';

const WRITER = fileURLToPath(new URL('../support/backup-writer.mjs', import.meta.url));
const KILLS_IN_CI = 25;
const KILLS_IN_SOAK = 300;
const KILL_MS = 2_000;
const BYTES = 4_000_000;
/** Node starts in less. */
const LIFE_MS_MAX = 700;
const MOUNT_TIMEOUT_MS = 10_000;
const DISK_MIB = 4;
const MIB = 1024 * 1024;

const secret = someSecret();
let repository: TestRepository;
beforeEach(async () => {
  repository = await testRepository();
});
afterEach(() => repository[Symbol.asyncDispose]());

interface Writer {
  /** Ids that it was told are there. */
  readonly ids: () => readonly string[];
  readonly begun: () => number;
  /** SIGKILL. */
  kill(): Promise<void>;
}

function writer(env: string, encrypt: boolean): Writer {
  const args = [WRITER, repository.root, secret.reveal(), String(encrypt), env, String(BYTES)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString('utf8')));
  const lines = (): readonly string[] => output.split('\n').slice(0, -1);
  return {
    ids: () => lines().filter((line) => line !== 'write'),
    begun: () => lines().filter((line) => line === 'write').length,
    kill: async () => {
      const ended = once(child, 'close');
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** Of what the writer writes for this environment. */
function dumpOf(env: string): Buffer {
  const chunks = Array.from({ length: 20 }, (_, chunk) =>
    Buffer.alloc(
      BYTES / 20,
      createHash('sha256')
        .update(`${env}${String(chunk)}`)
        .digest(),
    ),
  );
  return Buffer.concat(chunks);
}

async function isWhole(backups: Backups, env: string, where: string): Promise<readonly string[]> {
  const dump = dumpOf(env);
  const listed = await backups.list(env);
  for (const { manifest, problem } of listed) {
    if (manifest === undefined) throw new Error(`${where}: ${problem.message} ${problem.evidence.join()}`);
    const to = join(repository.folder, 'extracted');
    await backups.extract(manifest, to, undefined);
    expect((await readFile(to)).equals(dump), where).toBe(true);
    await rm(to);
  }
  return listed.map(({ id }) => id);
}

describe('a run that makes backups', () => {
  it.each([false, true])(
    'killed at any instant (encrypted: %s): what is listed is whole, what it was told is there is listed, and the rest is swept',
    async (encrypt) => {
      const kills = rounds(KILLS_IN_CI, KILLS_IN_SOAK);
      const random = chance(SEED);
      const backups = repository.open({ present: secret }, { encrypt });
      let halves = 0;
      for (let kill = 0; kill < kills; kill += 1) {
        const one = writer('track', encrypt);
        while (one.begun() === 0) await sleep(5);
        const afterMs = Math.floor(random() * LIFE_MS_MAX * 0.3);
        await sleep(afterMs);
        await one.kill();
        const where = `seed ${String(SEED)}, kill ${String(kill)}, after ${String(afterMs)} ms`;
        const track = join(repository.root, 'track');
        const hidden = (await readdir(track)).filter((name) => name.startsWith('.'));
        if (hidden.length > 0) halves += 1;
        const ids = await isWhole(backups, 'track', where);
        expect(ids, where).toEqual(expect.arrayContaining([...one.ids()]));
        expect(ids.length - one.ids().length, where).toBeLessThanOrEqual(1);
        await using _held = await backups.acquire('backup prune', () => undefined);
        expect((await readdir(track)).toSorted(), where).toEqual([...ids].toSorted());
        for (const id of ids) await backups.remove('track', id);
        expect(await readdir(track), where).toEqual([]);
      }
      process.stderr.write(`backups: ${String(halves)} of ${String(kills)} kills left a half one\n`);
      expect(halves).toBeGreaterThan(0);
    },
    rounds(KILLS_IN_CI, KILLS_IN_SOAK) * KILL_MS,
  );

  it('does not harm another one that runs at the same time: one waits for the other', async () => {
    const backups = repository.open({ present: secret }, { encrypt: true });
    const [one, two] = [writer('track', true), writer('web', true)];
    while (one.ids().length < 3 || two.ids().length < 3) await sleep(20);
    await Promise.all([one.kill(), two.kill()]);
    expect(await backups.environments()).toEqual(['track', 'web']);
    expect(await isWhole(backups, 'track', 'track')).toEqual(expect.arrayContaining([...one.ids()]));
    expect(await isWhole(backups, 'web', 'web')).toEqual(expect.arrayContaining([...two.ids()]));
    // Whoever is killed lets go of the lock.
    await using _held = await backups.acquire('backup prune', () => undefined);
  });
});

const isRoot = process.getuid?.() === 0;
if (!isRoot) console.warn('NOT ROOT: the tests of a full disk are skipped.');

describe.skipIf(!isRoot)('a disk', () => {
  let disk: string;
  beforeAll(async () => {
    disk = await mkdtemp(join(tmpdir(), 'nexus3-disk-'));
    await runProgram('mount', ['-t', 'tmpfs', '-o', `size=${String(DISK_MIB)}m`, 'tmpfs', disk], {
      timeoutMs: MOUNT_TIMEOUT_MS,
    });
  });
  afterAll(async () => {
    await runProgram('umount', [disk], { timeoutMs: MOUNT_TIMEOUT_MS });
    await rm(disk, { recursive: true });
  });

  it.each([false, true])(
    'that fills up in the middle (encrypted: %s): said so, and nothing is left of it',
    async (encrypt) => {
      const root = join(disk, `backups-${String(encrypt)}`);
      const backups = repository.open({ present: secret }, { root, encrypt });
      const small = await backups.write(newBackup(), chunksOf(Buffer.alloc(MIB)));
      const chunks = (mib: number): AsyncIterable<Buffer> =>
        chunksOf(...Array.from({ length: mib * 16 }, () => Buffer.alloc(MIB / 16, 'x')));
      await expect(backups.write(newBackup(), chunks(8))).rejects.toMatchObject({ code: 'DISK_FULL' });
      expect(await readdir(join(root, 'track'))).toEqual([small.id]);
      const filler = join(disk, 'filler');
      await writeFile(filler, Buffer.alloc(4 * MIB)).catch(() => undefined);
      await expect(backups.extract(small, join(disk, 'out'), undefined)).rejects.toMatchObject({ code: 'DISK_FULL' });
      await expect(backups.write(newBackup(), chunks(1))).rejects.toMatchObject({ code: 'DISK_FULL' });
      const nothing = { content: null, verification: null };
      await expect(backups.record(small, nothing)).rejects.toMatchObject({ code: 'DISK_FULL' });
      expect((await readdir(disk)).includes('out')).toBe(false);
      await rm(filler);
      await backups.extract(small, join(disk, 'out'), undefined);
      expect((await backups.list('track')).map(({ manifest }) => manifest)).toEqual([small]);
      await rm(join(disk, 'out'));
      await rm(root, { recursive: true });
    },
  );

  it('that is read only, or a root that is a file: said so', async () => {
    const root = join(disk, 'read-only');
    const there = await repository.open({ present: secret }, { root }).write(newBackup(), chunksOf(Buffer.from('x')));
    await runProgram('mount', ['-o', 'remount,ro', disk], { timeoutMs: MOUNT_TIMEOUT_MS });
    try {
      const backups = repository.open({ present: secret }, { root });
      await expect(backups.acquire('backup create', () => undefined)).rejects.toMatchObject({
        code: 'FILE_NOT_WRITABLE',
      });
      await expect(backups.write(newBackup(), chunksOf())).rejects.toMatchObject({ code: 'FILE_NOT_WRITABLE' });
      // What lies there can be restored all the same.
      expect((await backups.list('track')).map(({ id }) => id)).toEqual([there.id]);
      await backups.extract(there, join(repository.folder, 'out'), undefined);
    } finally {
      await runProgram('mount', ['-o', 'remount,rw', disk], { timeoutMs: MOUNT_TIMEOUT_MS });
    }
    await writeFile(repository.root, 'a file');
    const backups = repository.open({ present: secret });
    await expect(backups.acquire('backup create', () => undefined)).rejects.toMatchObject({
      code: 'FILE_NOT_WRITABLE',
    });
    await expect(backups.write(newBackup(), chunksOf())).rejects.toMatchObject({ code: 'FILE_NOT_WRITABLE' });
    await expect(backups.environments()).rejects.toMatchObject({ code: 'FILE_NOT_WRITABLE' });
  });
});
