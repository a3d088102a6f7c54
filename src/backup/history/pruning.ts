/** What history goes when there is more of it than may be kept: the oldest first, an era at a time. Pure. */
import { type ArchiveIndex, partsOf, type Stretch } from './archive-index.js';

/**
 * Each that is to be less its oldest eras, and what it is then. Never the newest base of the newest vault, and what follows it;
 * and never anything from between.
 */
export function prunedIndexes(
  indexes: readonly ArchiveIndex[],
  bytesMax: number,
): ReadonlyMap<ArchiveIndex, ArchiveIndex> {
  const kept = new Map<ArchiveIndex, ArchiveIndex>();
  const oldestFirst = indexes.toSorted((a, b) => a.since - b.since || Number(b.closed) - Number(a.closed));
  let bytes = sum(indexes);
  for (const index of oldestFirst) {
    let left = index;
    while (bytes > bytesMax) {
      const shorter = withoutOldestEra(left, index === oldestFirst.at(-1));
      if (shorter === undefined) break;
      bytes -= sum([left]) - sum([shorter]);
      left = shorter;
    }
    if (left !== index) kept.set(index, left);
  }
  return kept;
}

/** Undefined: nothing of it may go. */
function withoutOldestEra(index: ArchiveIndex, isNewest: boolean): ArchiveIndex | undefined {
  const [oldest, ...younger] = index.stretches;
  if (oldest === undefined) return undefined;
  const shorter = withoutOldestBase(oldest);
  if (shorter !== undefined) return { ...index, stretches: [shorter, ...younger] };
  return isNewest && younger.length === 0 ? undefined : { ...index, stretches: younger };
}

function withoutOldestBase({ bases, writes, ...stretch }: Stretch): Stretch | undefined {
  const [, second, ...others] = bases;
  if (second === undefined) return undefined;
  return { ...stretch, bases: [second, ...others], writes: writes.filter(({ seq }) => seq >= second.next) };
}

function sum(indexes: readonly ArchiveIndex[]): number {
  return indexes
    .flatMap(({ stretches }) => stretches.flatMap(partsOf))
    .reduce((all, part) => all + part.storedBytes, 0);
}

/** A file of a vault's history, which the vault itself is not started from. */
export interface HistoryFile {
  readonly file: string;
  readonly bytes: number;
}

/**
 * Which files of a vault's history go.
 * @param eras oldest first; the first may be the remains of eras whose base is gone
 */
export function prunedFiles(eras: readonly (readonly HistoryFile[])[], bytesMax: number): readonly HistoryFile[] {
  const bytesOf = (era: readonly HistoryFile[]): number => era.reduce((all, { bytes }) => all + bytes, 0);
  let bytes = eras.reduce((all, era) => all + bytesOf(era), 0);
  const gone: HistoryFile[] = [];
  for (const era of eras) {
    if (bytes <= bytesMax) break;
    gone.push(...era);
    bytes -= bytesOf(era);
  }
  return gone;
}
