/**
 * Queries that were judged already. Values come as parameters, apart from the text, so the same few texts come again and
 * again; the engine keeps their plans for the same reason (CACHE_SIZE).
 */
import { checkQuery, limitRows } from './cypher-guard.js';
import { QUERIES_KNOWN_MAX, QUERY_KNOWN_CHARACTERS_MAX, ROWS_MAX } from './limits.js';

export class KnownQueries {
  readonly #limited = new Map<string, string>();

  /** The query with its LIMIT; one row more than is kept says whether there are more. @throws Nexus3Error QUERY_REFUSED */
  limited(query: string): string {
    const known = this.#limited.get(query);
    if (known !== undefined) return known;
    const limited = limitRows(checkQuery(query), ROWS_MAX + 1);
    if (query.length > QUERY_KNOWN_CHARACTERS_MAX) return limited;
    const [oldest] = this.#limited.keys();
    if (this.#limited.size >= QUERIES_KNOWN_MAX && oldest !== undefined) this.#limited.delete(oldest);
    this.#limited.set(query, limited);
    return limited;
  }
}
