/**
 * The files of a change of the root key, beside it:
 *
 *     root.key.next       the new key, whole, before it is the one
 *     root.key.previous   the old key, from just before until everything is under the new one
 *
 * The rename of `root.key.next` to `root.key` is the moment at which the new key is the one.
 */
import { rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { writeFailure } from '../../errors.js';
import { syncFolder, writeFileWhole } from '../../files.js';
import type { RootKey } from '../root-key.js';

const FILE_MODE = 0o600;

export interface KeyFiles {
  readonly next: string;
  readonly previous: string;
}

export function keyFiles(rootKeyPath: string): KeyFiles {
  return { next: `${rootKeyPath}.next`, previous: `${rootKeyPath}.previous` };
}

export async function writeKey(path: string, key: RootKey): Promise<void> {
  await writeFileWhole(path, key.toText(), { mode: FILE_MODE });
}

/** Renames it and makes that durable. */
export async function moveKey(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
    await syncFolder(dirname(to));
  } catch (error) {
    throw writeFailure(to, error);
  }
}

/**
 * Only the name goes. To overwrite the old bytes first would be pointless: a file system that copies on write, a journal
 * or a flash disk keeps them where no program can reach them. What counts is that they open nothing any more.
 */
export async function removeKey(path: string): Promise<void> {
  try {
    await rm(path, { force: true });
    await syncFolder(dirname(path));
  } catch (error) {
    throw writeFailure(path, error);
  }
}
