/** Everything that was observed of one environment, and the questions that findings ask of it. Pure. */
import type { Window } from '../backup/backups.js';
import type { ConfiguredEnvironment } from '../config/configuration.js';
import type { Nexus3Error } from '../errors.js';
import type { KitState, Rotation } from '../locker/locker.js';
import type { InstanceId, Role } from '../protocol/environment.js';
import type { GuardVerdict } from '../protocol/guard.js';
import { judgeVault } from '../protocol/guard.js';
import type { Placement } from '../protocol/redis-conf.js';
import type { AclDifference, CredentialName } from '../protocol/users.js';
import type { InstanceView, ServerView } from '../redis/observation.js';
import { keysOf } from '../redis/observation.js';
import type { InstanceRuntimeState, InstanceSpec } from '../runtime/runtime.js';
import type { FolderFacts } from './folder.js';

export interface InstanceFacts {
  readonly id: InstanceId;
  readonly spec: InstanceSpec;
  readonly placement: Placement;
  /** Undefined: not there. */
  readonly runtime: InstanceRuntimeState | undefined;
  /** Undefined: not running, so not asked. */
  readonly view: InstanceView | undefined;
  readonly folder: FolderFacts;
  /** Of users in force against those rendered; empty when either is unknown. */
  readonly userDifferences: readonly AclDifference[];
  /** Last log lines, only read where something is wrong. */
  readonly log: readonly string[];
}

/** A rotation under way, as seen at the time of the look. */
export interface RotationFacts extends Rotation {
  /** The old passwords are still meant to be accepted. */
  readonly graceRuns: boolean;
}

export interface OldPassword {
  readonly name: CredentialName;
  readonly days: number;
}

/** What is only true of Locker. */
export interface LockerFacts {
  /** A change of the root key is under way, or was cut off. */
  readonly rekeying: boolean;
  /** Undefined: Locker could not be asked. */
  readonly kit: KitState | undefined;
}

/** What a restore does to a vault, in this order; the last one only where it failed. */
export type RestorePhase = 'replacing' | 'proving' | 'opening' | 'taking-back';

/** A restore that is under way, or was cut off. */
export interface RestoreFacts {
  /** `unreadable`: something lies where it is written down, but nexus3 did not write it so. */
  readonly phase: RestorePhase | 'unreadable';
  /** Id of the backup, or the second of the past. */
  readonly source: string;
  /** ISO 8601. */
  readonly startedAt: string;
}

export interface BackupFacts {
  /** Of the newest that can be believed; undefined: there is none. */
  readonly newest: BackupMoment | undefined;
  /** When it was last proven that one can be loaded, and holds what it says; undefined: never. */
  readonly verified: BackupMoment | undefined;
  /** The newest one is the one that was verified last. */
  readonly newestIsVerified: boolean;
  /** One that is newer than the last verified one, and failed its verification; undefined: none did. */
  readonly failed: { readonly id: string; readonly at: string; readonly code: string } | undefined;
  /** Newer ones that cannot be read or believed. */
  readonly damaged: number;
  /** Such as are dated later than now, and count for nothing here. */
  readonly inFuture: number;
  /** Why nothing is known of them: the repository cannot be read; undefined: it can. */
  readonly unreadable: string | undefined;
  /** What is not off this machine yet; undefined: nothing, or there is no such place. */
  readonly push: { readonly since: string; readonly code: string | null; readonly isLate: boolean } | undefined;
  /** Any second of which can be restored; undefined: none, or not known. */
  readonly window: Window | undefined;
  /** Of writes, in the vault's own folder, and what nexus3.yaml allows of it; undefined: it cannot be read. */
  readonly history?: { readonly bytes: number; readonly bytesMax: number } | undefined;
}

export interface BackupMoment {
  /** ISO 8601. */
  readonly at: string;
  /** Whole hours since then. */
  readonly hours: number;
  /** What nexus3.yaml allows. */
  readonly hoursMax: number;
  readonly isOld: boolean;
}

export interface EnvironmentFacts {
  readonly environment: ConfiguredEnvironment;
  readonly runtimeName: 'process' | 'docker';
  readonly network: 'present' | 'missing' | 'not-applicable';
  /** Undefined: Locker could not be asked, or what it holds is `unreadable`. */
  readonly missingCredentials: readonly CredentialName[] | undefined;
  /** Why what Locker holds for it cannot be opened. */
  readonly unreadable?: Nexus3Error | undefined;
  /** Undefined: none is under way, or Locker could not be asked. */
  readonly rotation: RotationFacts | undefined;
  /** Passwords that are older than nexus3.yaml wants them, oldest first. */
  readonly oldPasswords: readonly OldPassword[];
  /** Undefined for every other one, and where the root key cannot be used. */
  readonly locker?: LockerFacts | undefined;
  /** Only of Locker: a reset of it was begun and is not finished. */
  readonly resetting?: boolean;
  /** Undefined: no restore of it is under way. */
  readonly restore?: RestoreFacts | undefined;
  /** Undefined: nexus3.yaml has no `backup:`, or the repository cannot be read. */
  readonly backup?: BackupFacts | undefined;
  readonly vault: InstanceFacts;
  /** Undefined for a Secure Environment. */
  readonly operational: InstanceFacts | undefined;
}

export function instancesIn(facts: EnvironmentFacts): readonly InstanceFacts[] {
  return facts.operational === undefined ? [facts.vault] : [facts.vault, facts.operational];
}

export function instanceIn(facts: EnvironmentFacts, role: Role): InstanceFacts {
  return role === 'operational' && facts.operational !== undefined ? facts.operational : facts.vault;
}

/** There, and made by nexus3. */
export function isOwned(instance: InstanceFacts): boolean {
  return instance.runtime?.owned === true;
}

/** There, and made by somebody else: never changed, and never told a password. */
export function isForeign(instance: InstanceFacts): boolean {
  return instance.runtime?.owned === false;
}

export function hasForeign(facts: EnvironmentFacts): boolean {
  return instancesIn(facts).some(isForeign);
}

/** Runs, or is meant to by its runtime. */
export function isUp(instance: InstanceFacts): boolean {
  const state = instance.runtime?.state;
  return state === 'running' || state === 'starting' || state === 'paused';
}

/** The server's own words, where an administrator could log in. */
export function serverOf(instance: InstanceFacts | undefined): ServerView | undefined {
  return instance?.view?.state === 'open' ? instance.view.server : undefined;
}

/** Answers, and refuses the administrator's password that Locker holds. */
export function isLocked(instance: InstanceFacts): boolean {
  return instance.view?.state === 'locked';
}

/** The guard's verdict on a vault's folder, with what only the whole environment can tell. */
export function guardOf(facts: EnvironmentFacts): GuardVerdict {
  const { vault, operational } = facts;
  // Its data lie in another folder than the one that was read; its own start script judges those.
  if (differsIn(vault, 'mount')) return { state: 'clear' };
  const verdict = judgeVault(vault.folder.mark, vault.folder.vault);
  if (verdict.state === 'clear' || verdict.state === 'held') return verdict;
  // Without a mark, an operational that still has data is the only witness that this vault once had some.
  const folderIsEmpty = vault.folder.vault.aof === undefined;
  if (!isForeign(vault) && folderIsEmpty && operational !== undefined && mayHaveData(operational)) {
    return {
      state: 'held',
      code: 'vault-empty',
      cause: 'birth-missing',
      detail: 'the vault has neither data nor a mark, but its operational has data',
    };
  }
  return verdict;
}

/** Keys in memory, as far as anybody may ask for them; where it cannot be asked, a snapshot on disk. */
export function hasData(instance: InstanceFacts): boolean {
  const keys = keysSeen(instance);
  return keys === undefined ? instance.folder.hasData : keys > 0;
}

/** Also a snapshot that a server without keys has beside it: enough to hold a vault of which nothing else is known. */
function mayHaveData(instance: InstanceFacts): boolean {
  return instance.folder.hasData || (keysSeen(instance) ?? 0) > 0;
}

/** An operational tells its keyspace to anyone, so it is a witness also while Locker cannot be asked. */
function keysSeen({ view }: InstanceFacts): number | undefined {
  const server = view?.state === 'open' || view?.state === 'locked' ? view.server : undefined;
  return server === undefined ? undefined : keysOf(server);
}

/** A master that the guard has nothing against, whoever made it. */
export function servesAsMaster(facts: EnvironmentFacts): boolean {
  return serverOf(facts.vault)?.role === 'master' && !isHeld(facts);
}

/**
 * A vault that serves as one, past the guard: only to such a vault may an operational be attached. It is ours, because
 * the guard knows nothing of what a stranger's container holds; and what it holds is proven. A master without keys
 * counts only when the guard's own start script brought it up, because then its emptiness is somebody's FLUSHALL.
 */
export function servesPastGuard(facts: EnvironmentFacts): boolean {
  return servesAsMaster(facts) && isOwned(facts.vault) && !isFenced(facts);
}

/** A recovery of the vault was cut off before what it holds was proven. */
export function isFenced(facts: EnvironmentFacts): boolean {
  return facts.vault.folder.fenced;
}

/**
 * Two copies of the vault's data lie here, and which of them is to serve is not decided yet. Once the restored ones are
 * proven and to be opened, there is one: what is then left to do, every repair may do.
 */
export function isBetweenCopies({ restore }: EnvironmentFacts): boolean {
  return restore !== undefined && restore.phase !== 'opening';
}

export function isHeld(facts: EnvironmentFacts): boolean {
  return guardOf(facts).state === 'held' || isSuspiciouslyEmpty(facts);
}

/** Runs without any key, was not brought up through the guard, and its operational has keys. */
export function isSuspiciouslyEmpty(facts: EnvironmentFacts): boolean {
  const vault = serverOf(facts.vault);
  const operational = serverOf(facts.operational);
  if (vault === undefined || operational === undefined) return false;
  if (keysOf(vault) > 0 || keysOf(operational) === 0) return false;
  const throughGuard = isOwned(facts.vault) && vault.role === 'master' && isConfiguredByUs(facts.vault, vault);
  return !throughGuard;
}

/** Started from the rendered redis.conf. */
export function isConfiguredByUs(instance: InstanceFacts, server: ServerView): boolean {
  return server.configFile === `${instance.placement.configDir}/redis.conf`;
}

/** Ended by the start script, on purpose. */
export function endedWith(instance: InstanceFacts, exitCode: number): boolean {
  const runtime = instance.runtime;
  return runtime?.exitCode === exitCode && (runtime.state === 'stopped' || runtime.state === 'restarting');
}

export function differsIn(instance: InstanceFacts | undefined, aspect: string): boolean {
  return instance?.runtime?.differences.some((difference) => difference.aspect === aspect) === true;
}

/** Bytes of the replication stream that the operational has not applied yet; undefined unless both can be asked. */
export function lagBytes(facts: EnvironmentFacts): number | undefined {
  const vault = serverOf(facts.vault);
  const operational = serverOf(facts.operational);
  if (vault === undefined || operational?.replica === undefined) return undefined;
  return Math.max(0, vault.offset - operational.replica.offset);
}
