/**
 * One key of a locker as its hash holds it, and the commands that change it. `made-before:{name}` says when the value
 * before the last was made, and of which version it says so: what another part of nexus3 moved there is not known.
 */
import type { Secret } from '../../protocol/secret.js';
import { versionOf } from '../envelope.js';
import type { KeyView } from '../lockers.js';
import { FIELD, type SealedHash } from '../sealed-hash.js';

type Commands = readonly (readonly string[])[];

const madeBefore = (name: string): string => `made-before:${name}`;

/** Of the text in a slot; 0: there is none. */
function versionIn(hash: SealedHash, slot: 'value' | 'previous', name: string): number {
  return versionOf(hash.fields.get(FIELD.in(slot, name)) ?? '') ?? 0;
}

export function isThere(hash: SealedHash, slot: 'value' | 'previous', name: string): boolean {
  return hash.fields.has(FIELD.in(slot, name));
}

/** Names with a value, or with one to be restored. */
export function namesIn(hash: SealedHash): readonly string[] {
  return [...new Set([...hash.names('value'), ...hash.names('previous')])].sort();
}

export function viewOf(hash: SealedHash, name: string, shownAs: string, rotating = false): KeyView {
  const there = isThere(hash, 'value', name);
  return {
    name: shownAs,
    version: there ? versionIn(hash, 'value', name) : null,
    madeAt: there ? (hash.madeAt(name) ?? null) : null,
    hasPrevious: isThere(hash, 'previous', name),
    rotating,
  };
}

/** Undefined: that is the value already. */
export function commandsToSet(
  hash: SealedHash,
  key: string,
  name: string,
  value: Secret,
  at: Date,
): Commands | undefined {
  const current = hash.open('value', name);
  if (current?.reveal() === value.reveal()) return undefined;
  const sealed = hash.sealNew('value', name, value);
  const kept = keepAsPrevious(hash, name);
  return [
    ['HSET', key, ...kept.set, ...sealed, FIELD.made(name), at.toISOString()],
    ...(kept.drop.length === 0 ? [] : [['HDEL', key, ...kept.drop]]),
  ];
}

/** The two change places. Where only the one before is left, it is the value again. */
export function commandsToRestore(hash: SealedHash, key: string, name: string): Commands {
  const back = hash.moved('previous', 'value', name);
  const kept = keepAsPrevious(hash, name);
  const made = madeOfPrevious(hash, name);
  const drop = [
    ...kept.drop,
    ...(made === undefined ? [FIELD.made(name)] : []),
    ...(isThere(hash, 'value', name) ? [] : [FIELD.in('previous', name), madeBefore(name)]),
  ];
  const set = [...back, ...kept.set, ...(made === undefined ? [] : [FIELD.made(name), made])];
  return [['HSET', key, ...set], ...(drop.length === 0 ? [] : [['HDEL', key, ...drop]])];
}

export function commandsToDelete(hash: SealedHash, key: string, name: string): Commands {
  const kept = keepAsPrevious(hash, name);
  return [
    ['HSET', key, ...kept.set],
    ['HDEL', key, FIELD.in('value', name), FIELD.made(name), ...kept.drop],
  ];
}

export function commandsToForget(key: string, name: string): Commands {
  return [['HDEL', key, FIELD.in('value', name), FIELD.in('previous', name), FIELD.made(name), madeBefore(name)]];
}

function keepAsPrevious(
  hash: SealedHash,
  name: string,
): { readonly set: readonly string[]; readonly drop: readonly string[] } {
  if (!isThere(hash, 'value', name)) return { set: [], drop: [] };
  const set = hash.moved('value', 'previous', name);
  const made = hash.madeAt(name);
  if (made === undefined) return { set, drop: [madeBefore(name)] };
  return { set: [...set, madeBefore(name), `${String(versionIn(hash, 'value', name))} ${made}`], drop: [] };
}

function madeOfPrevious(hash: SealedHash, name: string): string | undefined {
  const [version, made] = hash.fields.get(madeBefore(name))?.split(' ') ?? [];
  return Number(version) === versionIn(hash, 'previous', name) ? made : undefined;
}
