/**
 * What is kept of one vault's writes in one place, whether its own folder or the archive: an unbroken log, the bases that
 * stand between its files, and which seconds that covers. And which of its files make one second. Pure, but for reading.
 */
export interface RecordedBase {
  /** For a person: `appendonly.aof.3.base.rdb` */
  readonly name: string;
  readonly bytes: number;
  /** The first file of the log that is not in it. */
  readonly next: number;
  /** The first second whose state can be made from it: all that it holds is dated so or earlier. */
  readonly from: number;
  /** Opened when it is called, so that what is removed afterwards can still be read. */
  open(): Promise<RecordedFile>;
}

export interface RecordedWrites {
  readonly name: string;
  readonly seq: number;
  readonly bytes: number;
  /** The first `#TS:`, as far as is known without reading it all: nothing in it is earlier. */
  readonly first: number | undefined;
  open(): Promise<RecordedFile>;
}

export interface RecordedFile extends AsyncDisposable {
  readonly chunks: AsyncIterable<Buffer>;
}

export interface Recording {
  readonly source: 'vault' | 'archive';
  /** Seconds since 1970, as all times here: when this vault began to serve. Of two that reach a second, the later one did then. */
  readonly since: number;
  /** Of the same vault, the one that was begun later is right. */
  readonly order: number;
  /** Everything dated so or earlier is in it. */
  readonly coveredTo: number;
  /**
   * Where the vault was put back to an earlier copy of itself: the first second that is certainly told as it was. What was
   * written between that copy and then only an earlier recording knows.
   */
  readonly certainFrom?: number | undefined;
  /** Oldest first, none empty of use. */
  readonly bases: readonly RecordedBase[];
  /** Oldest first, without a gap. */
  readonly writes: readonly RecordedWrites[];
}

export interface Span {
  readonly from: number;
  readonly to: number;
}

/** Undefined: not one second. */
export function spanOf({ bases, coveredTo, certainFrom = 0 }: Recording): Span | undefined {
  const [first] = bases;
  if (first === undefined) return undefined;
  const from = Math.max(first.from, certainFrom);
  return from > coveredTo ? undefined : { from, to: coveredTo };
}

export interface Selection {
  readonly base: RecordedBase;
  /** What is dated later is cut off the last of them that has any. */
  readonly writes: readonly RecordedWrites[];
}

/** The files that make the state at that second; undefined: it began later. */
export function select({ bases, writes }: Recording, at: number): Selection | undefined {
  const base = bases.findLast(({ from }) => from <= at);
  if (base === undefined) return undefined;
  const after = writes.filter(({ seq }) => seq >= base.next);
  const later = after.findIndex(({ first }) => first !== undefined && first > at);
  return { base, writes: later === -1 ? after : after.slice(0, later) };
}

export interface OwnedSpan extends Span {
  readonly recording: Recording;
}

/** The recording that serves first for whatever second several of them reach. */
function before(a: Recording, b: Recording): number {
  if (a.since !== b.since) return b.since - a.since;
  if (a.source !== b.source) return a.source === 'vault' ? -1 : 1;
  return b.order - a.order;
}

/** Oldest first; none overlaps another. */
export function ownedSpans(recordings: readonly Recording[]): readonly OwnedSpan[] {
  let owned: readonly OwnedSpan[] = [];
  for (const recording of recordings.toSorted(before)) {
    const span = spanOf(recording);
    if (span === undefined) continue;
    owned = [...owned, ...less(span, owned).map((part) => ({ ...part, recording }))].sort((a, b) => a.from - b.from);
  }
  return owned;
}

/** @param taken oldest first, none overlaps another */
function less(span: Span, taken: readonly Span[]): readonly Span[] {
  const left: Span[] = [];
  let { from } = span;
  for (const other of taken) {
    if (other.to < from || other.from > span.to) continue;
    if (other.from > from) left.push({ from, to: other.from - 1 });
    from = other.to + 1;
  }
  if (from <= span.to) left.push({ from, to: span.to });
  return left;
}
