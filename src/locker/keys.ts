/**
 * What lies where in Locker's Redis. Key names are contracts.
 *
 *     nexus3:locker:ids                   hash: locker id → its name; the empty name for an id that was given up
 *     nexus3:locker:{id}:meta             hash, plain: id, name, description, notes, created, format
 *     nexus3:locker:{id}:values           hash, sealed: the values of that locker (see sealed-hash.ts)
 *     nexus3:locker:l_e0dd:env:{env}      hash, sealed: one environment's credentials
 *     nexus3:locker:tokens                hash, sealed: what each token may open, by token id
 *     nexus3:locker:audit                 stream: the audit, each entry bound to the one before
 *     nexus3:locker:audit:key             hash, sealed: what binds them
 *     nexus3:locker:audit:head            hash: where the audit ends, and where it begins
 *     nexus3:locker:audit:denied          hash: how much of the server's ACL LOG the audit holds
 *     nexus3:locker:audit:before          stream: a damaged audit that was set aside for a new one
 *     nexus3:locker:audit:inbox:{token}   stream: what a token's holder said it did, not yet in the audit
 *     nexus3:locker:kit                   hash, plain: when the last recovery kit was made, and for which root key
 */
import { LOCKER_KEY } from '../protocol/users.js';
import type { HashPlace } from './envelope.js';
import { ENVIRONMENTS_ID } from './lockers.js';

/** The environments' passwords, as the protocol names them. */
export const ENVIRONMENTS_LOCKER = { id: ENVIRONMENTS_ID, name: 'environments' } as const;
/** `l_` and 4 hex digits. */
export const LOCKER_ID = /^l_[0-9a-f]{4}$/;

export const KEY = {
  all: 'nexus3:locker:*',
  ids: 'nexus3:locker:ids',
  meta: (id: string): string => `nexus3:locker:${id}:meta`,
  values: (id: string): string => `nexus3:locker:${id}:values`,
  environment: LOCKER_KEY.environment,
  tokens: 'nexus3:locker:tokens',
  audit: 'nexus3:locker:audit',
  auditKey: 'nexus3:locker:audit:key',
  auditHead: 'nexus3:locker:audit:head',
  auditDenied: 'nexus3:locker:audit:denied',
  auditBefore: 'nexus3:locker:audit:before',
  inbox: LOCKER_KEY.inbox,
  kit: 'nexus3:locker:kit',
} as const;

/** Of the hash `KEY.kit`. */
export const KIT_FIELD = { madeAt: 'made-at', rootKey: 'root-key' } as const;

/** What a sealed hash belongs to, by its key; undefined for a key that holds no data key. */
export function placeOfKey(key: string): HashPlace | undefined {
  if (key === KEY.tokens) return { lockerId: 'tokens', env: '' };
  if (key === KEY.auditKey) return { lockerId: 'audit', env: '' };
  const [, id, kind, env] = /^nexus3:locker:(l_[0-9a-f]{4}):(values$|env:)(.*)$/.exec(key) ?? [];
  if (id === undefined) return undefined;
  return { lockerId: id, env: kind === 'env:' ? (env ?? '') : '' };
}
