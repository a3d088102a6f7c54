/** The rest of results that were too long for one answer, for a while, under cursors that cannot be guessed. */
import { randomBytes } from 'node:crypto';
import { Nexus3Error } from '../../errors.js';
import { RESULTS_BYTES_MAX, RESULTS_MAX, RESULT_KEPT_MS } from './limits.js';

export interface HeldResult {
  readonly environment: string;
  readonly graph: string;
  readonly columns: readonly string[];
  /** Each as JSON. */
  readonly rows: readonly string[];
  /** What was not fetched or not shown of the whole. */
  readonly cut: readonly string[];
}

interface Kept {
  readonly result: HeldResult;
  readonly bytes: number;
  readonly until: number;
}

export class HeldResults {
  readonly #kept = new Map<string, Kept>();
  #bytes = 0;

  /** The oldest go when there is no room. Gives the cursor of the row at `from`. */
  keep(result: HeldResult, from: number): string {
    const bytes = result.rows.reduce((sum, row) => sum + row.length, 0);
    for (const [id, { until }] of this.#kept) {
      if (until > Date.now() && this.#kept.size < RESULTS_MAX && this.#bytes + bytes <= RESULTS_BYTES_MAX) break;
      this.#drop(id);
    }
    const id = randomBytes(16).toString('base64url');
    this.#kept.set(id, { result, bytes, until: Date.now() + RESULT_KEPT_MS });
    this.#bytes += bytes;
    return this.cursor(id, from);
  }

  cursor(id: string, from: number): string {
    return `${id}.${String(from)}`;
  }

  /** @throws Nexus3Error CURSOR_UNKNOWN */
  at(cursor: string): { readonly id: string; readonly from: number; readonly result: HeldResult } {
    const [, id, from] = /^([\w-]{22})\.(\d{1,6})$/.exec(cursor) ?? [];
    const kept = id === undefined ? undefined : this.#kept.get(id);
    if (id === undefined || kept === undefined || kept.until <= Date.now() || Number(from) > kept.result.rows.length) {
      throw new Nexus3Error('CURSOR_UNKNOWN', 'There is no result kept under that cursor (any more).', {
        evidence: [
          `results are kept for ${String(RESULT_KEPT_MS / 60_000)} minutes, the newest ${String(RESULTS_MAX)}`,
        ],
        hint: 'Send the query again, without a cursor.',
      });
    }
    return { id, from: Number(from), result: kept.result };
  }

  #drop(id: string): void {
    this.#bytes -= this.#kept.get(id)?.bytes ?? 0;
    this.#kept.delete(id);
  }
}
