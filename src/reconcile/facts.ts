/** Everything that was observed of one environment, and the questions that findings ask of it. Pure. */
import type { ConfiguredEnvironment } from '../config/configuration.js';
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

export interface EnvironmentFacts {
  readonly environment: ConfiguredEnvironment;
  readonly runtimeName: 'process' | 'docker';
  readonly network: 'present' | 'missing' | 'not-applicable';
  /** Undefined: Locker could not be asked. */
  readonly missingCredentials: readonly CredentialName[] | undefined;
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

/** Runs, or is meant to by its runtime. */
export function isUp(instance: InstanceFacts): boolean {
  const state = instance.runtime?.state;
  return state === 'running' || state === 'starting' || state === 'paused';
}

/** The server's own words, where an administrator could log in. */
export function serverOf(instance: InstanceFacts | undefined): ServerView | undefined {
  return instance?.view?.state === 'open' ? instance.view.server : undefined;
}

/** The guard's verdict on a vault's folder, with what only the whole environment can tell. */
export function guardOf(facts: EnvironmentFacts): GuardVerdict {
  const { vault, operational } = facts;
  const verdict = judgeVault(vault.folder.mark, vault.folder.vault);
  if (verdict.state === 'clear' || verdict.state === 'held') return verdict;
  // Without a mark, an operational that still has data is the only witness that this vault once had some.
  const folderIsEmpty = vault.folder.vault.aof === undefined;
  if (isOwnedOrMissing(vault) && folderIsEmpty && operational !== undefined && hasData(operational)) {
    return {
      state: 'held',
      code: 'vault-empty',
      cause: 'birth-missing',
      detail: 'the vault has neither data nor a mark, but its operational has data',
    };
  }
  return verdict;
}

function isOwnedOrMissing(instance: InstanceFacts): boolean {
  return instance.runtime === undefined || instance.runtime.owned;
}

/** Keys in memory, or a snapshot on disk. */
export function hasData(instance: InstanceFacts): boolean {
  const server = serverOf(instance);
  return server === undefined ? instance.folder.hasData : keysOf(server) > 0;
}

/**
 * A vault that serves as one, past the guard: only to such a vault may an operational be attached. A master without keys
 * counts only when the guard's own start script brought it up, because then its emptiness is somebody's FLUSHALL.
 */
export function servesPastGuard(facts: EnvironmentFacts): boolean {
  const server = serverOf(facts.vault);
  return server !== undefined && server.role === 'master' && !isHeld(facts);
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
