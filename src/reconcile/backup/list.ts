/** `backup list`: every backup with what it says of itself, why it is kept, and how far back any second can be had. */
import type { BackupId, ListedBackup, RetentionReason } from '../../backup/backups.js';
import { mapBounded } from '../../concurrency.js';
import { Nexus3Error } from '../../errors.js';
import { specOf } from '../desired.js';
import { isOfEarlierKey } from '../restore/earlier-key.js';
import type { World } from '../world.js';
import { namesWithBackups } from './names.js';
import type { ReportedBackup, ReportedError } from './report.js';
import { reportedBackup, reportedError } from './report.js';

const LIST_CONCURRENCY_MAX = 8;

/** As `backup create` has it; what cannot be known of one that is not to be believed is null. */
type Nullable<T> = { readonly [K in keyof T]: T[K] | null };

export interface ListedItem extends Nullable<Omit<ReportedBackup, 'id'>> {
  readonly id: BackupId;
  /** Why retention keeps it; empty: `backup prune` would remove it, or it is kept only because it cannot be read. */
  readonly keptFor: readonly RetentionReason[];
  /** `backup prune` would remove it. */
  readonly wouldGo: boolean;
  /** Of Locker alone: it was made before the root key was changed, so it cannot be restored. */
  readonly ofEarlierKey: boolean;
  /** Why it cannot be read or believed, or that its last verification failed. */
  readonly problem: ReportedError | null;
}

export interface ListedEnvironment {
  readonly name: string;
  /** Any second of these can be restored, both ends included; oldest first. */
  readonly windows: readonly { readonly from: string; readonly to: string }[];
  /** Newest first. */
  readonly backups: readonly ListedItem[];
}

export interface BackupListReport {
  /** Each can be read and believed. */
  readonly ok: boolean;
  /** When it was asked: ages are from then. */
  readonly listedAt: string;
  readonly root: string;
  readonly environments: readonly ListedEnvironment[];
}

/** @param envs empty: all that have a backup @throws Nexus3Error ENVIRONMENT_UNKNOWN */
export async function listBackups(world: World, envs: readonly string[]): Promise<BackupListReport> {
  const now = world.clock.now();
  const names = await namesWithBackups(world, envs);
  const environments = await mapBounded(names, LIST_CONCURRENCY_MAX, async (name) => {
    const backups = await world.backups.list(name);
    return { name, windows: await windowsOf(world, name), backups: itemsOf(world, backups, now) };
  });
  return {
    ok: environments.every(({ backups }) => backups.every(({ problem }) => problem === null)),
    listedAt: now.toISOString(),
    root: world.backups.root,
    environments,
  };
}

function itemsOf(world: World, backups: readonly ListedBackup[], now: Date): readonly ListedItem[] {
  const { keep, remove } = world.backups.retention(backups, now);
  const reasons = new Map(keep.map((kept) => [kept.backup.id, kept.reasons]));
  return backups.map((backup) => ({
    ...itemOf(backup),
    keptFor: reasons.get(backup.id) ?? [],
    wouldGo: remove.some(({ id }) => id === backup.id),
    ofEarlierKey: isOfEarlierKey(backup),
  }));
}

export function itemOf(backup: ListedBackup): Omit<ListedItem, 'keptFor' | 'wouldGo' | 'ofEarlierKey'> {
  const { id, manifest, problem } = backup;
  if (problem === undefined) return { ...reportedBackup(manifest), problem: null };
  if (backup.failed !== undefined) return { ...reportedBackup(backup.failed), problem: reportedError(problem) };
  const unknown = {
    bytes: null,
    sha256: null,
    encrypted: null,
    keys: null,
    graphs: null,
    verifiedAt: null,
    loadMs: null,
  };
  return { id, createdAt: null, ...unknown, problem: reportedError(problem) };
}

async function windowsOf(world: World, name: string): Promise<ListedEnvironment['windows']> {
  const environment = world.configuration.environments.find((one) => one.name === name);
  const dataDir = environment === undefined ? undefined : specOf(world.configuration, environment, 'vault').dataDir;
  try {
    const windows = await world.backups.history.windows(name, dataDir);
    return windows.map(({ from, to }) => ({ from, to }));
  } catch (error) {
    // A list of backups is to be had also where the vault's folder cannot be read.
    if (error instanceof Nexus3Error) return [];
    throw error;
  }
}
