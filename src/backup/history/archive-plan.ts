/** What the archive still lacks of a vault's recording, in the order in which it is copied. Pure. */
import { type ArchiveIndex, endOf, type Stretch } from './archive-index.js';
import type { VaultBase, VaultRecording, VaultWrites } from './vault-recording.js';

export type Step =
  | { readonly kind: 'base'; readonly base: VaultBase }
  | { readonly kind: 'writes'; readonly writes: VaultWrites; readonly from: number };

export interface ArchivePlan {
  /** False: it begins a new stretch, because what lies between is gone, or the vault's file is another one now. */
  readonly goesOn: boolean;
  readonly steps: readonly Step[];
}

/** Where the vault's recording may go on from what is archived; whether it does, the bytes before it must tell. */
export interface Joint {
  readonly writes: VaultWrites;
  /** The archive ends with this byte of it. */
  readonly end: number;
  /** SHA-256 of the last bytes before it; undefined: there are none. */
  readonly tail: string | undefined;
}

/** Undefined: it cannot go on. */
export function jointOf(stretch: Stretch | undefined, vault: VaultRecording): Joint | undefined {
  const last = stretch?.writes.at(-1);
  const writes = vault.writes.find(({ name }) => name === last?.name);
  if (last === undefined || writes === undefined || writes.bytes < endOf(last)) return undefined;
  return { writes, end: endOf(last), tail: last.ranges.at(-1)?.tail };
}

/**
 * @param joint undefined: nothing goes on
 * @param bytesMax of a new stretch: no more is copied than may be kept, but the newest base and its writes always
 */
export function planArchive(
  index: ArchiveIndex | undefined,
  vault: VaultRecording,
  joint: Joint | undefined,
  bytesMax: number,
): ArchivePlan {
  const stretch = index?.stretches.at(-1);
  const newest = stretch?.bases.at(-1);
  if (stretch !== undefined && joint !== undefined) {
    const bases = vault.bases.filter(({ next }) => newest === undefined || next > newest.next);
    const writes = vault.writes.filter(({ seq }) => seq >= joint.writes.seq);
    return { goesOn: true, steps: inOrder(bases, writes, joint) };
  }
  // What was pruned from the archive is not put there again.
  const candidates = vault.bases.filter(({ next }) => newest === undefined || next >= newest.next);
  const first = oldestThatFits(candidates, vault.writes, bytesMax);
  if (first === undefined) return { goesOn: false, steps: [] };
  const bases = candidates.slice(candidates.indexOf(first));
  return {
    goesOn: false,
    steps: inOrder(
      bases,
      vault.writes.filter(({ seq }) => seq >= first.next),
      undefined,
    ),
  };
}

/** Each base before the first writes that are not in it. */
function inOrder(
  bases: readonly VaultBase[],
  writes: readonly VaultWrites[],
  joint: Joint | undefined,
): readonly Step[] {
  const steps: Step[] = [];
  let left = bases;
  for (const each of writes) {
    for (const base of left.filter(({ next }) => next <= each.seq)) steps.push({ kind: 'base', base });
    left = left.filter(({ next }) => next > each.seq);
    steps.push({ kind: 'writes', writes: each, from: each === joint?.writes ? joint.end : 0 });
  }
  return [...steps, ...left.map((base) => ({ kind: 'base' as const, base }))];
}

function oldestThatFits(
  bases: readonly VaultBase[],
  writes: readonly VaultWrites[],
  bytesMax: number,
): VaultBase | undefined {
  let fits: VaultBase | undefined;
  for (const base of bases.toReversed()) {
    const bytes =
      bases.filter(({ next }) => next >= base.next).reduce((sum, each) => sum + each.bytes, 0) +
      writes.filter(({ seq }) => seq >= base.next).reduce((sum, each) => sum + each.bytes, 0);
    if (fits !== undefined && bytes > bytesMax) break;
    fits = base;
  }
  return fits;
}
