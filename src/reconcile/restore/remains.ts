/** What lies in an environment's folder, before one is called new: whatever is not made again by a start is somebody's data. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { systemErrorCode } from '../../errors.js';
import { layoutOf } from '../../protocol/layout.js';
import type { World } from '../world.js';
import { stagedFolder } from './restoring.js';

/** Configuration, what a runtime writes down of its processes, and a scratch server's folder. */
const MADE_AGAIN: ReadonlySet<string> = new Set(['config', 'run', 'scratch']);

/**
 * Any file at all: also one that only its operational had, and what earlier restores have kept. Left out is what a restore
 * that was cut off before it changed anything has staged.
 */
export async function hasRemains(world: World, env: string): Promise<boolean> {
  const { root } = layoutOf(world.configuration.dataRoot, env);
  for (const name of (await namesIn(root)) ?? []) {
    if (!MADE_AGAIN.has(name) && (await hasFile(join(root, name), stagedFolder(world, env)))) return true;
  }
  return false;
}

async function hasFile(path: string, except: string): Promise<boolean> {
  if (path === except) return false;
  const names = await namesIn(path);
  if (names === undefined) return true;
  for (const name of names) if (await hasFile(join(path, name), except)) return true;
  return false;
}

/** Undefined: it is no folder. None where there is nothing. */
async function namesIn(path: string): Promise<readonly string[] | undefined> {
  try {
    return await readdir(path);
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === 'ENOTDIR') return undefined;
    if (code === 'ENOENT') return [];
    throw error;
  }
}
