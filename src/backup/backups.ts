/**
 * The Backups port: where backups lie, what each says of itself, the history of a vault's writes, and the place off this
 * machine. Types only; src/backup/ has the files, and compose.ts joins them. Every method can be cut off at any instant
 * and called again.
 */
import type { Retention } from '../config/configuration.js';
import type { ErrorCode, Nexus3Error } from '../errors.js';
import type { EngineVersion } from '../protocol/engine-record.js';
import type { EnvironmentKind } from '../protocol/environment.js';
import type { ContentCounts } from '../redis/observation.js';
import type { RuntimeName } from '../runtime/runtime.js';

export const MANIFEST_SCHEMA = 'nexus3.backup/1';

/** `20260108T120000Z-1a2b`: when its snapshot began, in UTC; so that names sort by age. */
export type BackupId = string;
export const BACKUP_ID = /^\d{8}T\d{6}Z-[0-9a-f]{4}$/;

/** A snapshot was loaded into a scratch server, and held what its manifest says. */
export interface Verification {
  /** ISO 8601. */
  readonly verifiedAt: string;
  /** From the start of the scratch server until it had loaded everything: the measured part of a recovery. */
  readonly loadMs: number;
  readonly runtime: RuntimeName;
  readonly engine: EngineVersion;
}

/** A verification found that a backup is not what it should be. */
export interface VerificationFailure {
  /** ISO 8601. */
  readonly at: string;
  readonly code: 'BACKUP_DAMAGED' | 'BACKUP_UNTRUE';
}

export interface SnapshotFile {
  /** `dump.rdb`, or `dump.rdb.age` where it is encrypted. */
  readonly file: 'dump.rdb' | 'dump.rdb.age';
  /** Of the file as it lies there. */
  readonly bytes: number;
  readonly sha256: string;
  /** Of the snapshot itself; the same as above where it is not encrypted. */
  readonly rdbBytes: number;
  readonly rdbSha256: string;
}

/** `manifest.json`: a contract (docs/backups.md). */
export interface Manifest {
  readonly schema: typeof MANIFEST_SCHEMA;
  readonly id: BackupId;
  readonly env: string;
  readonly kind: EnvironmentKind;
  /** When the snapshot began: it holds what the vault held then. ISO 8601. */
  readonly createdAt: string;
  /** From the request until the snapshot was durable. */
  readonly durationMs: number;
  /** Of nexus3. */
  readonly version: string;
  readonly engine: EngineVersion;
  /** The vault's replication stream at the instant of the snapshot. */
  readonly replication: { readonly id: string; readonly offset: number };
  readonly snapshot: SnapshotFile;
  /** What it holds, counted in a server that had loaded it. Null: it was never loaded. */
  readonly content: ContentCounts | null;
  /** Null: it was never verified, or the last verification failed. */
  readonly verification: Verification | null;
  /** Of the last verification, where it failed; one that succeeds later clears it. */
  readonly failure?: VerificationFailure;
}

/** What is known of a snapshot before it is written. */
export type NewBackup = Pick<Manifest, 'env' | 'kind' | 'version' | 'engine' | 'replication'> & {
  readonly createdAt: Date;
};

/** One that lies in the repository. */
export type ListedBackup =
  | {
      readonly id: BackupId;
      readonly env: string;
      readonly manifest: Manifest;
      /** Made under an earlier root key. It opens; but the values that Locker sealed with that key do not. */
      readonly ofEarlierKey?: boolean;
      readonly problem?: undefined;
    }
  /** Its manifest cannot be read or believed, or says that its verification failed. */
  | {
      readonly id: BackupId;
      readonly env: string;
      readonly manifest?: undefined;
      readonly problem: Nexus3Error;
      /** Its manifest can be believed, and says that its verification failed. */
      readonly failed?: Manifest;
    };

/**
 * What is asked at each look at an environment: read from as few manifests as that takes. Of Locker's, those made under an
 * earlier root key do not count: restored, nothing would open what they hold.
 */
export interface LatestBackups {
  /** The newest that can be believed; what is dated in the future never is. */
  readonly newest: Manifest | undefined;
  /** The newest of those that were verified. */
  readonly verified: Manifest | undefined;
  /** The newest of those that are newer than `verified` and failed their verification. */
  readonly failed: Manifest | undefined;
  /** Of those newer than `verified`, how many cannot be read or believed. */
  readonly damaged: number;
  /** How many are dated later than now: a clock was wrong. */
  readonly inFuture: number;
}

/** The owner that files are given; undefined: whoever runs nexus3. */
export interface FileOwner {
  readonly uid: number;
  readonly gid: number;
}

export type OnBytes = (bytes: number) => void;

/** A stretch of time, any second of which can be restored. */
export interface Window {
  /** ISO 8601, whole seconds, both ends included. */
  readonly from: string;
  readonly to: string;
  /** `vault`: from the vault's own folder; it grows as long as the vault runs. */
  readonly source: 'vault' | 'archive';
}

export interface ArchiveReport {
  readonly files: number;
  readonly bytes: number;
}

/** Which files make the state at one second. */
export interface HistoryPlan {
  /** Whole second, ISO 8601: everything that the vault dated so or earlier. */
  readonly at: string;
  readonly source: 'vault' | 'archive';
  /** For a person: `base 3 and 2 files of writes`. */
  readonly description: string;
  readonly bytes: number;
}

export interface History {
  /**
   * Copies from the vault's append-only file what the archive lacks. A file that grows is copied up to its last whole command.
   * @param dataDir the vault's
   * @throws Nexus3Error DISK_FULL, FILE_NOT_WRITABLE
   */
  archive(env: string, dataDir: string, onBytes?: OnBytes): Promise<ArchiveReport>;
  /** Oldest first; none overlaps another. @param dataDir undefined: the archive alone */
  windows(env: string, dataDir: string | undefined): Promise<readonly Window[]>;
  /** @throws Nexus3Error TIME_NOT_COVERED, saying what is covered */
  plan(env: string, dataDir: string | undefined, at: Date): Promise<HistoryPlan>;
  /**
   * Writes an `appendonlydir` that holds the state at that second: base, writes, manifest; all durable.
   * @param folder is made, and must not be there
   * @throws Nexus3Error TIME_NOT_COVERED, BACKUP_DAMAGED, DISK_FULL
   */
  extract(
    env: string,
    dataDir: string | undefined,
    at: Date,
    to: { readonly folder: string; readonly owner: FileOwner | undefined; readonly onBytes?: OnBytes },
  ): Promise<HistoryPlan>;
  /**
   * Removes the oldest history, in the vault's folder and in the archive, each down to the bound. What the vault is
   * started from is never touched.
   */
  prune(env: string, dataDir: string | undefined): Promise<{ readonly files: number; readonly bytes: number }>;
  /** The same in the vault's folder alone, which needs no repository. @throws Nexus3Error FILE_NOT_WRITABLE */
  pruneVault(dataDir: string): Promise<{ readonly files: number; readonly bytes: number }>;
  /** Bytes of history in the vault's folder: of what it is not started from. */
  bytesInVault(dataDir: string): Promise<number>;
}

/** The place off this machine, kept by restic. */
export interface Target {
  /** As in nexus3.yaml; never a password. */
  readonly repository: string;
  /**
   * Everything that lies in the repository here. It may take hours, so not under the repository's lock: whatever changes
   * meanwhile is seen, and taken too.
   * @param onNote told what is not as it should be there, and keeps nothing from being stored
   * @throws Nexus3Error RESTIC_NOT_FOUND, RESTIC_FAILED
   */
  push(
    onProgress?: (fraction: number) => void,
    onNote?: (note: string) => void,
  ): Promise<{ readonly snapshot: string; readonly bytesAdded: number }>;
  /**
   * What lies there, and is not here, or here cannot be used, or goes on there. Under the repository's lock.
   * @param envs empty: all
   * @param deep the backups here are read and hashed first; else their manifests and sizes are believed
   * @returns files that were put in their place; and what can be used neither here nor there, below the root
   * @throws Nexus3Error RESTIC_NOT_FOUND, RESTIC_FAILED, DISK_FULL, when all that can be had is here
   */
  pull(
    envs: readonly string[],
    onProgress?: (fraction: number) => void,
    deep?: boolean,
  ): Promise<{ readonly files: number; readonly damaged: readonly string[] }>;
}

export interface OwedPush {
  /** ISO 8601: since when something here is not there. */
  readonly since: string;
  /** Of the last push, where it failed; null: none has ended since. */
  readonly code: ErrorCode | null;
}

/** Whether the place off this machine lacks what was made here. For whoever holds the repository's lock, but for `owed`. */
export interface PushNote {
  /** Undefined: nothing is. @throws Nexus3Error FILE_NOT_WRITABLE where it cannot be read */
  owed(): Promise<OwedPush | undefined>;
  /** Before something is made that is to be pushed, and with the code of a push that failed. */
  owe(code: ErrorCode | null): Promise<void>;
  done(): Promise<void>;
}

/**
 * The keys of backups across a change of the root key: what the old one opened, the new one opens too. Each can be cut off
 * at any instant and called again; each does nothing where there is no repository yet.
 */
export interface BackupKeys {
  /** There is a repository. */
  there(): Promise<boolean>;
  /** Before anything is changed. @throws Nexus3Error FILE_NOT_WRITABLE, DISK_FULL, BACKUP_INVALID */
  proveWritable(): Promise<void>;
  /**
   * While the next root key lies beside the present one, or the previous one still does.
   * @returns how many earlier keys the newer one opens, proven with that one alone
   * @throws Nexus3Error FILE_NOT_WRITABLE, DISK_FULL, BACKUP_INVALID, NOT_PROVEN
   */
  carryOver(): Promise<number>;
  /** When the previous root key is about to be given up: it opens none of the earlier keys any more. */
  closeToOld(): Promise<void>;
}

/** In the repository, and dated later than now: a clock was wrong, or is now. */
export interface DatedLater {
  /** Absolute. */
  readonly folder: string;
  /** ISO 8601. */
  readonly at: string;
}

export type RetentionReason = 'last' | 'hourly' | 'daily' | 'weekly' | 'monthly' | 'last-verified';

export interface RetentionPlan {
  readonly keep: readonly { readonly backup: ListedBackup; readonly reasons: readonly RetentionReason[] }[];
  readonly remove: readonly ListedBackup[];
}

export interface Backups {
  /** Absolute. */
  readonly root: string;
  /** Who changes the root key holds the repository (`acquire`) as well. */
  readonly keys: BackupKeys;
  readonly history: History;
  /** Undefined: none in nexus3.yaml. */
  readonly target: Target | undefined;
  readonly pushes: PushNote;
  /**
   * Held by whatever changes the repository: `write`, `record`, `remove`. Whoever also takes the data root's lock takes that
   * one first. What killed runs have left is swept when it is taken.
   * @throws Nexus3Error LOCK_HELD, FILE_NOT_WRITABLE, DISK_FULL
   */
  acquire(command: string, onWait: (holder: string) => void): Promise<AsyncDisposable>;
  /**
   * Newest first; a half one never. Without the root key none can be believed: then ROOT_KEY_… is the problem of each.
   * Damage that only reading the snapshot shows is not looked for; a snapshot that is missing or of another size is.
   */
  list(env: string): Promise<readonly ListedBackup[]>;
  /** The newest ones alone. @throws Nexus3Error ROOT_KEY_…, FILE_NOT_WRITABLE */
  latest(env: string): Promise<LatestBackups>;
  /** Backups and histories that can be believed. @throws Nexus3Error ROOT_KEY_…, FILE_NOT_WRITABLE */
  datedLater(): Promise<readonly DatedLater[]>;
  /** Environments that have at least one, also such as nexus3.yaml does not know. */
  environments(): Promise<readonly string[]>;
  /**
   * @param id undefined: the newest that is not dated in the future, while there is one; where that one is bad, that is the error, and no older one is taken in its stead
   * @throws Nexus3Error BACKUP_NOT_FOUND, BACKUP_INVALID, BACKUP_DAMAGED, BACKUP_KEY_UNKNOWN, ROOT_KEY_…
   */
  read(env: string, id: BackupId | undefined): Promise<Manifest>;
  /**
   * Writes the snapshot as it flows, hashed and, where configured, encrypted. It is listed when this resolves, not before.
   * @throws Nexus3Error DISK_FULL, FILE_NOT_WRITABLE; and whatever the stream throws
   */
  write(backup: NewBackup, snapshot: AsyncIterable<Buffer>, onBytes?: OnBytes): Promise<Manifest>;
  /**
   * The snapshot as a plain RDB file, which is durable and proven to be the one that was written when this resolves.
   * @param to is made anew, 0600
   * @throws Nexus3Error BACKUP_DAMAGED, BACKUP_KEY_UNKNOWN, DISK_FULL
   */
  extract(manifest: Manifest, to: string, owner: FileOwner | undefined, onBytes?: OnBytes): Promise<void>;
  /** The manifest with what was counted and measured, written whole. A failure before is forgotten. */
  record(manifest: Manifest, found: Required<Pick<Manifest, 'content' | 'verification'>>): Promise<Manifest>;
  /** The manifest of one that was found damaged or untrue, written whole: it is verified no more. */
  recordFailure(manifest: Manifest, failure: VerificationFailure): Promise<Manifest>;
  /** One that is not there is removed already. */
  remove(env: string, id: BackupId): Promise<void>;
  /** What the retention of nexus3.yaml keeps, and why. Nothing is removed. @param keep in place of some of its numbers */
  retention(backups: readonly ListedBackup[], now: Date, keep?: Partial<Retention>): RetentionPlan;
}
