/**
 * The history in a vault's own folder, held to its bound also where nothing can be archived: a repository that is full or
 * out of reach for weeks must not fill the vault's disk. The oldest goes then, archived or not, and that is said.
 */
import { mapBounded } from '../../concurrency.js';
import type { ConfiguredEnvironment } from '../../config/configuration.js';
import { Nexus3Error } from '../../errors.js';
import type { Progress } from '../../progress.js';
import { specOf } from '../desired.js';
import type { World } from '../world.js';
import { amount } from './flow.js';

const PRUNE_CONCURRENCY_MAX = 8;

/** Needs no repository, and no lock: what is being read meanwhile is looked for again by its reader. */
export async function boundHistory(
  world: World,
  environment: ConfiguredEnvironment,
  progress: Progress,
): Promise<void> {
  // Without `backup:` no vault keeps any.
  if (!world.configuration.backup.configured) return;
  const { dataDir } = specOf(world.configuration, environment, 'vault');
  const { files, bytes } = await world.backups.history.pruneVault(dataDir);
  if (files === 0) return;
  progress.note(
    `${environment.name}: history beyond historyBytesMax is gone from the vault’s disk, the oldest first, ` +
      `whether it was archived or not (${String(files)} files, ${amount(bytes)})`,
  );
}

/**
 * Does the work; where all of it fails, the bound is held all the same, and the failure is what is thrown. Not where
 * somebody else holds the repository: that may be a restore, which reads what would go.
 */
export async function boundedAnyway<T>(
  world: World,
  environments: readonly ConfiguredEnvironment[],
  progress: Progress,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Nexus3Error && error.code !== 'LOCK_HELD') {
      await mapBounded(environments, PRUNE_CONCURRENCY_MAX, (one) =>
        boundHistory(world, one, progress).catch(unlessOurs),
      );
    }
    throw error;
  }
}

/** What went wrong first is told; that the bound cannot be held either, `check` says. */
export function unlessOurs(error: unknown): void {
  if (!(error instanceof Nexus3Error)) throw error;
}
