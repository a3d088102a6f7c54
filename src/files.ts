/** Files written whole, so that a kill at any instant leaves the old content or the new, never a part. */
import { chown, mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { systemErrorCode, writeFailure } from './errors.js';

export interface WriteOptions {
  readonly mode: number;
  readonly owner?: { readonly uid: number; readonly gid: number } | undefined;
}

/**
 * Temporary file in the same folder, fsync, rename, fsync of the folder.
 * @throws Nexus3Error DISK_FULL, FILE_NOT_WRITABLE
 */
export async function writeFileWhole(path: string, content: string | Buffer, options: WriteOptions): Promise<void> {
  const temporary = `${path}.${String(process.pid)}.new`;
  try {
    const file = await open(temporary, 'w', options.mode);
    try {
      await file.writeFile(content);
      await file.chmod(options.mode);
      if (options.owner !== undefined) await file.chown(options.owner.uid, options.owner.gid);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
    await syncFolder(dirname(path));
  } catch (error) {
    // What went wrong first is what counts.
    await rm(temporary, { force: true }).catch(() => undefined);
    throw writeFailure(path, error);
  }
}

/** Makes a folder and its parents; only folders made now get the mode and the owner. */
export async function makeFolder(path: string, options: WriteOptions): Promise<void> {
  try {
    const first = await mkdir(path, { recursive: true, mode: options.mode });
    if (first !== undefined && options.owner !== undefined) await chown(path, options.owner.uid, options.owner.gid);
  } catch (error) {
    throw writeFailure(path, error);
  }
}

export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** The text of a file; undefined when it is not there. Other failures are thrown as they are. */
export async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT' || systemErrorCode(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}
