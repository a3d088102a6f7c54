/** Whether a server holds what it should, by what was counted. Pure. */
import type { ContentCounts, DatabaseCounts } from '../../redis/observation.js';

const DIFFERENCES_MAX = 10;

/**
 * Keys that expire may have gone since they were counted, and a hash lasts once its fields that expire have gone. So neither
 * keys nor those that expire ever become more, and those that last never become fewer.
 * @returns what differs, a line each; empty where all is as expected
 */
export function contentDifferences(expected: ContentCounts, found: ContentCounts): readonly string[] {
  const lines: string[] = [];
  const databases = new Set([...expected.databases, ...found.databases].map(({ db }) => db));
  for (const db of [...databases].toSorted((a, b) => a - b)) {
    const [wanted, seen] = [expected, found].map((content) => databaseIn(content, db));
    if (wanted === undefined || seen === undefined) continue;
    const isMore = seen.keys > wanted.keys && seen.expiring <= wanted.expiring;
    if (isMore || lasting(seen) < lasting(wanted)) {
      lines.push(
        `database ${String(db)}: ${String(lasting(wanted))} lasting keys expected, ${String(lasting(seen))} found`,
      );
    } else if (seen.expiring > wanted.expiring) {
      lines.push(
        `database ${String(db)}: at most ${String(wanted.expiring)} expiring keys expected, ${String(seen.expiring)} found`,
      );
    }
  }
  const names = new Set([...expected.graphs, ...found.graphs].map(({ name }) => name));
  for (const name of [...names].toSorted()) {
    const [wanted, seen] = [expected, found].map(({ graphs }) => textOf(graphs.find((graph) => graph.name === name)));
    if (wanted !== seen) lines.push(`graph ${name}: ${String(wanted)} expected, ${String(seen)} found`);
  }
  return lines.slice(0, DIFFERENCES_MAX);
}

/**
 * Whether nothing differs but keys that expire, of which there are too many. A server that has loaded an append-only file
 * counts those whose time had passed before, until it has come round to removing them (measured, Redis 8.2.3: one that
 * has loaded a snapshot alone does not).
 */
export function isBeingExpired(expected: ContentCounts, found: ContentCounts): boolean {
  const databases = found.databases.map(({ db, keys, expiring }) => {
    const surplus = Math.max(0, expiring - databaseIn(expected, db).expiring);
    return { db, keys: keys - surplus, expiring: expiring - surplus };
  });
  return contentDifferences(expected, { ...found, databases }).length === 0;
}

/** What a vault has come to enforce since it was backed up, without a write: a constraint that had only been asked for. Pure. */
export function lessConstraintsSince(expected: ContentCounts, found: ContentCounts): ContentCounts {
  const graphs = found.graphs.map((graph) => {
    const then = expected.graphs.find(({ name }) => name === graph.name)?.constraints ?? graph.constraints;
    return { ...graph, constraints: Math.min(graph.constraints, then) };
  });
  return { ...found, graphs };
}

function databaseIn({ databases }: ContentCounts, db: number): DatabaseCounts {
  return databases.find((one) => one.db === db) ?? { db, keys: 0, expiring: 0 };
}

function lasting({ keys, expiring }: DatabaseCounts): number {
  return keys - expiring;
}

function textOf(graph: ContentCounts['graphs'][number] | undefined): string {
  if (graph === undefined) return 'none';
  const { nodes, edges, labels, indexes, constraints } = graph;
  return `${String(nodes)} nodes, ${String(edges)} edges, ${String(labels)} labels, ${String(indexes)} indexes, ${String(constraints)} constraints`;
}

export function keysIn({ databases }: ContentCounts): number {
  return databases.reduce((sum, { keys }) => sum + keys, 0);
}
