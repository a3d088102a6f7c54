/** A long list, a page at a time: bounded in number and in bytes. Pure. */
import { z } from 'zod';
import { Nexus3Error } from '../../errors.js';

export const PAGE_ITEMS_DEFAULT = 20;
export const PAGE_ITEMS_MAX = 100;
/** Of a page as JSON: what an agent can still read. One item is always given, however large. */
export const PAGE_BYTES_MAX = 100_000;
const CURSOR_CHARS_MAX = 200;

export interface Page<T> {
  readonly items: readonly T[];
  /** Of all pages together. */
  readonly total: number;
  readonly truncated: boolean;
  /** For the next page; null: this is the last one. */
  readonly nextCursor: string | null;
}

export interface PageRequest {
  readonly limit?: number | undefined;
  /** Undefined: from the beginning. */
  readonly cursor?: string | undefined;
}

/** What a tool takes that gives back a page. */
export const PAGE_INPUT = {
  limit: z
    .int()
    .min(1)
    .max(PAGE_ITEMS_MAX)
    .optional()
    .describe(`How many to give back at most; ${String(PAGE_ITEMS_DEFAULT)} unless given`),
  cursor: z.string().max(CURSOR_CHARS_MAX).optional().describe('nextCursor of the page before'),
};

/** What a result says of its page. */
export const PAGE_OUTPUT = {
  total: z.int().describe('How many there are, on all pages together'),
  truncated: z.boolean().describe('There are more than are given here'),
  nextCursor: z.string().nullable().describe('Give it as cursor for the next page; null: this is the last one'),
};

/**
 * @param keyOf what a cursor names: the last item of the page before
 * @throws Nexus3Error USAGE
 */
export function pageOf<T>(items: readonly T[], keyOf: (item: T) => string, request: PageRequest): Page<T> {
  const from = request.cursor === undefined ? 0 : items.findIndex((item) => keyOf(item) === request.cursor) + 1;
  if (request.cursor !== undefined && from === 0) {
    throw new Nexus3Error('USAGE', 'That cursor leads nowhere any more.', {
      hint: 'Call the tool without a cursor, to begin anew.',
    });
  }
  const wanted = items.slice(from, from + (request.limit ?? PAGE_ITEMS_DEFAULT));
  let bytes = 0;
  const fitting = wanted.findIndex((item, index) => {
    bytes += Buffer.byteLength(JSON.stringify(item));
    return index > 0 && bytes > PAGE_BYTES_MAX;
  });
  const page = fitting === -1 ? wanted : wanted.slice(0, fitting);
  const last = page.at(-1);
  const truncated = last !== undefined && from + page.length < items.length;
  return { items: page, total: items.length, truncated, nextCursor: truncated ? keyOf(last) : null };
}

/** The fields of PAGE_OUTPUT. */
export function pageFields({ total, truncated, nextCursor }: Page<unknown>): Omit<Page<never>, 'items'> {
  return { total, truncated, nextCursor };
}
