/**
 * What a vault's own files are to what was archived of the same vault. They go on where the archive ends; or files between
 * are gone; or the vault was put back to an earlier copy of itself (a snapshot of its disk, a power cut) and has written
 * something else since. Then what is archived is what was written, and the vault does not know of it: neither a number nor
 * a length tells that apart, only the bytes do.
 */
import { AofScanner } from './aof-scanner.js';
import { endOf, type Stretch } from './archive-index.js';
import { Tail, TAIL_BYTES_MAX } from './part-file.js';
import type { VaultRecording, VaultWrites } from './vault-recording.js';

/** Where the vault's recording may go on from what is archived; whether it does, the bytes before it must tell. */
export interface Joint {
  readonly writes: VaultWrites;
  /** The archive ends with this byte of it. */
  readonly end: number;
}

export type Join =
  | { readonly kind: 'goes-on'; readonly joint: Joint }
  /** Nothing is archived, or the files between are gone: each tells of its own time. */
  | { readonly kind: 'apart' }
  /**
   * The vault was put back. `certainFrom`: the first second in which it has certainly been so; undefined: it has written
   * nothing since that could tell.
   */
  | { readonly kind: 'put-back'; readonly certainFrom: number | undefined };

/** @param stretch the newest that is archived @throws Unreadable where the vault has taken a file away meanwhile */
export async function joinOf(stretch: Stretch | undefined, vault: VaultRecording): Promise<Join> {
  const last = stretch?.writes.at(-1);
  if (stretch === undefined || last === undefined) return { kind: 'apart' };
  const writes = vault.writes.find(({ name }) => name === last.name);
  if (writes === undefined && (vault.writes.at(-1)?.seq ?? 0) > last.seq) return { kind: 'apart' };
  if (writes !== undefined && (await isSame(stretch, vault)))
    return { kind: 'goes-on', joint: { writes, end: endOf(last) } };
  return { kind: 'put-back', certainFrom: await certainFrom(vault, lastKnown(stretch)) };
}

/** The last range may be short, or there is none yet in a file just begun: so many bytes are compared, if there are. */
async function isSame(stretch: Stretch, vault: VaultRecording): Promise<boolean> {
  let compared = 0;
  for (const archived of stretch.writes.toReversed()) {
    const writes = vault.writes.find(({ name }) => name === archived.name);
    // The vault keeps less of its history than the archive does.
    if (writes === undefined) return true;
    if (writes.bytes < endOf(archived)) return false;
    for (const { begin, bytes, tail } of archived.ranges.toReversed()) {
      if (compared >= TAIL_BYTES_MAX) return true;
      if ((await tailOf(writes, begin, begin + bytes)) !== tail) return false;
      compared += bytes;
    }
  }
  return true;
}

async function tailOf(writes: VaultWrites, begin: number, end: number): Promise<string> {
  await using file = await writes.openFrom(Math.max(begin, end - TAIL_BYTES_MAX), end);
  const found = new Tail();
  for await (const _chunk of found.through(file.chunks));
  return found.sha256();
}

/** The last second that the archive knows anything of. */
function lastKnown({ coveredTo = 0, writes }: Stretch): number {
  const dated = writes.flatMap(({ first, ranges }) => [first, ...ranges.map(({ last }) => last)]);
  return dated.reduce<number>((latest, second) => Math.max(latest, second ?? 0), coveredTo);
}

/**
 * The vault was put back after all that the archive knows of was written. So whatever it has that is dated later was
 * written after that, and is a second that it did serve.
 */
async function certainFrom({ since, writes }: VaultRecording, known: number): Promise<number | undefined> {
  if (since > known) return since;
  const begin = writes.findLastIndex(({ first }) => first !== undefined && first <= known);
  for (const each of writes.slice(Math.max(0, begin))) {
    const second = await firstAfter(each, known);
    if (second !== undefined) return second;
  }
  return undefined;
}

async function firstAfter(writes: VaultWrites, known: number): Promise<number | undefined> {
  const before = new AofScanner(known);
  await using file = await writes.openFrom(0, writes.bytes);
  for await (const chunk of file.chunks) {
    before.push(chunk);
    if (before.done) break;
  }
  return before.result().later;
}
