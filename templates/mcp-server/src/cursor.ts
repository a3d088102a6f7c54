/** Where a page of results ended: the values that results are in order of. Opaque to clients. */
import { z } from 'zod';
import { Refused } from './failure.js';

const CURSOR = z.tuple([z.string(), z.string()]);
const CURSOR_CHARACTERS_MAX = 500;

export const cursorInput = z
  .string()
  .max(CURSOR_CHARACTERS_MAX)
  .optional()
  .describe('`nextCursor` of the page before; left out for the first page');
export const cursorOutput = z.string().optional().describe('There is more: call again with this as `cursor`');

export interface Page<Row> {
  readonly rows: readonly Row[];
  readonly nextCursor?: string;
}

/** Of one row more than asked for: whether there is a next page. */
export function pageOf<Row>(
  rows: readonly Row[],
  limit: number,
  key: (row: Row) => readonly [string, string],
): Page<Row> {
  const last = rows[limit - 1];
  if (rows.length <= limit || last === undefined) return { rows };
  return { rows: rows.slice(0, limit), nextCursor: Buffer.from(JSON.stringify(key(last))).toString('base64url') };
}

/** Empty strings for the first page. @throws Refused */
export function readCursor(cursor: string | undefined): { readonly after: string; readonly afterId: string } {
  if (cursor === undefined) return { after: '', afterId: '' };
  const [after, afterId] = parse(cursor);
  return { after, afterId };
}

function parse(cursor: string): readonly [string, string] {
  try {
    return CURSOR.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')));
  } catch {
    throw new Refused('That cursor is none of this tool’s.', 'Leave `cursor` out to begin with the first page.');
  }
}
