import { mkdtemp, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { endJournal, readJournal, seeRestore, writeJournal } from './journal.js';
import type { RestoreJournal } from './journal.js';

const JOURNAL: RestoreJournal = {
  env: 'track',
  by: 'all',
  phase: 'proving',
  startedAt: '2026-01-08T12:00:00.000Z',
  source: { kind: 'backup', env: 'track', id: '20260108T120000Z-1a2b', createdAt: '2026-01-08T12:00:00.000Z' },
  incarnation: 'a'.repeat(32),
  engine: { kind: 'redis', version: '8.2.3', graphModule: 41_603 },
  expected: { databases: [{ db: 0, keys: 1, expiring: 0 }], graphs: [] },
  kept: 'kept-vault-2026-01-08T12-00-00-000Z',
  keptOperational: null,
  before: { mark: `${'b'.repeat(32)} 1 100\n`, engine: null, fenced: false, existed: true, ran: true },
};

let root: string;
let file: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'nexus3-journal-'));
  file = join(root, 'track', 'restore.json');
});
afterEach(async () => {
  await rm(root, { recursive: true });
});

describe('what a restore writes down', () => {
  it('is read as it was written, and is for nexus3 alone', async () => {
    await writeJournal(root, JOURNAL);
    expect(readJournal(root, 'track')).toEqual(JOURNAL);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(seeRestore(root, 'track')).toEqual({
      phase: 'proving',
      source: '20260108T120000Z-1a2b',
      startedAt: JOURNAL.startedAt,
    });
    const history = { ...JOURNAL, source: { kind: 'history', env: 'user', at: '2026-01-08T12:00:07Z' } } as const;
    await writeJournal(root, history);
    expect(readJournal(root, 'track')).toEqual(history);
    await endJournal(root, 'track');
    expect([readJournal(root, 'track'), seeRestore(root, 'track')]).toEqual([undefined, undefined]);
  });

  it('is none where there never was a restore', () => {
    expect([readJournal(root, 'track'), seeRestore(root, 'track')]).toEqual([undefined, undefined]);
  });

  it.each<[string, (text: string) => string]>([
    ['empty', () => ''],
    ['no JSON', () => '{'],
    ['another schema', (text) => text.replace('journal/1', 'journal/2')],
    ['another phase', (text) => text.replace('proving', 'doubting')],
    ['a place outside', (text) => text.replace('kept-vault-', 'kept-/../../vault-')],
    ['a place that is discarded', (text) => text.replace('kept-vault-', 'vault-')],
    ['no incarnation', (text) => text.replace('a'.repeat(32), 'none')],
    ['another environment', (text) => text.replace('"env":"track"', '"env":"user"')],
  ])('%s: it counts as begun, and nothing is guessed', async (what, change) => {
    await writeJournal(root, JOURNAL);
    await writeFile(file, change(await readFile(file, 'utf8')));
    expect(seeRestore(root, 'track')?.phase).toBe(what === 'another environment' ? 'proving' : 'unreadable');
    expect(() => readJournal(root, 'track')).toThrow(/cannot be read/);
  });

  it('a folder in its place counts as begun, too', async () => {
    await mkdir(file, { recursive: true });
    expect(seeRestore(root, 'track')?.phase).toBe('unreadable');
  });
});
