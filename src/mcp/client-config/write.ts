/** A host's configuration file, read and written whole: through a link, with the mode and the owner that it has. */
import { constants } from 'node:fs';
import { open, realpath } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Surroundings } from '../../config/locate.js';
import { userDataDir } from '../../config/locate.js';
import { Nexus3Error, systemErrorCode } from '../../errors.js';
import { makeFolder, writeFileWhole } from '../../files.js';
import type { WriteOptions } from '../../files.js';
import { lock } from '../../lock.js';

/** More is no such file. */
const FILE_BYTES_MAX = 4 * 1024 * 1024;
/** Other entries of it may hold secrets. */
const NEW_FILE: WriteOptions = { mode: 0o600 };
const FOLDER_MODE = 0o700;
/** Its program may be writing it as well. */
const TRIES_MAX = 3;
const LOCK_WAIT_MS = 10_000;

interface Found {
  readonly text: string;
  readonly options: WriteOptions;
}

/**
 * @returns whether it was changed
 * @throws Nexus3Error CLIENT_CONFIG_INVALID, FILE_NOT_WRITABLE, DISK_FULL, LOCK_HELD, and what `edit` throws
 */
export async function editClientFile(
  path: string,
  edit: (text: string) => string,
  surroundings: Surroundings,
  onWait: (holder: string) => void,
): Promise<boolean> {
  // One of nexus3 at a time, whichever file it is about: two would each write without what the other has put there.
  await using _lock = await lock(
    join(userDataDir(surroundings), 'mcp-config'),
    'mcp config',
    onWait,
    LOCK_WAIT_MS,
    'configuration of a client',
  );
  const target = await targetOf(path);
  for (let attempt = 1; ; attempt += 1) {
    const found = await read(target);
    const edited = edit(found?.text ?? '');
    if (edited === found?.text) return false;
    if (attempt < TRIES_MAX && (await read(target))?.text !== found?.text) continue;
    if (found === undefined) await makeFolder(dirname(target), { mode: FOLDER_MODE });
    await writeFileWhole(target, edited, found?.options ?? NEW_FILE);
    return true;
  }
}

/** What a link leads to, so that it stays a link. */
async function targetOf(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return path;
    throw unreadable(path, error);
  }
}

async function read(path: string): Promise<Found | undefined> {
  try {
    // Not blocking on a pipe.
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const { mode, uid, gid, size, isFile } = await statOf(file);
      if (!isFile) throw refused(path, 'it is no plain file');
      if (size > FILE_BYTES_MAX) throw refused(path, `it is larger than ${String(FILE_BYTES_MAX)} bytes`);
      const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(await file.readFile());
      return { text, options: { mode, owner: { uid, gid } } };
    } finally {
      await file.close();
    }
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw unreadable(path, error);
  }
}

async function statOf(file: Awaited<ReturnType<typeof open>>): Promise<{
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly isFile: boolean;
}> {
  const stat = await file.stat();
  return { mode: stat.mode & 0o7777, uid: stat.uid, gid: stat.gid, size: stat.size, isFile: stat.isFile() };
}

function unreadable(path: string, error: unknown): unknown {
  if (error instanceof Nexus3Error) return error;
  if (error instanceof TypeError) return refused(path, 'it is no UTF-8 text');
  const code = systemErrorCode(error);
  return code === undefined ? error : refused(path, `${code} on ${path}`);
}

function refused(path: string, evidence: string): Nexus3Error {
  return new Nexus3Error('CLIENT_CONFIG_INVALID', `${path} cannot be read as the configuration of a client.`, {
    evidence: [evidence],
    hint: 'Name the right file with --file. Without --client, what belongs there is printed.',
  });
}
