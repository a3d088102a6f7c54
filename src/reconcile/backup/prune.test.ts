/** `backup list` and `backup prune` over a real repository. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { chunksOf, newBackup, type TestRepository, testRepository } from '../../../test/support/backup-repository.js';
import { stillWorld } from '../../../test/support/still-world.js';
import type { Backups, Manifest } from '../../backup/backups.js';
import { SILENT } from '../../progress.js';
import type { World } from '../world.js';
import { listBackups } from './list.js';
import { pruneBackups } from './prune.js';

let repository: TestRepository;
let backups: Backups;
/** One a day at noon, newest first; the oldest is verified. */
let made: readonly Manifest[];
const DAYS = 5;
const KEEP = { last: 1, hourly: 0, daily: 2, weekly: 0, monthly: 0 };

beforeEach(async () => {
  repository = await testRepository();
  backups = repository.open({}, { keep: KEEP });
  const written: Manifest[] = [];
  for (let day = 0; day < DAYS; day += 1) {
    const createdAt = new Date(Date.UTC(2026, 0, 1 + day, 12));
    written.push(await backups.write(newBackup({ createdAt }), chunksOf(Buffer.alloc(1_000, day))));
  }
  const [oldest] = written;
  if (oldest === undefined) throw new Error('five were made');
  const verification = {
    verifiedAt: '2026-01-01T12:00:01.000Z',
    loadMs: 41,
    runtime: 'process',
    engine: oldest.engine,
  } as const;
  written[0] = await backups.record(oldest, {
    verification,
    content: { databases: [{ db: 0, keys: 3, expiring: 0 }], graphs: [] },
  });
  made = written.toReversed();
});
afterEach(() => repository[Symbol.asyncDispose]());

function world(): World {
  return stillWorld(join(repository.folder, 'data'), { backups });
}
const idsOf = (listed: readonly { readonly id: string }[]): readonly string[] => listed.map(({ id }) => id);
const newest = (...indexes: readonly number[]): readonly string[] => indexes.map((index) => made[index]?.id ?? '');
const prune = (options: Partial<Parameters<typeof pruneBackups>[1]> = {}): ReturnType<typeof pruneBackups> =>
  pruneBackups(world(), { envs: [], all: true, yes: false, keep: {}, ...options }, SILENT);

describe('backup list', () => {
  it('shows every backup, why it is kept, and which would go', async () => {
    const { ok, root, listedAt, environments } = await listBackups(world(), []);
    expect({ ok, root, listedAt }).toEqual({ ok: true, root: backups.root, listedAt: '2026-01-08T12:00:00.000Z' });
    expect(environments.map(({ name }) => name)).toEqual(['track']);
    const [track] = environments;
    expect(idsOf(track?.backups ?? [])).toEqual(idsOf(made));
    expect(track?.backups.map(({ keptFor, wouldGo }) => [keptFor.join(), wouldGo])).toEqual([
      ['last,daily', false],
      ['daily', false],
      ['', true],
      ['', true],
      ['last-verified', false],
    ]);
    expect(track?.backups.at(-1)).toMatchObject({ keys: 3, graphs: 0, loadMs: 41, bytes: 1_000, problem: null });
  });

  it('shows a damaged one with what is wrong, and is then not ok', async () => {
    await writeFile(join(backups.root, 'track', newest(0)[0] ?? '', 'manifest.json'), '{}');
    const { ok, environments } = await listBackups(world(), ['track']);
    expect(ok).toBe(false);
    expect(environments[0]?.backups[0]).toMatchObject({
      createdAt: null,
      bytes: null,
      problem: { code: 'BACKUP_INVALID' },
    });
    expect(environments[0]?.backups[1]?.problem).toBeNull();
  });

  it('knows who has none, and who there is not', async () => {
    expect((await listBackups(world(), ['user'])).environments).toEqual([{ name: 'user', windows: [], backups: [] }]);
    await expect(listBackups(world(), ['nobody'])).rejects.toMatchObject({ code: 'ENVIRONMENT_UNKNOWN' });
  });
});

describe('backup prune', () => {
  it('changes nothing unless it is told to', async () => {
    const { dryRun, environments } = await prune();
    expect(dryRun).toBe(true);
    expect(idsOf(environments[0]?.remove ?? [])).toEqual(newest(2, 3));
    expect(environments[0]?.history).toBeNull();
    expect(idsOf(await backups.list('track'))).toEqual(idsOf(made));
  });

  it('removes what it said, and nothing when it is run again', async () => {
    const { dryRun, environments } = await prune({ yes: true });
    expect(dryRun).toBe(false);
    expect(idsOf(environments[0]?.remove ?? [])).toEqual(newest(2, 3));
    expect(idsOf(await backups.list('track'))).toEqual(newest(0, 1, 4));
    expect((await prune({ yes: true })).environments[0]?.remove).toEqual([]);
  });

  it('takes other numbers, and never the newest or the last verified', async () => {
    await prune({ yes: true, keep: { daily: 0 } });
    expect(idsOf(await backups.list('track'))).toEqual(newest(0, 4));
  });

  it('waits for whoever works in the repository, and removes nothing meanwhile', async () => {
    const held = await backups.acquire('backup create', () => undefined);
    let waited = '';
    const pruning = pruneBackups(
      world(),
      { envs: ['track'], all: false, yes: true, keep: {} },
      { ...SILENT, note: (text) => void (waited = text) },
    );
    while (waited === '') await new Promise((resolve) => setTimeout(resolve, 10));
    expect(waited).toContain('nexus3 backup create');
    expect(await backups.list('track')).toHaveLength(DAYS);
    await held[Symbol.asyncDispose]();
    await pruning;
    expect(await backups.list('track')).toHaveLength(3);
  });

  it.each([
    [{ envs: [], all: false }, 'Nothing is named.'],
    [{ envs: ['track'], all: true }, '--all leaves no choice of environments.'],
  ])('wants to be told of whom: %j', async (options, message) => {
    await expect(prune(options)).rejects.toMatchObject({ code: 'USAGE', message });
  });
});
