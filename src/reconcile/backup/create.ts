/**
 * `backup create`: a snapshot as it flows from the vault, into the repository; the history of its writes archived; what
 * was written loaded and counted; and all of it off this machine, where a target is configured. Cut off anywhere, what is
 * not whole is not listed, and the next run begins anew.
 */
import type { Manifest } from '../../backup/backups.js';
import { mapBounded } from '../../concurrency.js';
import type { ConfiguredEnvironment } from '../../config/configuration.js';
import { Nexus3Error } from '../../errors.js';
import type { Progress } from '../../progress.js';
import { isLocker, refuseUnnamed, selectEnvironments } from '../desired.js';
import type { EnvironmentFacts } from '../facts.js';
import { differsIn } from '../facts.js';
import { refuseInterrupted } from '../interrupted.js';
import type { Observation } from '../observe.js';
import { observe } from '../observe.js';
import type { World } from '../world.js';
import { boundedAnyway, boundHistory } from './bound-history.js';
import { dueAmong, unverifiedAmong } from './due.js';
import { flowOf } from './flow.js';
import { whyNotBackUp } from './refuse.js';
import type { CreatedBackup, ReportedError } from './report.js';
import { reportedBackup, reportedError } from './report.js';
import { takeSnapshot } from './snapshot.js';
import { verifyOne } from './verify-one.js';

/** How many vaults send at once: each is a fork on this host, and they share its disk. */
export const BACKUP_CONCURRENCY_MAX = 2;

export interface BackupCreateOptions {
  /** Empty only with `all`. */
  readonly envs: readonly string[];
  readonly all: boolean;
  readonly verify: boolean;
  /** Only those for which the schedule says so. */
  readonly due: boolean;
  /** Of nexus3. */
  readonly version: string;
  /** Ends it between two environments. */
  readonly signal?: AbortSignal | undefined;
}

export interface BackupCreateReport {
  readonly ok: boolean;
  readonly root: string;
  readonly durationMs: number;
  readonly environments: readonly CreatedBackup[];
  /** Off this machine; null: no target is configured, or there was nothing to take there. */
  readonly pushed: PushedBackups | null;
}

export interface PushedBackups {
  readonly repository: string;
  readonly ok: boolean;
  /** Of restic; null where it failed. */
  readonly snapshot: string | null;
  readonly bytesAdded: number | null;
  readonly error: ReportedError | null;
}

/** One environment's way through the command. */
interface Turn {
  readonly environment: ConfiguredEnvironment;
  manifest?: Manifest;
  archived: CreatedBackup['archived'];
  comparedWithVault: boolean;
  readonly warnings: string[];
  /** The first one. */
  error?: Nexus3Error;
}

/** @throws Nexus3Error USAGE, ENVIRONMENT_UNKNOWN, LOCK_HELD, DOCKER_UNREACHABLE, ENGINE_NOT_FOUND */
export async function createBackups(
  world: World,
  options: BackupCreateOptions,
  progress: Progress,
): Promise<BackupCreateReport> {
  const chosen = chosenFrom(world, options);
  const startedAt = performance.now();
  const { target, pushes } = world.backups;
  const isOwed = target !== undefined && options.due && (await pushes.owed()) !== undefined;
  const turns = await boundedAnyway(world, chosen, progress, () => takeTurns(world, chosen, options, progress));
  // When the lock is free again: a push may take hours, and nobody need wait for it.
  const pushed = isOwed || turns.some(({ manifest }) => manifest !== undefined) ? await push(world, progress) : null;
  const created = turns.map(reported);
  return {
    ok: created.every(({ ok }) => ok) && pushed?.ok !== false,
    root: world.backups.root,
    durationMs: Math.round(performance.now() - startedAt),
    environments: created,
    pushed,
  };
}

/** Under the repository's lock. */
async function takeTurns(
  world: World,
  chosen: readonly ConfiguredEnvironment[],
  options: BackupCreateOptions,
  progress: Progress,
): Promise<readonly Turn[]> {
  await using _lock = await world.backups.acquire('backup create', (holder) => {
    progress.note(`waiting for ${holder}`);
  });
  const environments = options.due ? await dueAmong(world, chosen) : chosen;
  const others = chosen.filter((one) => !environments.includes(one));
  const unverified = options.due && options.verify ? await unverifiedAmong(world, others) : [];
  // Most runs of a timer end here.
  if (environments.length > 0 || unverified.length > 0) await world.runtime.ready();
  if (world.backups.target !== undefined && environments.length > 0) await world.backups.pushes.owe(null);
  const { environments: seen, lockerError } = await lookAt(world, environments);
  const turns = await mapBounded(seen, BACKUP_CONCURRENCY_MAX, async (facts) => {
    const turn: Turn = { environment: facts.environment, archived: null, comparedWithVault: false, warnings: [] };
    const refusal = isLocker(facts.environment) ? undefined : lockerError;
    await attempt(turn, () => {
      refuseInterrupted(options.signal);
      return backUp(world, turn, facts, { ...options, refusal }, progress);
    });
    if (turn.archived === null) {
      await attempt(turn, async () => {
        const gone = await boundHistory(world, turn.environment);
        if (gone !== undefined) turn.warnings.push(gone);
      });
    }
    await noteInAudit(world, turn);
    return turn;
  });
  const again = await mapBounded(unverified, BACKUP_CONCURRENCY_MAX, (one) => verifyAgain(world, one, progress));
  return [...turns, ...again];
}

/**
 * Of one environment, by who holds the repository already. It is verified, and goes nowhere else.
 * @param version of nexus3
 */
export async function createBackupOf(
  world: World,
  environment: ConfiguredEnvironment,
  version: string,
  progress: Progress,
): Promise<CreatedBackup> {
  const turn: Turn = { environment, archived: null, comparedWithVault: false, warnings: [] };
  await attempt(turn, async () => {
    const { environments, lockerError: refusal } = await lookAt(world, [environment]);
    const [facts] = environments;
    if (facts === undefined) throw new Error(`no facts of ${environment.name}`);
    await backUp(world, turn, facts, { envs: [], all: false, due: false, verify: true, version, refusal }, progress);
  });
  await noteInAudit(world, turn);
  return reported(turn);
}

/** What an earlier run has made, and could not verify. */
async function verifyAgain(
  world: World,
  { environment, manifest }: { readonly environment: ConfiguredEnvironment; readonly manifest: Manifest },
  progress: Progress,
): Promise<Turn> {
  const turn: Turn = { environment, manifest, archived: null, comparedWithVault: false, warnings: [] };
  await attempt(turn, () => verify(world, turn, manifest, progress));
  return turn;
}

async function lookAt(world: World, environments: readonly ConfiguredEnvironment[]): Promise<Observation> {
  return environments.length === 0 ? { environments: [], lockerError: undefined } : observe(world, environments);
}

function chosenFrom(world: World, options: BackupCreateOptions): readonly ConfiguredEnvironment[] {
  refuseUnnamed(options, 'backup create');
  return selectEnvironments(world.configuration, options.envs);
}

async function backUp(
  world: World,
  turn: Turn,
  facts: EnvironmentFacts,
  options: BackupCreateOptions & { readonly refusal: Nexus3Error | undefined },
  progress: Progress,
): Promise<void> {
  const refusal = options.refusal ?? whyNotBackUp(facts);
  if (refusal !== undefined) throw refusal;
  const manifest = await takeSnapshot(world, facts, options.version, progress, (text) => {
    if (!turn.warnings.includes(text)) turn.warnings.push(text);
  });
  turn.manifest = manifest;
  // A history that cannot be archived is no reason to leave the snapshot unproven.
  await attempt(turn, async () => {
    turn.archived = await archive(world, facts, progress);
  });
  if (!options.verify) return;
  await attempt(turn, () => verify(world, turn, manifest, progress));
}

async function verify(world: World, turn: Turn, manifest: Manifest, progress: Progress): Promise<void> {
  const verified = await verifyOne(world, manifest, progress);
  if (verified.notRecorded !== undefined) throw verified.notRecorded;
  turn.manifest = verified.manifest;
  turn.comparedWithVault = verified.comparedWithVault;
}

/** What fails in one environment stops nothing in the others. What is no error of ours is a defect, and does. */
async function attempt(turn: Turn, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof Nexus3Error)) throw error;
    turn.error ??= error;
  }
}

async function archive(world: World, facts: EnvironmentFacts, progress: Progress): Promise<CreatedBackup['archived']> {
  const { name } = facts.environment;
  // What lies in the folder is then not what this vault writes.
  if (differsIn(facts.vault, 'mount')) return null;
  const flow = flowOf(progress, world.clock, `history of ${name}`);
  const archived = await world.backups.history.archive(name, facts.vault.spec.dataDir, flow.onBytes);
  if (archived.files > 0) progress.done(`${name}: its history is archived (${flow.told()})`);
  // Only who asked for backups keeps more of it than a vault is started from, and has said how much.
  if (world.configuration.backup.configured) await world.backups.history.prune(name, facts.vault.spec.dataDir);
  return archived;
}

async function push(world: World, progress: Progress): Promise<PushedBackups | null> {
  const { target } = world.backups;
  if (target === undefined) return null;
  const { repository } = target;
  const what = `copy to ${repository}`;
  progress.step(what);
  try {
    const { snapshot, bytesAdded } = await target.push(
      (fraction) => {
        progress.step(`${what}: ${String(Math.floor(fraction * 100))} %`);
      },
      (note) => {
        progress.note(note);
      },
    );
    await world.backups.pushes.done();
    progress.done(`${repository} has it all`);
    return { repository, ok: true, snapshot, bytesAdded, error: null };
  } catch (error) {
    if (!(error instanceof Nexus3Error)) throw error;
    // It is owed already; that its code cannot be noted (the disk is full) is less than why the push failed.
    await world.backups.pushes.owe(error.code).catch(() => undefined);
    return { repository, ok: false, snapshot: null, bytesAdded: null, error: reportedError(error) };
  }
}

/** A backup that nobody could write down is there all the same; where Locker is what failed, that is what is told. */
async function noteInAudit(world: World, turn: Turn): Promise<void> {
  const { environment, manifest, error } = turn;
  const what = manifest === undefined ? environment.name : `${environment.name}: ${manifest.id}`;
  await attempt(turn, () =>
    world.locker.note({
      action: 'backup',
      what,
      outcome: error === undefined ? 'ok' : 'failed',
      ...(error === undefined ? {} : { detail: error.code }),
    }),
  );
}

function reported({ environment, manifest, archived, comparedWithVault, warnings, error }: Turn): CreatedBackup {
  return {
    name: environment.name,
    ok: error === undefined,
    backup: manifest === undefined ? null : reportedBackup(manifest),
    durationMs: manifest?.durationMs ?? null,
    archived,
    comparedWithVault,
    warnings,
    error: error === undefined ? null : reportedError(error),
  };
}
