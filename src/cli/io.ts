/** What a run of the command line reads and writes: the process's own, or a test's. */
import type { Readable, Writable } from 'node:stream';
import type { Surroundings } from '../config/locate.js';

export type InputStream = Readable & { readonly isTTY?: boolean };
export type OutputStream = Writable & { readonly isTTY?: boolean; readonly columns?: number };

export interface Io extends Surroundings {
  readonly stdin: InputStream;
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  /** Aborted by SIGINT or SIGTERM. */
  readonly signal: AbortSignal;
  /** What stdout still holds need not be waited for at the end: nobody reads it. */
  readonly giveUpOutput?: () => void;
}

/** Lines are laid out for this width where nothing says how wide the reader's page is. */
const PIPED_COLUMNS = 120;
const COLUMNS_MIN = 20;

export function widthOf(stream: OutputStream, env: Surroundings['env']): number {
  const columns = stream.isTTY === true ? stream.columns : Number(env['COLUMNS']);
  return columns !== undefined && Number.isInteger(columns) && columns > 0
    ? Math.max(COLUMNS_MIN, columns)
    : PIPED_COLUMNS;
}

/** `--no-color` and NO_COLOR (https://no-color.org) before FORCE_COLOR before what the stream is. */
export function wantsColor(stream: OutputStream, env: Surroundings['env'], noColor: boolean): boolean {
  const { NO_COLOR: none, FORCE_COLOR: force, TERM: terminal } = env;
  if (noColor || (none !== undefined && none !== '')) return false;
  if (force !== undefined) return force !== '0' && force !== 'false';
  return stream.isTTY === true && terminal !== 'dumb';
}
