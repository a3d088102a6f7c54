import { describe, expect, it } from 'vitest';
import { inOrder, runsOf, unitOf, unitsOf } from './units.js';

const LINEAGE = 'a1'.repeat(16);
const ID = '20260108T120000Z-1a2b';

describe('what is taken from a snapshot', () => {
  it.each([
    ['/keys.json', 'keys.json'],
    [`/track/${ID}/manifest.json`, `track/${ID}`],
    [`/track/${ID}/dump.rdb`, `track/${ID}`],
    [`/track/${ID}/dump.rdb.age`, `track/${ID}`],
    [`/track/history/${LINEAGE}/index.json`, `track/history/${LINEAGE}`],
    [`/track/history/${LINEAGE}-2/appendonly.aof.1.base.rdb.age`, `track/history/${LINEAGE}-2`],
  ])('%s is part of %s', (path, unit) => {
    expect(unitOf(path, [])).toBe(unit);
    expect(unitOf(path, ['track'])).toBe(unit);
    if (path !== '/keys.json') expect(unitOf(path, ['web'])).toBeUndefined();
  });

  it.each([
    '',
    '/',
    '/.lock',
    '/keys.json/x',
    'keys.json',
    '/../etc/passwd',
    '/Track/x',
    `/track/${ID}`,
    `/track/${ID}/other`,
    `/track/${ID}/x/dump.rdb`,
    `/track/.${ID}.new/dump.rdb`,
    '/track/history/index.json',
    `/track/history/${LINEAGE}/../../../x`,
    `/track/history/${LINEAGE}/.hidden`,
    `/track/history/${LINEAGE}/a/b`,
    '/track/history/[a-z]*/index.json',
  ])('%j is not', (path) => {
    expect(unitOf(path, [])).toBeUndefined();
  });
});

describe('in which order it comes', () => {
  const file = (path: string, bytes = 1): { path: string; bytes: number } => ({ path, bytes });
  const backup = (env: string, day: number): string => `/${env}/2026010${String(day)}T120000Z-1a2b/dump.rdb`;

  it('the keys, the newest backup of each, older ones, and histories at the end', () => {
    const units = unitsOf([
      file(`/track/history/${LINEAGE}/index.json`),
      ...[1, 3, 2].map((day) => file(backup('track', day))),
      file(backup('web', 1)),
      file('/keys.json'),
    ]);
    expect(inOrder(units).map(({ path }) => path)).toEqual([
      'keys.json',
      'track/20260103T120000Z-1a2b',
      'web/20260101T120000Z-1a2b',
      'track/20260102T120000Z-1a2b',
      'track/20260101T120000Z-1a2b',
      `track/history/${LINEAGE}`,
    ]);
  });

  it('in runs that are bounded in what they name and in what they bring', () => {
    const many = Array.from({ length: 1_001 }, (_, n) => ({ path: `e/${String(n)}`, files: [file('/x', 1)] }));
    expect(runsOf(many).map(({ length }) => length)).toEqual([500, 500, 1]);
    const large = [2 ** 29, 2 ** 29, 1, 2 ** 40, 1].map((bytes) => ({ path: 'e/1', files: [file('/x', bytes)] }));
    expect(runsOf(large).map(({ length }) => length)).toEqual([2, 1, 1, 1]);
    expect(runsOf([])).toEqual([]);
  });

  it('is asked for in few words, however many files it has: no list of arguments grows with them', () => {
    const part = (index: number): string =>
      `track/history/${LINEAGE}/appendonly.aof.1.incr.aof.${String(index)}.00000000`;
    const parts = Array.from({ length: 35_000 }, (_, index) => ({ path: part(index), bytes: 100 }));
    const backups = Array.from({ length: 35_000 }, (_, index) => ({
      path: `track/20260108T120000Z-${index.toString(16).padStart(4, '0')}/manifest.json`,
      bytes: 100,
    }));
    const units = unitsOf([...parts, ...backups].map((file) => ({ ...file, path: `/${file.path}` })));
    expect(units.length).toBe(1 + backups.length);
    const argumentBytes = runsOf(units).map((run) =>
      run.reduce((sum, { path }) => sum + '--include'.length + path.length + 3, 0),
    );
    // What Linux takes of one argument alone.
    expect(Math.max(...argumentBytes)).toBeLessThan(128 * 1024);
  });
});
