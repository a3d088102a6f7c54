/** The repository as the rest of nexus3 sees it, on a real disk. */
import { createHash, randomBytes } from 'node:crypto';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  chunksOf,
  FIRST_CREATED_AT,
  newBackup,
  type TestRepository,
  testRepository,
} from '../../test/support/backup-repository.js';
import { Nexus3Error } from '../errors.js';
import type { Backups, Manifest } from './backups.js';

const DUMP = randomBytes(3_000_000);
const later = (seconds: number): Date => new Date(FIRST_CREATED_AT.getTime() + seconds * 1000);
const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

let repository: TestRepository;
let backups: Backups;
beforeEach(async () => {
  repository = await testRepository();
  backups = repository.open();
});
afterEach(() => repository[Symbol.asyncDispose]());

const folderOf = ({ env, id }: { env: string; id: string }): string => join(repository.root, env, id);
const write = (changes: Parameters<typeof newBackup>[0] = {}, dump = DUMP): Promise<Manifest> =>
  backups.write(newBackup(changes), chunksOf(dump.subarray(0, 1_000_001), dump.subarray(1_000_001)));
const extracted = async (manifest: Manifest): Promise<Buffer> => {
  const to = join(repository.folder, `extracted-${randomBytes(4).toString('hex')}.rdb`);
  await backups.extract(manifest, to, undefined);
  return readFile(to);
};

describe('a backup', () => {
  it('is not written down as holding more than could be read again: the error says so, and it stays as it was', async () => {
    const manifest = await write({}, Buffer.from('small'));
    const name = 'x'.repeat(500);
    const graph = { nodes: 1, edges: 0, labels: 1, indexes: 0, constraints: 0 };
    const graphs = Array.from({ length: 110_000 }, (_, index) => ({ ...graph, name: `${name}${String(index)}` }));
    const refused = backups.record(manifest, { content: { databases: [], graphs }, verification: null });
    await expect(refused).rejects.toMatchObject({
      code: 'BACKUP_FAILED',
      evidence: [expect.stringContaining('110000 graphs') as string],
    });
    expect(await backups.read('track', manifest.id)).toEqual(manifest);
  });

  it('is listed when it is durable, newest first, and read, extracted and removed', async () => {
    expect(await backups.list('track')).toEqual([]);
    expect(await backups.environments()).toEqual([]);
    let seen = 0;
    const first = await backups.write(newBackup(), chunksOf(DUMP), (bytes) => (seen += bytes));
    const second = await write({ createdAt: later(60) });
    const third = await write({ createdAt: later(60.5) });
    const other = await write({ env: 'web' }, Buffer.from('another'));
    repository.now = later(1_000);
    expect(seen).toBe(DUMP.length);
    expect(first).toMatchObject({
      schema: 'nexus3.backup/1',
      createdAt: '2026-01-08T12:00:00.250Z',
      durationMs: 1_500,
      snapshot: { file: 'dump.rdb', bytes: DUMP.length, sha256: sha256(DUMP), rdbBytes: DUMP.length },
      content: null,
      verification: null,
    });
    expect(first.id).toMatch(/^20260108T120000Z-[0-9a-f]{4}$/);
    expect((await backups.list('track')).map(({ manifest }) => manifest)).toEqual([third, second, first]);
    expect(await backups.environments()).toEqual(['track', 'web']);
    expect(await backups.read('track', undefined)).toEqual(third);
    expect(await backups.read('web', other.id)).toEqual(other);
    expect((await extracted(first)).equals(DUMP)).toBe(true);
    await backups.remove('track', third.id);
    await backups.remove('track', third.id);
    expect((await backups.list('track')).map(({ id }) => id)).toEqual([second.id, first.id]);
    await expect(backups.read('track', third.id)).rejects.toMatchObject({ code: 'BACKUP_NOT_FOUND' });
    await expect(backups.read('notes', undefined)).rejects.toMatchObject({ code: 'BACKUP_NOT_FOUND' });
  });

  it('is closed to everybody else', async () => {
    const { env, id } = await write();
    const modes = [repository.root, join(repository.root, env), folderOf({ env, id })].map((path) => stat(path));
    expect((await Promise.all(modes)).map(({ mode }) => mode & 0o777)).toEqual([0o700, 0o700, 0o700]);
    const files = ['dump.rdb', 'manifest.json'].map((name) => stat(join(folderOf({ env, id }), name)));
    expect((await Promise.all(files)).map(({ mode }) => mode & 0o777)).toEqual([0o600, 0o600]);
    expect((await readdir(folderOf({ env, id }))).sort()).toEqual(['dump.rdb', 'manifest.json']);
  });

  it.runIf(process.getuid?.() === 0)('is extracted for whom it is meant', async () => {
    const to = join(repository.folder, 'extracted.rdb');
    await backups.extract(await write(), to, { uid: 65_534, gid: 65_533 });
    expect(await stat(to)).toMatchObject({ uid: 65_534, gid: 65_533, mode: 0o100600 });
  });

  it('says what was counted and measured, once that is recorded', async () => {
    const manifest = await write();
    const content = { databases: [{ db: 0, keys: 3, expiring: 1 }], graphs: [] };
    const verification = {
      verifiedAt: later(90).toISOString(),
      loadMs: 41,
      runtime: 'process',
      engine: manifest.engine,
    } as const;
    const recorded = await backups.record(manifest, { content, verification });
    expect(recorded).toEqual({ ...manifest, content, verification });
    expect(await backups.read('track', manifest.id)).toEqual(recorded);
    await backups.remove('track', manifest.id);
    await expect(backups.record(manifest, { content, verification })).rejects.toMatchObject({
      code: 'BACKUP_NOT_FOUND',
    });
  });

  it('of the newest ones alone, tells the newest and the newest verified one', async () => {
    repository.now = later(1_000);
    const nothing = { failed: undefined, damaged: 0, inFuture: 0 };
    expect(await backups.latest('track')).toEqual({ ...nothing, newest: undefined, verified: undefined });
    const made = [
      await write(),
      await write({ createdAt: later(60) }),
      await write({ createdAt: later(120) }),
    ] as const;
    expect(await backups.latest('track')).toEqual({ ...nothing, newest: made[2], verified: undefined });
    const verification = {
      verifiedAt: later(90).toISOString(),
      loadMs: 41,
      runtime: 'process',
      engine: made[0].engine,
    } as const;
    const content = { databases: [], graphs: [] };
    const verified = await backups.record(made[0], { content, verification });
    expect(await backups.latest('track')).toEqual({ ...nothing, newest: made[2], verified });
    await writeFile(join(folderOf(made[2]), 'manifest.json'), '{}');
    expect(await backups.latest('track')).toEqual({ ...nothing, newest: made[1], verified, damaged: 1 });
    const newest = await backups.record(made[1], { content, verification });
    expect(await backups.latest('track')).toEqual({ ...nothing, newest, verified: newest, damaged: 1 });
  });

  it('that a verification has found damaged counts as verified no more, until a later one finds it good', async () => {
    repository.now = later(1_000);
    const made = [await write(), await write({ createdAt: later(60) })] as const;
    const content = { databases: [], graphs: [] };
    const { engine } = made[0];
    const verification = { verifiedAt: later(90).toISOString(), loadMs: 41, runtime: 'process', engine } as const;
    const sound = await backups.record(made[0], { content, verification });
    const verified = await backups.record(made[1], { content, verification });
    const failure = { at: later(95).toISOString(), code: 'BACKUP_DAMAGED' } as const;
    const failed = await backups.recordFailure(verified, failure);
    expect(failed).toEqual({ ...verified, verification: null, failure });
    // By name it can be had: whoever wants to look at it again may.
    expect(await backups.read('track', failed.id)).toEqual(failed);
    const all = await backups.list('track');
    expect(all.map(({ id, problem }) => [id, problem?.code])).toEqual([
      [failed.id, 'BACKUP_DAMAGED'],
      [sound.id, undefined],
    ]);
    expect(all[0]).toMatchObject({ failed });
    await expect(backups.read('track', undefined)).rejects.toMatchObject({ code: 'BACKUP_DAMAGED' });
    expect(await backups.latest('track')).toEqual({ newest: sound, verified: sound, failed, damaged: 0, inFuture: 0 });
    const keep = { last: 1, daily: 0, weekly: 0, monthly: 0 };
    expect(backups.retention(all, later(1_000), keep).remove).toEqual([]);
    const again = await backups.record(failed, { content, verification });
    expect(again).toEqual(verified);
    expect(await backups.latest('track')).toMatchObject({ newest: verified, verified, failed: undefined });
  });

  it('that is dated in the future is the newest only where there is no other', async () => {
    const future = await write({ createdAt: later(86_400 * 400) });
    const none = { newest: undefined, verified: undefined, failed: undefined, damaged: 0 };
    expect(await backups.latest('track')).toEqual({ ...none, inFuture: 1 });
    expect(await backups.read('track', undefined)).toEqual(future);
    const present = await write();
    expect(await backups.latest('track')).toEqual({ ...none, newest: present, inFuture: 1 });
    expect(await backups.read('track', undefined)).toEqual(present);
    // Verified by a clock that was ahead: nobody knows when.
    const content = { databases: [], graphs: [] };
    const verifiedAt = later(86_400 * 400).toISOString();
    const verification = { verifiedAt, loadMs: 41, runtime: 'process', engine: present.engine } as const;
    await backups.record(present, { content, verification });
    expect((await backups.latest('track')).verified).toBeUndefined();
  });

  it('is kept as nexus3.yaml says, or with a number in its place', async () => {
    for (let day = 0; day < 4; day += 1) await write({ createdAt: later(day * 86_400) }, Buffer.from('x'));
    const all = await backups.list('track');
    expect(backups.retention(all, later(1e6)).remove).toEqual([]);
    const { keep, remove } = backups.retention(all, later(1e6), { last: 1, daily: 0, weekly: 0, monthly: 0 });
    expect(keep.map(({ backup, reasons }) => [backup.id, reasons])).toEqual([[all[0]?.id, ['last']]]);
    expect(remove).toEqual(all.slice(1));
  });

  it('never appears in part: nothing is left of one whose stream breaks off', async () => {
    const broken = async function* (): AsyncGenerator<Buffer> {
      yield DUMP;
      await Promise.reject(new Nexus3Error('BACKUP_FAILED', 'The vault closed the connection.', { hint: '-' }));
    };
    await expect(backups.write(newBackup(), broken())).rejects.toMatchObject({ code: 'BACKUP_FAILED' });
    expect(await backups.list('track')).toEqual([]);
    expect(await readdir(join(repository.root, 'track'))).toEqual([]);
  });
});
