/**
 * `aside list` and `aside discard`: what restores, recoveries and resets have moved aside and kept, because somebody may want
 * it. nexus3 itself never discards it; who needs the room does, here.
 */
import { existsSync } from 'node:fs';
import { lstat, readdir, rename, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Nexus3Error, systemErrorCode, writeFailure } from '../errors.js';
import { syncFolder } from '../files.js';
import type { ConfiguredEnvironment } from '../config/configuration.js';
import type { Progress } from '../progress.js';
import { judgeVault } from '../protocol/guard.js';
import { isLocker, refuseUnnamed, selectEnvironments, specOf } from './desired.js';
import { readFolders } from './folder.js';
import { isResetBegun } from './locker/reset-marker.js';
import { seeRestore } from './restore/journal.js';
import { stagedFolder, undoneFolder } from './restore/restoring.js';
import { asideFolder, UNARCHIVED_FILE } from './vault-data/aside.js';
import type { World } from './world.js';

const DAY_MS = 86_400_000;
/** What is being deleted; half of it is nothing that anybody can use. */
const DOOMED = 'discarded-';
const KEPT = /^kept-([a-z]+)-(\d{4}-\d{2}-\d{2})T(\d{2})-(\d{2})-(\d{2})-(\d{3})Z(-found)?$/;
const BLOCK_BYTES = 512;

/**
 * `vault`: what the vault held before a restore or a rebuild. `operational`: what the operational held when its vault did not
 * serve. `undone`: restored data that were taken back. `reset`: Locker before a reset. `found`: what somebody had put in the
 * vault's place when the old data were put back. `other`: nexus3 does not know the name.
 */
export type KeptReason = 'vault' | 'operational' | 'undone' | 'reset' | 'found' | 'other';
const REASONS: readonly KeptReason[] = ['vault', 'operational', 'undone', 'reset'];

export interface KeptAside {
  readonly path: string;
  /** On disk. */
  readonly bytes: number;
  /** ISO 8601; null: its name does not say. */
  readonly keptAt: string | null;
  readonly reason: KeptReason;
  /** Its history could not be archived, and is nowhere else: it stays as long as it holds `nexus3.unarchived`. */
  readonly unarchived: boolean;
  /** `goes`: `aside discard` with `--yes` would discard it. */
  readonly outcome: 'stays' | 'goes' | 'discarded';
}

export interface AsideEnvironment {
  readonly name: string;
  /**
   * What was cut off, and may need what is kept; or `guard`: the vault has lost its data, and what is kept may be the last
   * copy. Until that is finished nothing of this environment is discarded.
   */
  readonly neededBy: 'restore' | 'recover' | 'reset' | 'guard' | null;
  /** Oldest first. */
  readonly kept: readonly KeptAside[];
}

export interface AsideReport {
  readonly ok: true;
  /** Nothing was discarded. */
  readonly dryRun: boolean;
  readonly environments: readonly AsideEnvironment[];
}

export interface AsideDiscardOptions {
  /** Empty only with `all`. */
  readonly envs: readonly string[];
  readonly all: boolean;
  /** Only what was kept longer ago, in days; undefined: all. */
  readonly olderThanDays: number | undefined;
  /** Discard; otherwise nothing is changed. */
  readonly yes: boolean;
}

/** @param envs empty: all @throws Nexus3Error ENVIRONMENT_UNKNOWN */
export async function listAside(world: World, envs: readonly string[]): Promise<AsideReport> {
  return report(world, selectEnvironments(world.configuration, envs), () => false);
}

/** @throws Nexus3Error USAGE, ENVIRONMENT_UNKNOWN, LOCK_HELD, FILE_NOT_WRITABLE */
export async function discardKept(
  world: World,
  options: AsideDiscardOptions,
  progress: Progress,
): Promise<AsideReport> {
  refuseUnnamed(options, 'aside discard');
  const { envs, olderThanDays, yes } = options;
  const environments = selectEnvironments(world.configuration, envs);
  const before = world.clock.now().getTime() - (olderThanDays ?? 0) * DAY_MS;
  const goes = (keptAt: string | null): boolean =>
    olderThanDays === undefined || (keptAt !== null && Date.parse(keptAt) < before);
  if (!yes) return report(world, environments, goes);
  await using _lock = await world.locks.acquire('aside discard', (holder) => {
    progress.note(`waiting for ${holder}`);
  });
  const planned = await report(world, environments, goes);
  const done: AsideEnvironment[] = [];
  for (const environment of planned.environments) done.push(await discardIn(world, environment, progress));
  return { ok: true, dryRun: false, environments: done };
}

async function report(
  world: World,
  environments: readonly ConfiguredEnvironment[],
  goes: (keptAt: string | null) => boolean,
): Promise<AsideReport> {
  const shown: AsideEnvironment[] = [];
  for (const environment of environments) {
    const { name } = environment;
    const folder = asideFolder(world, name);
    const names = await namesIn(folder);
    const neededBy = neededIn(world, environment, names);
    const kept: KeptAside[] = [];
    for (const one of names.filter((entry) => entry.startsWith('kept-'))) {
      const path = join(folder, one);
      const bytes = await bytesOf(path);
      if (bytes === undefined) continue;
      const { keptAt, reason } = meaningOf(one);
      const unarchived = existsSync(join(path, UNARCHIVED_FILE));
      const outcome = neededBy === null && !unarchived && goes(keptAt) ? 'goes' : 'stays';
      kept.push({ path, bytes, keptAt, reason, unarchived, outcome });
    }
    kept.sort((a, b) => (a.keptAt ?? '').localeCompare(b.keptAt ?? ''));
    shown.push({ name, neededBy, kept });
  }
  return { ok: true, dryRun: true, environments: shown };
}

/** What lies there without `kept-` is of something that goes on with it; but for what a restore has left that needs it no more. */
function neededIn(
  world: World,
  environment: ConfiguredEnvironment,
  names: readonly string[],
): AsideEnvironment['neededBy'] {
  if (seeRestore(world.configuration.dataRoot, environment.name) !== undefined) return 'restore';
  if (isLocker(environment) && isResetBegun(world)) return 'reset';
  const leftByRestores = [stagedFolder, undoneFolder].map((folderOf) => folderOf(world, environment.name));
  const isOfRecovery = (name: string): boolean =>
    /^(vault|operational)-/.test(name) && !leftByRestores.includes(join(asideFolder(world, environment.name), name));
  if (names.some(isOfRecovery)) return 'recover';
  return mayHaveLostData(world, environment) ? 'guard' : null;
}

/** By what lies there alone: also a vault of which nothing is known any more, whose operational may just have been moved aside. */
function mayHaveLostData({ configuration }: World, environment: ConfiguredEnvironment): boolean {
  const { mark, vault } = readFolders(specOf(configuration, environment, 'vault'), undefined);
  const { state } = judgeVault(mark, vault);
  return state === 'held' || (state !== 'clear' && vault.aof === undefined);
}

function meaningOf(name: string): Pick<KeptAside, 'keptAt' | 'reason'> {
  const [, what, day, hours, minutes, seconds, ms, found] = KEPT.exec(name) ?? [];
  const keptAt = new Date(`${String(day)}T${String(hours)}:${String(minutes)}:${String(seconds)}.${String(ms)}Z`);
  if (day === undefined || Number.isNaN(keptAt.getTime())) return { keptAt: null, reason: 'other' };
  const reason = found === undefined ? (REASONS.find((one) => one === what) ?? 'other') : 'found';
  return { keptAt: keptAt.toISOString(), reason };
}

/** Renamed first: cut off, what is left is not taken for something whole. */
async function discardIn(
  world: World,
  { name, neededBy, kept }: AsideEnvironment,
  progress: Progress,
): Promise<AsideEnvironment> {
  const folder = asideFolder(world, name);
  const after: KeptAside[] = [];
  try {
    for (const one of kept) {
      if (one.outcome !== 'goes') {
        after.push(one);
        continue;
      }
      const doomed = join(folder, `${DOOMED}${String(after.length)}`);
      await rm(doomed, { recursive: true, force: true });
      await rename(one.path, doomed);
      await syncFolder(folder);
      await rm(doomed, { recursive: true });
      progress.done(`${name}: ${one.path} is discarded`);
      after.push({ ...one, outcome: 'discarded' });
    }
    await sweep(folder);
  } catch (error) {
    throw writeFailure(folder, error);
  }
  return { name, neededBy, kept: after };
}

/** Of runs that were killed; and the folder itself, when nothing is left in it. */
async function sweep(folder: string): Promise<void> {
  const names = await namesIn(folder);
  const doomed = names.filter((name) => name.startsWith(DOOMED));
  for (const name of doomed) await rm(join(folder, name), { recursive: true, force: true });
  if (names.length > 0 && names.length === doomed.length) await rmdir(folder);
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return [];
    throw lookFailure(folder, error);
  }
}

/** Undefined: it is gone by now; what is gone from within takes no room. */
async function bytesOf(path: string): Promise<number | undefined> {
  try {
    const stat = await lstat(path);
    let bytes = stat.blocks * BLOCK_BYTES;
    if (stat.isDirectory()) for (const name of await readdir(path)) bytes += (await bytesOf(join(path, name))) ?? 0;
    return bytes;
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw lookFailure(path, error);
  }
}

function lookFailure(path: string, error: unknown): unknown {
  const code = error instanceof Nexus3Error ? undefined : systemErrorCode(error);
  if (code === undefined) return error;
  return new Nexus3Error('FILE_NOT_WRITABLE', `${path} cannot be looked at.`, {
    evidence: [`${code} on ${path}`],
    hint: 'Run the command as root, or as the user who made this environment; where the disk is at fault, see its kernel log.',
    cause: error,
  });
}
