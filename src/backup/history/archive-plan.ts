/** What the archive still lacks of a vault's recording, in the order in which it is copied. Pure. */
import type { ArchivedBase, ArchiveIndex } from './archive-index.js';
import type { Join, Joint } from './joint.js';
import type { VaultBase, VaultRecording, VaultWrites } from './vault-recording.js';

export type Step =
  | { readonly kind: 'base'; readonly base: VaultBase }
  | { readonly kind: 'writes'; readonly writes: VaultWrites; readonly from: number };

export interface ArchivePlan {
  /** False: it begins a new stretch, because what lies between is gone, or the vault's file is another one now. */
  readonly goesOn: boolean;
  readonly steps: readonly Step[];
}

/**
 * @param join what the vault's own files are to what is archived
 * @param bytesMax of a new stretch: no more is copied than may be kept, but the newest base and its writes always
 */
export function planArchive(
  index: ArchiveIndex | undefined,
  vault: VaultRecording,
  join: Join,
  bytesMax: number,
): ArchivePlan {
  const newest = index?.stretches.at(-1)?.bases.at(-1);
  if (join.kind === 'goes-on') {
    const bases = vault.bases.filter(({ next }) => newest === undefined || next > newest.next);
    const writes = vault.writes.filter(({ seq }) => seq >= join.joint.writes.seq);
    return { goesOn: true, steps: inOrder(bases, writes, join.joint) };
  }
  const first = oldestThatFits(candidatesFor(join, vault.bases, newest), vault.writes, bytesMax);
  if (first === undefined) return { goesOn: false, steps: [] };
  return {
    goesOn: false,
    steps: inOrder(
      vault.bases.slice(vault.bases.indexOf(first)),
      vault.writes.filter(({ seq }) => seq >= first.next),
      undefined,
    ),
  };
}

function candidatesFor(
  join: Exclude<Join, { kind: 'goes-on' }>,
  bases: readonly VaultBase[],
  newest: ArchivedBase | undefined,
): readonly VaultBase[] {
  // What was pruned from the archive is not put there again.
  if (join.kind === 'apart') return bases.filter(({ next }) => newest === undefined || next >= newest.next);
  // What an earlier copy counted on from says nothing of which came when: only what serves is copied.
  const { certainFrom } = join;
  if (certainFrom === undefined) return [];
  return bases.slice(
    Math.max(
      0,
      bases.findLastIndex(({ from }) => from <= certainFrom),
    ),
  );
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
