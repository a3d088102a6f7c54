/**
 * What a vault's `appendonly.aof.manifest` says, put in the order in which it happened: one long log of writes in files,
 * and snapshots (bases), each of which stands between two files of the log. Pure.
 *
 * Redis (8.2, aof.c; measured) writes the present base first, then history, newest first, then the present log. In history
 * the files of an era stand before its base, and several of them in any order: a rewrite that failed or was killed has
 * left an era two or more. Files of the log are numbered as they were begun, so their numbers put them in order, and what
 * stands with a base says which is the first that the base does not hold.
 */
import type { ManifestEntry } from '../../protocol/guard.js';

export interface LoggedBase {
  readonly file: string;
  readonly seq: number;
  /** The first number of the log that is not in it: it and all that follow make the state of later. */
  readonly next: number;
  /** The first that this folder ever had: nothing was written before. */
  readonly isFirst: boolean;
}

export interface LoggedWrites {
  readonly file: string;
  readonly seq: number;
}

export interface AofLog {
  /** Oldest first. */
  readonly bases: readonly LoggedBase[];
  /** Oldest first. */
  readonly writes: readonly LoggedWrites[];
}

const BASE = /\.base\.(rdb|aof)$/;
const WRITES = /\.incr\.aof$/;

interface Era {
  base: ManifestEntry | undefined;
  readonly writes: ManifestEntry[];
}

/** Undefined where the manifest says nothing that can have happened. @param manifest in its own order */
export function aofLog(manifest: readonly ManifestEntry[]): AofLog | undefined {
  if (!manifest.every(({ file, type }) => (type === 'h' ? BASE.test(file) || WRITES.test(file) : true)))
    return undefined;
  const eras = [...historyEras(manifest), presentEra(manifest)];
  const writes = eras.flatMap((era) => era.writes).map(({ file, seq }) => ({ file, seq }));
  if (!isAscending(writes)) return undefined;
  const bases: LoggedBase[] = [];
  let next = (writes.at(-1)?.seq ?? 0) + 1;
  for (const era of eras.toReversed()) {
    next = era.writes[0]?.seq ?? next;
    if (era.base === undefined) continue;
    const { file, seq } = era.base;
    bases.push({ file, seq, next, isFirst: seq === 1 });
  }
  bases.reverse();
  return isAscending(bases) ? { bases, writes } : undefined;
}

function historyEras(manifest: readonly ManifestEntry[]): readonly Era[] {
  const eras: Era[] = [];
  for (const entry of manifest.filter(({ type }) => type === 'h').toReversed()) {
    const era = eras.at(-1);
    if (BASE.test(entry.file)) eras.push({ base: entry, writes: [] });
    else if (era === undefined) eras.push({ base: undefined, writes: [entry] });
    else era.writes.push(entry);
  }
  for (const { writes } of eras) writes.sort((a, b) => a.seq - b.seq);
  return eras;
}

function presentEra(manifest: readonly ManifestEntry[]): Era {
  return {
    base: manifest.find(({ type }) => type === 'b'),
    writes: manifest.filter(({ type }) => type === 'i').toSorted((a, b) => a.seq - b.seq),
  };
}

function isAscending(files: readonly { readonly seq: number }[]): boolean {
  return files.every(({ seq }, index) => index === 0 || seq > (files[index - 1]?.seq ?? 0));
}

/**
 * What of it is of use when these files are there: the log from its last gap on, and the bases that it goes on from.
 * Without any base, it is of no use.
 */
export function usable(log: AofLog, isThere: (file: string) => boolean): AofLog {
  const gap = log.writes.findLastIndex(({ file }) => !isThere(file));
  const lost = log.writes[gap]?.seq ?? 0;
  const bases = log.bases.filter(({ file, next }) => next > lost && isThere(file));
  const from = bases[0]?.next;
  return { bases, writes: from === undefined ? [] : log.writes.filter(({ seq }) => seq >= from) };
}
