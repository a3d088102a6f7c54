/** Data moved out of the way, and discarded only when what took their place is proven. */
import { existsSync } from 'node:fs';
import { chown, mkdir, readdir, rename, rm, rmdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { systemErrorCode, writeFailure } from '../../errors.js';
import { makeFolder, syncFolder } from '../../files.js';
import type { Role } from '../../protocol/environment.js';
import { layoutOf } from '../../protocol/layout.js';
import type { InstanceSpec } from '../../runtime/runtime.js';
import type { World } from '../world.js';

export function asideFolder(world: World, env: string): string {
  return layoutOf(world.configuration.dataRoot, env).aside;
}

/** `2026-01-08T12-00-00-000Z`: of the names that things are moved to. */
export function stampOf(at: Date): string {
  return at.toISOString().replaceAll(/[:.]/g, '-');
}

/** `kept-`: never discarded by nexus3, because somebody may want it. */
export function keptName(what: string, stamp: string): string {
  return `kept-${what}-${stamp}`;
}

/** In what is kept, as long as its history is in no archive. */
export const UNARCHIVED_FILE = 'nexus3.unarchived';

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
  const stamp = stampOf(world.clock.now());
  const name = keep === true ? keptName(spec.id.role, stamp) : `${spec.id.role}-${stamp}`;
  const target = join(aside, name);
  try {
    await makeFolder(aside, { mode: 0o700 });
    if (replacement !== undefined) return (await exchange(spec.dataDir, target, replacement)) ? target : null;
    const before = await statIfThere(spec.dataDir);
    if (before !== undefined) await rename(spec.dataDir, target);
    await mkdir(spec.dataDir, { mode: 0o700 });
    const owner = before ?? world.runtime.newFolderOwner();
    if (owner !== undefined) await chown(spec.dataDir, owner.uid, owner.gid);
    await syncFolder(aside);
    await syncFolder(dirname(spec.dataDir));
    return before === undefined ? null : target;
  } catch (error) {
    throw writeFailure(spec.dataDir, error);
  }
}

/**
 * Moves a data folder to `target` and `replacement` into its place, by renames alone: cut off between them, the same call
 * goes on. A folder that was made meanwhile and is empty is nobody's data.
 * @returns whether something lies at `target` now.
 */
export async function exchange(dataDir: string, target: string, replacement: string): Promise<boolean> {
  if (existsSync(dataDir) && existsSync(replacement)) {
    if (await isEmpty(dataDir)) await rmdir(dataDir);
    else await rename(dataDir, target);
  }
  if (existsSync(replacement)) await rename(replacement, dataDir);
  for (const path of new Set([dirname(target), dirname(replacement), dirname(dataDir)])) await syncFolder(path);
  return existsSync(target);
}

async function isEmpty(folder: string): Promise<boolean> {
  return (await readdir(folder)).length === 0;
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
