/** The Locker port: how the rest of nexus3 gets and makes credentials. Types only; store.ts and its neighbours implement it. */
import type { Nexus3Error } from '../errors.js';
import type { EnvironmentKind } from '../protocol/environment.js';
import type { Address } from '../protocol/redis-conf.js';
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

/** The same three steps for Locker's own passwords, which come from the root key. */
export type OwnRotationStep =
  | { readonly kind: 'prepare'; readonly at: Date }
  | { readonly kind: 'promote'; readonly graceUntil: Date }
  | { readonly kind: 'finish' };

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
   * The same, where what cannot be opened of one environment keeps nobody from the others: for it, the error.
   * @throws Nexus3Error LOCKER_UNREACHABLE
   */
  readEach(envs: readonly string[]): Promise<ReadonlyMap<string, StoredCredentials | Nexus3Error>>;
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
  'edit-locker',
  'grant',
  'revoke',
  'rotate',
  'rekey',
  'export',
  'import',
  'reset',
  'backup',
  'restore-environment',
  'login',
  'audit',
] as const;
export type AuditAction = (typeof AUDIT_ACTIONS)[number];

/** A token as Locker knows it; never its secret. */
export interface TokenGrant {
  /** `t_1a2b3c4d` */
  readonly id: string;
  readonly env: string;
  /** What its holder may read. */
  readonly names: readonly CredentialName[];
  /** A person's own words; may be empty. */
  readonly label: string;
  /** Absolute path of the file that it was written to. */
  readonly file: string;
  /** ISO 8601. */
  readonly createdAt: string;
  /** Of its user's password, as ACL files hold it. */
  readonly passwordHash: string;
  /** Taken back, but not yet through to the end. */
  readonly revoked: boolean;
}

export interface TokenRequest extends Pick<TokenGrant, 'env' | 'names' | 'label' | 'file'> {
  readonly kind: EnvironmentKind;
  /** As the holder will reach them. */
  readonly locker: Address;
  readonly vault: Address;
  readonly at: Date;
}

/** One that Locker knows; its user is not in force yet, and its file not written. */
export interface NewToken {
  readonly grant: TokenGrant;
  /** @throws Nexus3Error DISK_FULL, FILE_NOT_WRITABLE */
  writeFile(): Promise<void>;
  /** Reads with the file what its holder may read. @throws what the holder would be told */
  prove(): Promise<void>;
}

/** Tokens in Locker. Whether their users are in force is not known here. Every change is durable when it resolves. */
export interface Tokens {
  /** Where a token is written unless somebody says otherwise. */
  defaultFile(env: string): string;
  list(): Promise<readonly TokenGrant[]>;
  /** @throws Nexus3Error LOCKER_CREDENTIAL_MISSING */
  create(request: TokenRequest): Promise<NewToken>;
  /** From now on they count as taken back, whatever happens to this process. */
  markRevoked(ids: readonly string[]): Promise<void>;
  /** Their value keys go, and everything of the environment is sealed anew, so that what a holder kept opens nothing stored later. */
  shutOut(env: string, ids: readonly string[]): Promise<void>;
  forget(ids: readonly string[]): Promise<void>;
  /** False: the file is not there, or not that token. */
  removeFile(grant: TokenGrant): Promise<boolean>;
  /** @throws Nexus3Error TOKEN_INVALID for a file that is there and is no token: it is not written over */
  refuseOtherFile(path: string): Promise<void>;
}
