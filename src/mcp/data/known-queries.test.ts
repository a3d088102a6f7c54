import { expect, it } from 'vitest';
import { checkQuery, limitRows } from './cypher-guard.js';
import { KnownQueries } from './known-queries.js';
import { QUERIES_KNOWN_MAX, QUERY_KNOWN_CHARACTERS_MAX, ROWS_MAX } from './limits.js';

const anew = (query: string): string => limitRows(checkQuery(query), ROWS_MAX + 1);

it('says the same of a query that it knows as of a new one', () => {
  const known = new KnownQueries();
  const queries = Array.from({ length: 2 * QUERIES_KNOWN_MAX }, (_, at) => `MATCH (n) RETURN n.p${String(at)}`);
  queries.push(`RETURN '${'x'.repeat(QUERY_KNOWN_CHARACTERS_MAX)}'`, 'RETURN 1 LIMIT 5');
  for (const round of [1, 2, 3]) {
    for (const query of queries.slice(0, round * QUERIES_KNOWN_MAX)) expect(known.limited(query)).toBe(anew(query));
  }
});

it('refuses what it refused before', () => {
  const known = new KnownQueries();
  for (const _ of [1, 2]) expect(() => known.limited("LOAD CSV FROM 'x' AS r RETURN r")).toThrow(/LOAD CSV/);
});
