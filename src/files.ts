/** Files written whole, so that a kill at any instant leaves the old content or the new, never a part. */
import { chown, mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { systemErrorCode, writeFailure } from './errors.js';

export interface WriteOptions {
  readonly mode: number;
  readonly owner?: { readonly uid: number; readonly gid: number } | undefined;
}

/**
 * Temporary file in the same folder, fsync, rename, fsync of the folder. What a writer that was killed has left of the
 * same file is cleared: whatever made it write makes the next run write again. The temporary file is made anew and
 * never followed as a link, because root also writes into folders of other users.
 * @throws Nexus3Error DISK_FULL, FILE_NOT_WRITABLE
 */
export async function writeFileWhole(path: string, content: string | Buffer, options: WriteOptions): Promise<void> {
  const temporary = `${path}.${String(process.pid)}.new`;
  try {
    await clearHalfWritten(path);
    const file = await open(temporary, 'wx', options.mode);
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

/**
 * Clears `NAME.PID.new` of processes that are no more from these folders, as far as they are there. For the one who holds
 * the lock of a data root: a killed command may have left what no later one would write again.
 * @throws Nexus3Error FILE_NOT_WRITABLE
 */
export async function clearHalfWrittenIn(folders: readonly string[]): Promise<void> {
  for (const folder of folders) {
    try {
      for (const name of await namesIn(folder)) {
        const pid = /\.(\d{1,10})\.new$/.exec(name)?.[1];
        if (pid === undefined || isRunning(Number(pid))) continue;
        await rm(join(folder, name), { force: true });
      }
    } catch (error) {
      throw writeFailure(folder, error);
    }
  }
}

/** Also what an earlier process of this very pid has left. */
async function clearHalfWritten(path: string): Promise<void> {
  const prefix = `${basename(path)}.`;
  for (const name of await namesIn(dirname(path))) {
    const pid = /^(\d{1,10})\.new$/.exec(name.startsWith(prefix) ? name.slice(prefix.length) : '')?.[1];
    if (pid === undefined || (Number(pid) !== process.pid && isRunning(Number(pid)))) continue;
    await rm(join(dirname(path), name), { force: true });
  }
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT' || systemErrorCode(error) === 'ENOTDIR') return [];
    throw error;
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return systemErrorCode(error) !== 'ESRCH';
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

/** fsync on any descriptor of a file writes back all of it, whoever wrote it. Failures are thrown as they are. */
export async function syncFile(path: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    await file.sync();
  } finally {
    await file.close();
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
