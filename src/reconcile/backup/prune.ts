/** `backup prune`: what retention keeps and why; with `yes`, the rest is removed, and the oldest history with it. */
import type { BackupId, RetentionReason } from '../../backup/backups.js';
import { BACKUP_ID } from '../../backup/backups.js';
import type { Retention } from '../../config/configuration.js';
import type { Progress } from '../../progress.js';
import { refuseUnnamed, specOf } from '../desired.js';
import type { World } from '../world.js';
import { boundAndNote, boundedAnyway } from './bound-history.js';
import { itemOf } from './list.js';
import { namesWithBackups } from './names.js';
import type { ReportedError } from './report.js';

export interface BackupPruneOptions {
  /** Empty only with `all`. */
  readonly envs: readonly string[];
  readonly all: boolean;
  /** Remove; otherwise nothing is changed. */
  readonly yes: boolean;
  /** In place of the numbers of nexus3.yaml. */
  readonly keep: Partial<Retention>;
}

export interface PrunedBackup {
  readonly id: BackupId;
  /** Of its snapshot; null: it cannot be read or believed. */
  readonly bytes: number | null;
  readonly verifiedAt: string | null;
  /** Why it is kept; empty where it goes, and where it stays only because it cannot be read. */
  readonly reasons: readonly RetentionReason[];
  readonly problem: ReportedError | null;
}

export interface PrunedEnvironment {
  readonly name: string;
  /** Newest first. */
  readonly keep: readonly PrunedBackup[];
  readonly remove: readonly PrunedBackup[];
  /** Of the history of writes, what went beyond its bound; null: nothing was done. */
  readonly history: { readonly files: number; readonly bytes: number } | null;
}

export interface BackupPruneReport {
  readonly ok: true;
  /** Nothing was removed. */
  readonly dryRun: boolean;
  readonly root: string;
  readonly environments: readonly PrunedEnvironment[];
}

/** @throws Nexus3Error USAGE, ENVIRONMENT_UNKNOWN, LOCK_HELD, FILE_NOT_WRITABLE */
export async function pruneBackups(
  world: World,
  options: BackupPruneOptions,
  progress: Progress,
): Promise<BackupPruneReport> {
  refuseUnnamed(options, 'backup prune');
  if (!options.yes) return report(world, options, progress);
  const { environments } = world.configuration;
  const named = options.all ? environments : environments.filter(({ name }) => options.envs.includes(name));
  return boundedAnyway(world, named, progress, async () => {
    // What is kept is decided under the lock: nothing may be made or verified between that and the removal.
    await using _lock = await world.backups.acquire('backup prune', (holder) => {
      progress.note(`waiting for ${holder}`);
    });
    const pruned = await report(world, options, progress);
    // Of those without a backup nothing is told, but their vaults keep history too.
    const others = named.filter(({ name }) => !pruned.environments.some((one) => one.name === name));
    await boundAndNote(world, others, progress);
    return pruned;
  });
}

async function report(world: World, options: BackupPruneOptions, progress: Progress): Promise<BackupPruneReport> {
  const environments: PrunedEnvironment[] = [];
  for (const name of await namesWithBackups(world, options.envs)) {
    const plan = await planFor(world, name, options.keep);
    if (options.yes) await removeAll(world, plan, progress);
    environments.push({ ...plan, history: options.yes ? await pruneHistory(world, name) : null });
  }
  return { ok: true, dryRun: !options.yes, root: world.backups.root, environments };
}

async function planFor(
  world: World,
  name: string,
  numbers: Partial<Retention>,
): Promise<Omit<PrunedEnvironment, 'history'>> {
  const { keep, remove } = world.backups.retention(await world.backups.list(name), world.clock.now(), numbers);
  const shown = (backup: Parameters<typeof itemOf>[0], reasons: readonly RetentionReason[]): PrunedBackup => {
    const { id, bytes, verifiedAt, problem } = itemOf(backup);
    return { id, bytes, verifiedAt, reasons, problem };
  };
  return {
    name,
    keep: keep.map(({ backup, reasons }) => shown(backup, reasons)),
    remove: remove.map((backup) => shown(backup, [])),
  };
}

async function removeAll(
  world: World,
  { name, remove }: Omit<PrunedEnvironment, 'history'>,
  progress: Progress,
): Promise<void> {
  // Oldest first: cut off, what is left is what a shorter past would have kept.
  for (const { id } of remove.toReversed()) {
    if (!BACKUP_ID.test(id)) throw new Error('a backup without an id is not removed');
    await world.backups.remove(name, id);
    progress.done(`${name}: ${id} is removed`);
  }
}

async function pruneHistory(world: World, name: string): Promise<PrunedEnvironment['history']> {
  const environment = world.configuration.environments.find((one) => one.name === name);
  const dataDir = environment === undefined ? undefined : specOf(world.configuration, environment, 'vault').dataDir;
  const { files, bytes } = await world.backups.history.prune(name, dataDir);
  return { files, bytes };
}
