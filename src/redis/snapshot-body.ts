/**
 * The bytes of a snapshot out of what follows the announcement: `$EOF:MARK` is ended by that mark of 40 random
 * characters, which nobody knows before; `$LENGTH` by its length. Whatever ends otherwise is not a whole snapshot.
 */
import type { ByteSource } from './byte-source.js';
import { SourceFailure } from './byte-source.js';

/** In milliseconds, each. */
export interface SnapshotLimits {
  /** Connecting, and each answer before the snapshot is asked for. */
  readonly answerMs: number;
  /**
   * Until the vault begins: it sends newlines meanwhile, because another of its children (a rewrite of its append-only
   * file) has to end before it can fork again.
   */
  readonly beginMs: number;
  /** Without a byte; as long as a replica waits (Redis' repl-timeout). */
  readonly idleMs: number;
  /** Until the vault closes behind the mark; one that does not has sent all the same. */
  readonly closeMs: number;
  /** The whole snapshot. */
  readonly wholeMs: number;
}

export const SNAPSHOT_LIMITS: SnapshotLimits = {
  answerMs: 5_000,
  beginMs: 600_000,
  idleMs: 60_000,
  closeMs: 3_000,
  wholeMs: 6 * 3_600_000,
};

export const MARK_BYTES = 40;

/** How a snapshot will end, as the vault announces it. */
export type Announcement =
  { readonly end: 'mark'; readonly mark: Buffer } | { readonly end: 'length'; readonly bytes: number };

/** Undefined for a line that announces no snapshot. */
export function parseAnnouncement(line: string): Announcement | undefined {
  const mark = /^\$EOF:([\x21-\x7e]{40})$/.exec(line)?.[1];
  if (mark !== undefined) return { end: 'mark', mark: Buffer.from(mark, 'latin1') };
  const bytes = Number(/^\$([1-9]\d{0,14})$/.exec(line)?.[1] ?? Number.NaN);
  return Number.isNaN(bytes) ? undefined : { end: 'length', bytes };
}

/** @throws SourceFailure when less, or something else, comes */
export async function* readBody(
  source: ByteSource,
  announcement: Announcement,
  limits: SnapshotLimits,
): AsyncGenerator<Buffer, void> {
  if (announcement.end === 'mark') yield* untilMark(source, announcement.mark, limits);
  else yield* ofLength(source, announcement.bytes, limits);
}

/**
 * The last 40 bytes are held back until more comes: only what stands at the very end is the mark. Whole pieces are held,
 * so that nothing is copied.
 */
async function* untilMark(
  source: ByteSource,
  mark: Buffer,
  { idleMs, closeMs }: SnapshotLimits,
): AsyncGenerator<Buffer, void> {
  const held: Buffer[] = [];
  let heldBytes = 0;
  for (;;) {
    const isMarked = endsWith(held, mark);
    const chunk = isMarked ? await source.nextWithin(closeMs) : await source.next(idleMs);
    if (chunk === undefined || chunk === 'nothing') {
      if (!isMarked) throw new SourceFailure('the vault closed the connection before the end of the snapshot');
      const rest = Buffer.concat(held);
      if (rest.length > MARK_BYTES) yield rest.subarray(0, -MARK_BYTES);
      return;
    }
    held.push(chunk);
    heldBytes += chunk.length;
    for (let first = held[0]; first !== undefined && heldBytes - first.length >= MARK_BYTES; first = held[0]) {
      held.shift();
      heldBytes -= first.length;
      yield first;
    }
  }
}

function endsWith(pieces: readonly Buffer[], mark: Buffer): boolean {
  const last = pieces.at(-1);
  if (last === undefined) return false;
  const tail = last.length >= MARK_BYTES ? last : Buffer.concat(pieces);
  return tail.length >= MARK_BYTES && tail.subarray(-MARK_BYTES).equals(mark);
}

/** How a vault sends that saves to its disk first (repl-diskless-sync no). */
async function* ofLength(source: ByteSource, bytes: number, { idleMs }: SnapshotLimits): AsyncGenerator<Buffer, void> {
  for (let left = bytes; left > 0;) {
    const chunk = await source.next(idleMs);
    if (chunk === undefined) {
      throw new SourceFailure(`the vault closed the connection ${String(left)} bytes before the end of the snapshot`);
    }
    if (chunk.length > left) throw new SourceFailure('the vault sent more than the snapshot that it announced');
    left -= chunk.length;
    yield chunk;
  }
}
