/** Seconds since 1970, as the append-only file dates by them, and as people read them. Pure. */
export function iso(second: number): string {
  return new Date(second * 1_000).toISOString().replace('.000Z', 'Z');
}

/** @throws RangeError for a fraction of a second: whoever asks must not be given another second than was meant */
export function wholeSecond(at: Date): number {
  const ms = at.getTime();
  if (!Number.isSafeInteger(ms) || ms % 1_000 !== 0) throw new RangeError('a whole second is needed');
  return ms / 1_000;
}

/**
 * An acknowledged write is in the file by then, in milliseconds: while an fsync is under way Redis puts writing off for so
 * long at most (aof.c, flushAppendOnlyFile; `appendfsync everysec`).
 */
const WRITTEN_WITHIN_MS = 2_000;

/** The last second of which a file that is read from `now` on must hold all that was acknowledged. */
export function writtenBy(now: Date): number {
  return Math.floor((now.getTime() - WRITTEN_WITHIN_MS) / 1_000) - 1;
}
