import { describe, expect, it } from 'vitest';
import type { Counts } from './compare.js';
import { isBetween } from './compare.js';

const graph = (name: string, nodes: number) => ({ name, nodes, edges: 0, labels: 1, indexes: 0, constraints: 0 });
const counts = (keys: number, ...graphs: readonly ReturnType<typeof graph>[]): Counts => ({
  keys: { keys, expiring: 0 },
  graphs,
});

describe('an operational that is counted between two counts of its vault', () => {
  it.each<[boolean, string, Counts, Counts, Counts]>([
    [true, 'holds the same', counts(5, graph('a', 3)), counts(5, graph('a', 3)), counts(5, graph('a', 3))],
    [true, 'lies between', counts(5, graph('a', 3)), counts(6, graph('a', 5)), counts(9, graph('a', 7))],
    [true, 'lies between, downwards', counts(9, graph('a', 7)), counts(6, graph('a', 5)), counts(5, graph('a', 3))],
    [true, 'has a graph that was just made', counts(5), counts(6, graph('a', 1)), counts(6, graph('a', 2))],
    [true, 'has not yet a graph that is made later', counts(5), counts(5), counts(6, graph('a', 2))],
    [false, 'lacks a key', counts(5), counts(4), counts(6)],
    [false, 'has a key too many', counts(5), counts(7), counts(6)],
    [false, 'lacks a node', counts(1, graph('a', 3)), counts(1, graph('a', 2)), counts(1, graph('a', 4))],
    [false, 'lacks a graph', counts(1, graph('a', 3)), counts(1), counts(1, graph('a', 3))],
    [false, 'has a graph that the vault has not', counts(1), counts(1, graph('a', 3)), counts(1)],
  ])('%s: %s', (expected, _, before, operational, after) => {
    expect(isBetween(before, operational, after)).toBe(expected);
  });
});
