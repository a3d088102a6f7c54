/**
 * Rows as text, for a host that shows an agent no structured content: the same JSON, of a long answer its beginning. A host
 * that shows both would have an agent read everything twice; and what is said twice takes twice as long to send and read.
 * Pure.
 */
import { TEXT_BYTES_MAX } from './limits.js';

export interface RowsAnswer {
  readonly rows?: unknown;
  readonly cut?: unknown;
}

export function rowsText(answer: RowsAnswer): string {
  const whole = JSON.stringify(answer);
  if (whole.length <= TEXT_BYTES_MAX || !Array.isArray(answer.rows) || answer.rows.length < 2) return whole;
  const rows = beginning(answer.rows);
  const all = String(answer.rows.length);
  const cut = [
    ...(Array.isArray(answer.cut) ? (answer.cut as unknown[]) : []),
    `this text shows the first ${String(rows.length)} of ${all} rows, the structured content all: if you see the text alone, call it again with rows: ${String(rows.length)}`,
  ];
  return JSON.stringify({ ...answer, rows, truncated: true, cut });
}

/** As many as there is room for, and one at least. */
function beginning(rows: readonly unknown[]): readonly unknown[] {
  let bytes = 0;
  const beyond = rows.findIndex((row) => (bytes += Buffer.byteLength(JSON.stringify(row)) + 1) > TEXT_BYTES_MAX);
  return beyond < 0 ? rows : rows.slice(0, Math.max(1, beyond));
}
