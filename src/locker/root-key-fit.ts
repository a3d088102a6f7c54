/**
 * Whether a root key is the one that Locker was made with, told without asking Locker: the `users.acl` that its server was
 * started from holds the SHA-256 of passwords that are derived from the root key.
 */
import { Nexus3Error } from '../errors.js';
import { CREDENTIAL_NAMES, parseAclUser, passwordHash } from '../protocol/users.js';
import { deriveOwnCredentials } from './derive.js';
import { FIRST_GENERATION, type RootKey } from './root-key.js';

/** So many generations above the key's own are tried: a copy of the key may be older than the last rotation of Locker’s passwords. */
const NEWER_GENERATIONS_MAX = 64;
/** So many from the first one on. */
const GENERATIONS_MAX = 1_000;

/** Undefined: these users say nothing of any password. */
export function fits(rootKey: RootKey, usersAcl: string | undefined): boolean | undefined {
  const found = fitOf(rootKey, usersAcl);
  return found === 'unknown' ? undefined : found !== 'other-key';
}

/** `other-generation`: the right key, in a copy from before Locker's own passwords were rotated, or after. */
export type Fit = 'fits' | 'other-generation' | 'other-key' | 'unknown';

export function fitOf(rootKey: RootKey, usersAcl: string | undefined): Fit {
  const hashes = new Set((usersAcl ?? '').split('\n').flatMap((line) => parseAclUser(line)?.passwordHashes ?? []));
  if (hashes.size === 0) return 'unknown';
  const isOf = (generation: number): boolean => {
    const own = deriveOwnCredentials(rootKey, generation);
    return CREDENTIAL_NAMES.some((name) => hashes.has(passwordHash(own[name])));
  };
  const { generation, alsoAccepted } = rootKey;
  if (isOf(generation) || (alsoAccepted !== undefined && isOf(alsoAccepted))) return 'fits';
  const last = Math.min(generation + NEWER_GENERATIONS_MAX, GENERATIONS_MAX);
  for (let other = FIRST_GENERATION; other <= last; other += 1) if (isOf(other)) return 'other-generation';
  return 'other-key';
}

export function wrongRootKey(path: string): Nexus3Error {
  return new Nexus3Error('ROOT_KEY_WRONG', `The root key at ${path} is not the one that Locker was made with.`, {
    evidence: [`${path}: none of Locker’s users.acl was derived from it`],
    hint:
      'Put the right root key there, or say where it is with $NEXUS3_ROOT_KEY_FILE. From a recovery kit: ' +
      '`nexus3 locker import FILE`. If both are lost: `nexus3 locker reset`.',
  });
}
