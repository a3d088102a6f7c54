/** From the hidden folder that restic restores into, to the place in the repository here: looked at, then moved whole. */
import { chmod, chown, lstat, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { systemErrorCode, writeFailure } from '../../errors.js';
import { syncFolder } from '../../files.js';
import { resticFailed } from './faults.js';
import type { StoredFile } from './messages.js';
import type { Unit } from './units.js';

const FOLDER_MODE = 0o700;
const FILE_MODE = 0o600;

/** Every file that is listed, and no other. @throws Nexus3Error RESTIC_FAILED, FILE_NOT_WRITABLE */
export async function accept(stage: string, { path, files }: Unit): Promise<void> {
  for (const file of files) await acceptFile(join(stage, file.path), file);
  const folder = join(stage, path);
  if (!(await lstat(folder)).isDirectory()) return;
  const listed = new Set(files.map((file) => basename(file.path)));
  // It was asked for by its folder, and may hold what is none of ours.
  for (const name of await readdir(folder)) if (!listed.has(name)) await clear(join(folder, name));
}

/** A plain file of the right size, ours alone and durable. */
async function acceptFile(path: string, { path: name, bytes }: StoredFile): Promise<void> {
  const found = await bytesOf(path);
  if (found !== bytes || !(await lstat(path)).isFile()) {
    throw resticFailed({
      message: 'restic did not restore what it lists.',
      said: [`${name}: ${found === undefined ? 'not there' : `${String(found)} bytes instead of ${String(bytes)}`}`],
      hint: 'Look at the repository with `restic check`, then run the command again.',
    });
  }
  try {
    await takeOver(path, FILE_MODE);
    const file = await open(path, 'r');
    await file.sync().finally(() => file.close());
  } catch (error) {
    throw writeFailure(path, error);
  }
}

/** As root, restic gives a file to whoever had it on the machine that it comes from. */
async function takeOver(path: string, mode: number): Promise<void> {
  const stat = await lstat(path);
  const [uid, gid] = [process.geteuid?.() ?? stat.uid, process.getegid?.() ?? stat.gid];
  if (stat.uid !== uid || stat.gid !== gid) await chown(path, uid, gid);
  await chmod(path, mode);
}

export async function putInPlace(stage: string, root: string, path: string): Promise<void> {
  const [from, to] = [join(stage, path), join(root, path)];
  try {
    await mkdir(dirname(to), { recursive: true, mode: FOLDER_MODE });
    if ((await lstat(from)).isDirectory()) {
      await takeOver(from, FOLDER_MODE);
      await syncFolder(from);
    }
    // What is in the way is of less use. In the stage it goes with that, also when this run is cut off.
    const gone = join(stage, `.${path.replaceAll('/', '.')}.gone`);
    await rm(gone, { recursive: true, force: true });
    if ((await bytesOf(to)) !== undefined) await rename(to, gone);
    await rename(from, to);
    await syncFolder(dirname(to));
    await rm(gone, { recursive: true, force: true });
  } catch (error) {
    throw writeFailure(to, error);
  }
}

export async function bytesOf(path: string): Promise<number | undefined> {
  try {
    return (await lstat(path)).size;
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  }
}

export async function clear(folder: string): Promise<void> {
  try {
    await rm(folder, { recursive: true, force: true });
  } catch (error) {
    throw writeFailure(folder, error);
  }
}
