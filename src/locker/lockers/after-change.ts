/** What must hold of a hash after a change, asked before it is made. */
import { Nexus3Error } from '../../errors.js';
import type { Secret } from '../../protocol/secret.js';
import type { SealedHash } from '../sealed-hash.js';
import { namesIn } from './key-states.js';
import { KEYS_MAX } from './words.js';

type Given = ReadonlyMap<string, Secret | undefined>;

/** @throws Nexus3Error LOCKER_FULL */
export function refuseFull(id: string, hash: SealedHash, given: Given): void {
  const before = namesIn(hash);
  const names = new Set([...before, ...[...given].filter(([, value]) => value !== undefined).map(([name]) => name)]);
  if (names.size <= KEYS_MAX) return;
  throw new Nexus3Error('LOCKER_FULL', `${id} would hold more than ${String(KEYS_MAX)} keys; nothing was changed.`, {
    evidence: [
      `it has ${String(before.length)}, deleted ones that can be restored among them, and would have ${String(names.size)}`,
    ],
    hint: `Make another locker (nexus3 locker create NAME), or forget a key: nexus3 locker delete ${id} KEY --for-good`,
  });
}

/**
 * Each user has a password of its own: the replicator's lies in plain text in the operational's configuration, and the
 * operational's administrator must open nothing on the vault.
 * @throws Nexus3Error LOCKER_REFUSED
 */
export function refuseSamePasswords(env: string, hash: SealedHash, given: Given): void {
  const names = [...new Set([...hash.names('value'), ...given.keys()])];
  const byValue = new Map<string, string>();
  for (const name of names) {
    const value = (given.get(name) ?? hash.open('value', name))?.reveal();
    if (value === undefined) continue;
    const other = byValue.get(value);
    if (other !== undefined) throw samePassword(env, other, name);
    byValue.set(value, name);
  }
}

function samePassword(env: string, one: string, other: string): Nexus3Error {
  return new Nexus3Error('LOCKER_REFUSED', `Two users of ${env} would have the same password; nothing was changed.`, {
    evidence: [`${env}.${one} and ${env}.${other} would be the same, and each user has a password of its own`],
    hint: 'Import the one that applications use as default; nexus3 makes the others.',
  });
}
