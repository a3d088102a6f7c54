/** Data moved out of the way, and discarded only when what took their place is proven. */
import { chown, mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { systemErrorCode, writeFailure } from '../../errors.js';
import { makeFolder, syncFolder } from '../../files.js';
import type { Role } from '../../protocol/environment.js';
import { layoutOf } from '../../protocol/layout.js';
import type { InstanceSpec } from '../../runtime/runtime.js';
import type { World } from '../world.js';

export function asideFolder(world: World, env: string): string {
  return layoutOf(world.configuration.dataRoot, env).aside;
}

export interface AsideOptions {
  /** A folder that takes the place of what is moved; otherwise an empty one does. */
  readonly replacement?: string;
  /** Never discarded by nexus3: somebody may want it. */
  readonly keep?: boolean;
}

/**
 * Renames a stopped instance's data folder into `aside/`, and puts something of the same owner in its place.
 * @returns where the data are now; null when there was no folder.
 */
export async function moveAside(world: World, spec: InstanceSpec, options: AsideOptions = {}): Promise<string | null> {
  const { replacement, keep } = options;
  const aside = asideFolder(world, spec.id.env);
  const stamp = world.clock.now().toISOString().replaceAll(/[:.]/g, '-');
  const target = join(aside, `${keep === true ? 'kept-' : ''}${spec.id.role}-${stamp}`);
  try {
    await makeFolder(aside, { mode: 0o700 });
    const before = await statIfThere(spec.dataDir);
    if (before !== undefined) await rename(spec.dataDir, target);
    if (replacement === undefined) {
      await mkdir(spec.dataDir, { mode: 0o700 });
      const owner = before ?? world.runtime.newFolderOwner();
      if (owner !== undefined) await chown(spec.dataDir, owner.uid, owner.gid);
    } else {
      await rename(replacement, spec.dataDir);
    }
    await syncFolder(aside);
    await syncFolder(layoutOf(world.configuration.dataRoot, spec.id.env).root);
    return before === undefined ? null : target;
  } catch (error) {
    throw writeFailure(spec.dataDir, error);
  }
}

/** Also what runs that were killed have left behind. */
export async function discardAside(world: World, env: string, role: Role): Promise<void> {
  const aside = asideFolder(world, env);
  let left = 0;
  for (const name of await namesIn(aside)) {
    if (name.startsWith(`${role}-`)) await rm(join(aside, name), { recursive: true, force: true });
    else left += 1;
  }
  if (left === 0) await rm(aside, { recursive: true, force: true });
}

/** Whether a recovery of this instance was cut off before it discarded what it had moved aside. */
export async function hasAside(world: World, env: string, role: Role): Promise<boolean> {
  return (await namesIn(asideFolder(world, env))).some((name) => name.startsWith(`${role}-`));
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return [];
    throw error;
  }
}

async function statIfThere(path: string): Promise<{ readonly uid: number; readonly gid: number } | undefined> {
  try {
    return await stat(path);
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
