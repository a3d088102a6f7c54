/** The Locker port: how the rest of nexus3 gets and makes credentials. Types only; store.ts and its neighbours implement it. */
import type { CredentialName, Passwords } from '../protocol/users.js';

/** A replacement of credentials under way: both the old and the new ones are accepted until it is finished. */
export interface Rotation {
  readonly names: readonly CredentialName[];
  /** `prepared`: the new ones are stored, and the old ones are handed out. `promoted`: the other way round. */
  readonly phase: 'prepared' | 'promoted';
  /** ISO 8601. */
  readonly startedAt: string;
  /** ISO 8601: the old ones are accepted until then at least; null while `prepared`. */
  readonly graceUntil: string | null;
}

/** What Locker holds for one environment. */
export interface StoredCredentials {
  /** The passwords in use; a name that is absent is missing there. */
  readonly current: Passwords;
  /** Accepted besides: while `prepared` the new ones, while `promoted` the old ones. */
  readonly alsoAccepted: Passwords;
  /** Undefined: none is under way. */
  readonly rotation: Rotation | undefined;
  /** ISO 8601, of each password in use; absent where it is not known. */
  readonly madeAt: Readonly<Partial<Record<CredentialName, string>>>;
}

/** Of the recovery kit: never made, made for an earlier root key, made for this one. */
export type KitState = 'missing' | 'outdated' | 'current';

export interface Locker {
  /** As the latest `read` saw it; undefined before. */
  readonly kit?: KitState | undefined;
  /**
   * Everything stored for these environments, in one round trip. Those without any entry are absent from the map.
   * @throws Nexus3Error LOCKER_UNREACHABLE, LOCKER_VALUE_UNREADABLE, LOCKER_VALUE_TAMPERED
   */
  read(envs: readonly string[]): Promise<ReadonlyMap<string, StoredCredentials>>;
  /**
   * Generates those of `names` that are not stored yet (an existing one is never overwritten, also when two runs race),
   * each of at least 192 random bits, and returns only when they are durable (`WAITAOF 1 0`).
   */
  generate(env: string, names: readonly CredentialName[], at: Date): Promise<Passwords>;
  /** New passwords for these, stored beside those in use. One that is under way already is returned as it is. Durable. */
  prepareRotation(env: string, names: readonly CredentialName[], at: Date): Promise<Rotation>;
  /** The new ones are handed out from now on, the old ones accepted until `graceUntil`. Once promoted, nothing. Durable. */
  promoteRotation(env: string, at: Date, graceUntil: Date): Promise<Rotation>;
  /** Nothing but the passwords in use is accepted any more; the old ones are kept only to be restored. Durable. */
  finishRotation(env: string): Promise<void>;
  /** Forgets an environment. */
  remove(env: string): Promise<void>;
  close(): Promise<void>;
}

/** What is written into Locker's audit. Never a value. */
export interface AuditNote {
  readonly action: AuditAction;
  /** What it was done to: `l_e0dd/track.default`, `track`, `t_1a2b3c4d`. */
  readonly what: string;
  readonly outcome: 'ok' | 'denied' | 'failed';
  /** An error code, or one word more. */
  readonly detail?: string;
}

export const AUDIT_ACTIONS = [
  'get',
  'reveal',
  'set',
  'delete',
  'restore',
  'create-locker',
  'delete-locker',
  'rename-locker',
  'grant',
  'revoke',
  'rotate',
  'rekey',
  'export',
  'import',
  'reset',
  'login',
] as const;
export type AuditAction = (typeof AUDIT_ACTIONS)[number];
