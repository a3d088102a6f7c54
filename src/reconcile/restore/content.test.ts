import { describe, expect, it } from 'vitest';
import type { ContentCounts } from '../../redis/observation.js';
import { contentDifferences, isBeingExpired, lessConstraintsSince } from './content.js';

const graph = { name: 'projects', nodes: 2, edges: 1, labels: 1, indexes: 0, constraints: 0 };
const content = (part: Partial<ContentCounts> = {}): ContentCounts => ({
  databases: [
    { db: 0, keys: 10, expiring: 3 },
    { db: 5, keys: 1, expiring: 0 },
  ],
  graphs: [graph],
  ...part,
});

it('a constraint that has come into force since is no difference; one that is gone is', () => {
  const then = content({ graphs: [{ ...graph, constraints: 1 }] });
  const more = content({ graphs: [{ ...graph, constraints: 2 }] });
  expect(lessConstraintsSince(then, more)).toEqual(then);
  expect(lessConstraintsSince(then, content())).toEqual(content());
  expect(lessConstraintsSince(content({ graphs: [] }), more), 'a graph of its own').toEqual(more);
});

describe('what differs', () => {
  it.each<[string, Partial<ContentCounts>, RegExp | undefined]>([
    ['nothing', {}, undefined],
    [
      'keys that have expired meanwhile',
      {
        databases: [
          { db: 0, keys: 7, expiring: 0 },
          { db: 5, keys: 1, expiring: 0 },
        ],
      },
      undefined,
    ],
    [
      'a hash that had fields which have expired meanwhile',
      {
        databases: [
          { db: 0, keys: 10, expiring: 2 },
          { db: 5, keys: 1, expiring: 0 },
        ],
      },
      undefined,
    ],
    [
      'a key that lasts is gone',
      {
        databases: [
          { db: 0, keys: 9, expiring: 3 },
          { db: 5, keys: 1, expiring: 0 },
        ],
      },
      /database 0: 7 lasting keys expected, 6 found/,
    ],
    [
      'one too many',
      {
        databases: [
          { db: 0, keys: 11, expiring: 3 },
          { db: 5, keys: 1, expiring: 0 },
        ],
      },
      /database 0: 7 lasting keys expected, 8 found/,
    ],
    [
      'one that expires too many',
      {
        databases: [
          { db: 0, keys: 11, expiring: 4 },
          { db: 5, keys: 1, expiring: 0 },
        ],
      },
      /at most 3 expiring/,
    ],
    [
      'a database is gone',
      { databases: [{ db: 0, keys: 10, expiring: 3 }] },
      /database 5: 1 lasting keys expected, 0 found/,
    ],
    ['another one is there', { databases: [...content().databases, { db: 7, keys: 1, expiring: 0 }] }, /database 7/],
    ['a graph is gone', { graphs: [] }, /graph projects: 2 nodes.* expected, none found/],
    ['another one is there', { graphs: [graph, { ...graph, name: 'other' }] }, /graph other: none expected/],
    ['an index is gone', { graphs: [{ ...graph, indexes: 1 }] }, /graph projects/],
  ])('%s', (_, found, expected) => {
    const lines = contentDifferences(content(), content(found));
    if (expected === undefined) expect(lines).toEqual([]);
    else expect(lines.join('\n')).toMatch(expected);
  });

  it('keys whose time has passed are waited for, and nothing else', () => {
    const of = (keys: number, expiring: number): ContentCounts =>
      content({
        databases: [
          { db: 0, keys, expiring },
          { db: 5, keys: 1, expiring: 0 },
        ],
      });
    expect(contentDifferences(content(), of(12, 5))).not.toEqual([]);
    expect(isBeingExpired(content(), of(12, 5))).toBe(true);
    expect(isBeingExpired(content(), of(12, 3)), 'two that last too many').toBe(false);
    expect(isBeingExpired(content(), of(11, 5)), 'one that lasts is gone').toBe(false);
    expect(isBeingExpired(content(), { ...of(12, 5), graphs: [] })).toBe(false);
  });

  it('a thousand differences are not told one by one', () => {
    const graphs = Array.from({ length: 1_000 }, (_, index) => ({ ...graph, name: `g${String(index)}` }));
    expect(contentDifferences(content(), content({ graphs })).length).toBeLessThanOrEqual(10);
  });
});
