/**
 * The history in a vault's own folder, where nothing can be archived: a repository that is full or out of reach for weeks
 * must not fill the vault's disk. The oldest goes then, archived or not, and that is said. But only where it must: what is
 * not archived is nowhere else.
 */
import { statfs } from 'node:fs/promises';
import { mapBounded } from '../../concurrency.js';
import type { ConfiguredEnvironment } from '../../config/configuration.js';
import { Nexus3Error, systemErrorCode, writeFailure } from '../../errors.js';
import type { Progress } from '../../progress.js';
import { instanceKey } from '../../protocol/environment.js';
import type { InstanceSpec } from '../../runtime/runtime.js';
import { specOf } from '../desired.js';
import { seeRestore } from '../restore/journal.js';
import type { World } from '../world.js';
import { amount } from './flow.js';

const PRUNE_CONCURRENCY_MAX = 8;
/** Beyond so many bounds the oldest goes; beyond one, where the disk has less than so many left. */
const BOUNDS_MAX = 2;

/**
 * Needs no repository, and no lock: what is being read meanwhile is looked for again by its reader.
 * @returns a sentence of what is gone; undefined: nothing
 * @throws Nexus3Error FILE_NOT_WRITABLE, DOCKER_UNREACHABLE
 */
export async function boundHistory(world: World, environment: ConfiguredEnvironment): Promise<string | undefined> {
  const { backup, dataRoot } = world.configuration;
  // Without `backup:` no vault keeps any.
  if (!backup.configured) return undefined;
  const spec = specOf(world.configuration, environment, 'vault');
  const held = await world.backups.history.bytesInVault(spec.dataDir).catch((error: unknown) => {
    throw writeFailure(spec.dataDir, error);
  });
  if (held <= backup.historyBytesMax) return undefined;
  const most = BOUNDS_MAX * backup.historyBytesMax;
  if (held <= most && (await freeBytes(spec.dataDir)) >= most) return undefined;
  // What a restore is to read, or to bring back; and what this vault does not write.
  if (seeRestore(dataRoot, environment.name) !== undefined || (await isMountedElsewhere(world, spec))) return undefined;
  const { files, bytes } = await world.backups.history.pruneVault(spec.dataDir);
  if (files === 0) return undefined;
  return (
    'History beyond historyBytesMax is gone from the vault’s disk, the oldest first, whether it was archived or not ' +
    `(${String(files)} files, ${amount(bytes)}).`
  );
}

async function freeBytes(folder: string): Promise<number> {
  try {
    const { bavail, bsize } = await statfs(folder);
    return bavail * bsize;
  } catch (error) {
    // What cannot be looked at is no reason to discard anything.
    if (systemErrorCode(error) === undefined) throw error;
    return Number.POSITIVE_INFINITY;
  }
}

async function isMountedElsewhere(world: World, spec: InstanceSpec): Promise<boolean> {
  const { instances } = await world.runtime.observe([spec]);
  return instances.get(instanceKey(spec.id))?.differences.some(({ aspect }) => aspect === 'mount') === true;
}

/** For whom there is no report: a line says what is gone. That the bound cannot be held, `check` says. */
export async function boundAndNote(
  world: World,
  environments: readonly ConfiguredEnvironment[],
  progress: Progress,
): Promise<void> {
  await mapBounded(environments, PRUNE_CONCURRENCY_MAX, async (one) => {
    const gone = await boundHistory(world, one).catch(unlessOurs);
    if (gone !== undefined) progress.note(`${one.name}: ${gone}`);
  });
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
    if (error instanceof Nexus3Error && error.code !== 'LOCK_HELD') await boundAndNote(world, environments, progress);
    throw error;
  }
}

function unlessOurs(error: unknown): undefined {
  if (!(error instanceof Nexus3Error)) throw error;
}
