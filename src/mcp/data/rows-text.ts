/**
 * Rows as text, for a host that shows an agent no structured content: the same JSON, of a long answer its beginning. A host
 * that shows both would have an agent read everything twice; and what is said twice takes twice as long to send and read.
 */
import { TEXT_BYTES_MAX } from './limits.js';

/** The JSON of each row, where it is known already. */
const jsonOfRows = new WeakMap<object, readonly string[]>();

export function rememberJson(rows: readonly unknown[], json: readonly string[]): void {
  jsonOfRows.set(rows, json);
}

export interface RowsAnswer {
  readonly rows?: unknown;
  readonly cut?: unknown;
  readonly truncated?: unknown;
}

export function rowsText(answer: RowsAnswer): string {
  if (!Array.isArray(answer.rows)) return JSON.stringify(answer);
  const json = jsonOfRows.get(answer.rows) ?? answer.rows.map((row) => JSON.stringify(row));
  const shown = beginning(json);
  if (shown === json.length) return joined(answer, json);
  const said = `this text shows the first ${String(shown)} of ${String(json.length)} rows, the structured content all: if you see the text alone, call it again with rows: ${String(shown)}`;
  const cut = [...(Array.isArray(answer.cut) ? (answer.cut as unknown[]) : []), said];
  return joined({ ...answer, truncated: true, cut }, json.slice(0, shown));
}

/** How many there is room for; one at least. */
function beginning(json: readonly string[]): number {
  let bytes = 0;
  const beyond = json.findIndex((row) => (bytes += Buffer.byteLength(row) + 1) > TEXT_BYTES_MAX);
  return beyond < 0 ? json.length : Math.max(1, beyond);
}

/** The rows come last, so that nothing of them is made into JSON again. */
function joined(answer: RowsAnswer, json: readonly string[]): string {
  const { rows: _, ...others } = answer;
  return `${JSON.stringify(others).slice(0, -1)},"rows":[${json.join(',')}]}`;
}
