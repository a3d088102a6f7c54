/**
 * Rows as text, for a host that shows an agent no structured content: the same JSON, of a long answer its beginning. A host
 * that shows both would have an agent read everything twice; and what is said twice takes twice as long to send and read.
 */
import { answerJson, JsonList } from '../json-list.js';
import { TEXT_BYTES_MAX } from './limits.js';

export interface RowsAnswer {
  readonly rows: JsonList;
  readonly cut: readonly string[];
  readonly truncated: boolean;
}

export function rowsText(answer: RowsAnswer): string {
  const { items } = answer.rows;
  const shown = Math.max(1, fitting(items, TEXT_BYTES_MAX));
  if (shown >= items.length) return answerJson(answer);
  const said = `this text shows the first ${String(shown)} of ${String(items.length)} rows, the structured content all: if you see the text alone, call it again with rows: ${String(shown)}`;
  const rows = new JsonList(items.slice(0, shown));
  return answerJson({ ...answer, rows, truncated: true, cut: [...answer.cut, said] });
}

/** How many of the first items have room in so many bytes, each with a comma. */
export function fitting(items: readonly string[], bytesMax: number): number {
  let bytes = 0;
  // Most often there is room for all, whatever characters they are of.
  const atMost = items.reduce((sum, item) => sum + UTF8_BYTES_MAX * item.length + 1, 0);
  if (atMost <= bytesMax) return items.length;
  const beyond = items.findIndex((item) => (bytes += Buffer.byteLength(item) + 1) > bytesMax);
  return beyond < 0 ? items.length : beyond;
}

/** Of a UTF-16 unit. */
const UTF8_BYTES_MAX = 3;
