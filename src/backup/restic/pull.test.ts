import { describe, expect, it } from 'vitest';
import { unitOf } from './pull.js';

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
