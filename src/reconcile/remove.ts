/** `remove NAME`: out of the runtime, out of Locker, out of nexus3.yaml; the data are moved aside, not deleted. */
import { readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ConfiguredEnvironment } from '../config/configuration.js';
import { Nexus3Error, systemErrorCode, writeFailure } from '../errors.js';
import { makeFolder, syncFolder } from '../files.js';
import { instanceKey } from '../protocol/environment.js';
import { layoutOf } from '../protocol/layout.js';
import type { Progress } from '../progress.js';
import { openLocker } from './access.js';
import { isLocker, selectEnvironments, specsOf } from './desired.js';
import { refuseWhileLockerIsRestored } from './restore/refuse.js';
import { revokeAllOf } from './tokens.js';
import type { World } from './world.js';

export interface RemoveReport {
  readonly name: string;
  /** Where the data are now; null when they were deleted, or there were none. */
  readonly movedTo: string | null;
}

/** Removed environments lie here, below the data root; no environment can have this name. */
export const REMOVED_FOLDER = '.removed';

/** Prefix of what is being deleted; no environment's name begins with a dot. */
const DOOMED = '.deleted-';

/** Each step can be done again: killed anywhere, the environment is still in nexus3.yaml until all else is done. */
export async function remove(
  world: World,
  options: { readonly name: string; readonly deleteData: boolean },
  progress: Progress,
): Promise<RemoveReport> {
  const [environment] = selectEnvironments(world.configuration, [options.name]);
  if (environment === undefined) throw new Error('an environment was selected by name but is not there');
  if (isLocker(environment)) {
    throw new Nexus3Error('USAGE', 'Locker cannot be removed: everybody’s credentials are in it.', {
      hint: 'To stop everything: nexus3 down',
    });
  }
  await world.runtime.ready();
  await using _lock = await world.locks.acquire(`remove ${options.name}`, (holder) => {
    progress.note(`waiting for ${holder}`);
  });
  refuseWhileLockerIsRestored(world.configuration.dataRoot);
  const specs = specsOf(world.configuration, [environment]);
  const { instances } = await world.runtime.observe(specs);
  const foreign = specs.find(({ id }) => instances.get(instanceKey(id))?.owned === false);
  if (foreign !== undefined) {
    throw new Nexus3Error('FOREIGN_INSTANCE', `${foreign.name} was not made by nexus3, so it is left alone.`, {
      hint: `Remove that container by hand, then run: nexus3 remove ${options.name}`,
    });
  }
  const movedTo = await takeAway(world, environment, options, progress);
  return { name: options.name, movedTo };
}

/** Under the lock. @returns where the data are now; null when they were deleted, or there were none */
export async function takeAway(
  world: World,
  environment: ConfiguredEnvironment,
  { deleteData }: { readonly deleteData: boolean },
  progress: Progress,
): Promise<string | null> {
  const { name } = environment;
  // Asked before anything is touched: without Locker the credentials would be left behind.
  const locker = await openLocker(world);
  const specs = specsOf(world.configuration, [environment]);
  for (const spec of [...specs].reverse()) {
    progress.step(`remove ${instanceKey(spec.id)}`);
    await world.runtime.remove(spec);
    progress.done(`remove ${instanceKey(spec.id)}`);
  }
  const movedTo = await putAway(world, name, deleteData);
  await revokeAllOf(world, name);
  await locker.remove(name);
  await world.removeEnvironment(name);
  progress.done(`${name} is out of nexus3.yaml and Locker`);
  return movedTo;
}

async function putAway(world: World, name: string, deleteData: boolean): Promise<string | null> {
  const { dataRoot } = world.configuration;
  const { root } = layoutOf(dataRoot, name);
  const folder = join(dataRoot, REMOVED_FOLDER);
  const stamp = world.clock.now().toISOString().replaceAll(/[:.]/g, '-');
  const target = join(folder, `${deleteData ? DOOMED : ''}${name}-${stamp}`);
  try {
    await makeFolder(folder, { mode: 0o700 });
    const moved = await renameIfThere(root, target);
    await syncFolder(dataRoot);
    if (deleteData) await deleteDoomed(folder);
    return moved && !deleteData ? target : null;
  } catch (error) {
    throw writeFailure(root, error);
  }
}

async function renameIfThere(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to);
    return true;
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return false;
    throw error;
  }
}

/** Also what a `remove --delete-data` that was killed has left. */
async function deleteDoomed(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (name.startsWith(DOOMED)) await rm(join(folder, name), { recursive: true, force: true });
  }
}
