/**
 * The Custody port: the root key changed, kept safe in a recovery kit, and made anew. Types only. Each method can be cut
 * off at any instant and called again.
 */
import type { Nexus3Error } from '../errors.js';
import type { Secret } from '../protocol/secret.js';
import type { Credentials } from '../protocol/users.js';

/** `prepared`: the next key is there, the old one is the key. `committed`: the other way round. */
export type RekeyPhase = 'none' | 'prepared' | 'committed';

export interface RekeySteps {
  /** @throws ROOT_KEY_… */
  state(): Promise<{ readonly phase: RekeyPhase; /** of Locker's own passwords */ readonly rotating: boolean }>;
  /** Writes the next key beside the key. */
  prepare(): Promise<void>;
  /**
   * Every hash in Locker opens with the next key too, and its values were opened with that alone, as whoever has only the
   * next key would.
   * @returns how many hashes
   */
  openToNext(): Promise<number>;
  /** From now on the next key is the key. */
  commit(): Promise<void>;
  /** Nothing in Locker opens with the old key any more. @returns how many hashes there are */
  closeToOld(): Promise<number>;
  /** Of the old key; undefined when there is none left. */
  oldCredentials(): Promise<Credentials | undefined>;
  /** @throws NOT_PROVEN where Locker still takes the applications' password of the old key */
  proveOldRefused(): Promise<void>;
  /** The old key's file is removed. */
  finish(): Promise<void>;
}

/** What a kit says of where it was made. */
export interface KitOrigin {
  readonly createdAt: string;
  readonly host: string;
  readonly nexus3: string;
}

/** What a kit holds, in numbers. */
export interface KitContent {
  readonly environments: number;
  readonly hashes: number;
  readonly values: number;
}

export interface Restored {
  /** `l_e0dd/track.default`: was missing, and is there now. */
  readonly added: readonly string[];
  /** Locker and the kit differ: Locker's stayed. */
  readonly kept: readonly string[];
  /** Locker and the kit differed: now it is the kit's. */
  readonly replaced: readonly string[];
  /** `l_e0dd/track previous:default`: did not open, and the kit has nothing for it. */
  readonly dropped: readonly string[];
}

export interface RestoreOptions {
  /** Where Locker and the kit differ, the kit's: but for nexus3's own way into the servers, and for tokens. */
  readonly overwrite: boolean;
  /** The environments whose rotations can be finished. */
  readonly configured: ReadonlySet<string>;
}

export interface KeyInstallation {
  /** What Locker's server is started from; undefined: not to be had. */
  readonly usersAcl: string | undefined;
  /** Of Locker: its audit goes on. */
  readonly hasData: boolean;
  readonly stamp: string;
}

/** Opened with its passphrase. */
export interface RecoveryKit {
  readonly origin: KitOrigin;
  readonly content: KitContent;
  /** Of its root key against the one of this host; `unusable`: there is a file, but no key in it. */
  compareRootKey(): Promise<'same' | 'other' | 'missing' | 'unusable'>;
  /** Whether a Locker with these users (users.acl) was made with its root key, of whatever generation. */
  opensUsers(usersAcl: string): boolean;
  /** Puts its root key in place; what was there is kept beside it. @returns where that is now */
  installRootKey(installation: KeyInstallation): Promise<string | null>;
  /** Takes the installed key away again, because it does not open what Locker holds. */
  withdrawRootKey(): Promise<void>;
  /**
   * Writes what it holds into Locker: what is missing there, and with `overwrite` also what differs. Durable.
   * @throws LOCKER_ROTATING
   */
  restore(options: RestoreOptions): Promise<Restored>;
}

export interface KitSteps {
  /** Everything in Locker and the root key, sealed. @throws KIT_TOO_LARGE, LOCKER_VALUE_… */
  seal(passphrase: Secret, origin: KitOrigin): Promise<{ readonly text: string; readonly content: KitContent }>;
  /** Writes into Locker that there is a kit for this root key. Durable. */
  note(createdAt: string): Promise<void>;
  /** @throws KIT_PASSPHRASE_WRONG, KIT_DAMAGED, KIT_FOREIGN, KIT_INVALID */
  open(file: Buffer, passphrase: Secret): Promise<RecoveryKit>;
}

export interface RootKeyFile {
  readonly path: string;
  /** `unusable`: there is a file, but no key in it. @throws ROOT_KEY_UNSAFE */
  state(): Promise<'missing' | 'unusable' | 'there'>;
  /** Where `moveAside` puts it. */
  asidePath(stamp: string): string;
  /**
   * Renames what belongs to it, with what is remembered of the audit, and, with `keyToo`, itself; what was moved already
   * stays there.
   */
  moveAside(stamp: string, keyToo: boolean): Promise<void>;
}

export interface Custody {
  readonly rekey: RekeySteps;
  readonly kit: KitSteps;
  readonly rootKeyFile: RootKeyFile;
  /** The first value that does not open; undefined: everything that a kit would hold does. @throws LOCKER_UNREACHABLE */
  whatIsShut(): Promise<Nexus3Error | undefined>;
  /** The same as its administrator, who alone is let in while what Locker holds is not proven yet. */
  whatIsShutBehindFence(): Promise<Nexus3Error | undefined>;
}
