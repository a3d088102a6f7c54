/** A folder that appears with all of its files or not at all: made beside, and put in its place by one rename. */
import { mkdir, readdir, realpath, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { Nexus3Error, systemErrorCode, writeFailure } from '../../errors.js';
import { makeFolder, syncFolder, writeFileWhole } from '../../files.js';

const FOLDER = { mode: 0o755 };
const FILE = { mode: 0o644 };

/** Those that this process is at, and how many there have been. */
const drafts = new Set<string>();
let count = 0;

/**
 * @param path absolute; not there, or an empty folder. Its parents are made.
 * @throws Nexus3Error FOLDER_NOT_EMPTY, FILE_NOT_WRITABLE, DISK_FULL
 */
export async function writeFolderWhole(path: string, files: ReadonlyMap<string, string>): Promise<void> {
  await refuseUnlessEmpty(path);
  const parent = dirname(path);
  await makeFolder(parent, FOLDER);
  count += 1;
  const draft = join(parent, `.${basename(path)}.${String(process.pid)}.${String(count)}.new`);
  drafts.add(draft);
  try {
    await clearDrafts(path);
    await mkdir(draft, FOLDER);
    for (const [name, content] of files) {
      await makeFolder(dirname(join(draft, name)), FOLDER);
      await writeFileWhole(join(draft, name), content, FILE);
    }
    await rename(draft, path);
    await syncFolder(parent);
  } catch (error) {
    // What went wrong first is what counts.
    await rm(draft, { recursive: true, force: true }).catch(() => undefined);
    if (['ENOTEMPTY', 'EEXIST'].includes(systemErrorCode(error) ?? '')) throw notEmpty(path);
    throw writeFailure(path, error);
  } finally {
    drafts.delete(draft);
  }
}

/** Where a link leads to is where the folder is to be. @throws Nexus3Error FOLDER_NOT_EMPTY */
export async function placeOfNewFolder(path: string): Promise<string> {
  const real = await realpath(path).catch((error: unknown) => {
    if (systemErrorCode(error) === 'ENOENT') return path;
    throw writeFailure(path, error);
  });
  await refuseUnlessEmpty(real);
  return real;
}

async function refuseUnlessEmpty(path: string): Promise<void> {
  try {
    if ((await readdir(path)).length > 0) throw notEmpty(path);
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return;
    if (systemErrorCode(error) === 'ENOTDIR') throw notEmpty(path);
    throw writeFailure(path, error);
  }
}

function notEmpty(path: string): Nexus3Error {
  return new Nexus3Error('FOLDER_NOT_EMPTY', `${path} is there already, and is not an empty folder.`, {
    hint: 'Nothing was overwritten. Name another folder with --dir, or move that one away first.',
  });
}

/** What a command that was killed has left of the same folder. */
async function clearDrafts(path: string): Promise<void> {
  const parent = dirname(path);
  for (const name of await readdir(parent)) {
    const pid = name.startsWith(`.${basename(path)}.`)
      ? /^(\d{1,10})\.\d{1,10}\.new$/.exec(name.slice(basename(path).length + 2))?.[1]
      : undefined;
    if (pid === undefined || drafts.has(join(parent, name)) || (Number(pid) !== process.pid && isRunning(Number(pid))))
      continue;
    await rm(join(parent, name), { recursive: true, force: true });
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return systemErrorCode(error) !== 'ESRCH';
  }
}
