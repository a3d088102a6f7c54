/**
 * The repository on disk: which backups lie there, and how one appears and goes, each by one rename. A folder of a backup
 * that begins with a dot is none yet (`.ID.new`) or none any more (`.ID.gone`). What a manifest says is not looked at here.
 *
 *     {root}/.lock  {root}/keys.json  {root}/{env}/{id}/{manifest.json,dump.rdb[.age]}  {root}/{env}/history/
 */
import { type Dirent } from 'node:fs';
import { lstat, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Nexus3Error, systemErrorCode, writeFailure } from '../errors.js';
import { clearHalfWrittenIn, syncFolder, writeFileWhole } from '../files.js';
import { lock, LOCK_WAIT_MS } from '../lock.js';
import { isEnvironmentName } from '../protocol/environment.js';
import { BACKUP_ID, type BackupId } from './backups.js';
import { readable, readSmallFile, refuseOther, Unreadable } from './hashed-file.js';
import type { BackupPlace } from './faults.js';
import { MANIFEST_BYTES_MAX } from './manifest.js';

/** Backups hold everything that the vaults hold: nobody else may look in. */
const FOLDER_MODE = 0o700;
const FILE_MODE = 0o600;
const MANIFEST_FILE = 'manifest.json';
/** Of backups that are being made or removed. */
const LEFTOVER = /^\.\d{8}T\d{6}Z-[0-9a-f]{4}\.(new|gone)$/;
/** Where a pull gathers what it fetches, below the root. */
export const PULL_STAGE = '.pull.new';

export class Repository {
  /** @param root absolute */
  constructor(readonly root: string) {}

  /**
   * Held by whoever changes the repository. What runs that were killed have left is swept first.
   * @throws Nexus3Error LOCK_HELD, FILE_NOT_WRITABLE, DISK_FULL
   */
  async acquire(command: string, onWait: (holder: string) => void): Promise<AsyncDisposable> {
    await makeFolderDurably(this.root);
    const held = await lock(this.root, command, onWait, LOCK_WAIT_MS, 'backup repository');
    try {
      await this.#sweep();
      return held;
    } catch (error) {
      await held[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Names, sorted. Such as have at least one backup. */
  async environments(): Promise<readonly string[]> {
    const found: string[] = [];
    for (const env of await this.folders()) if ((await this.ids(env)).length > 0) found.push(env);
    return found.sort();
  }

  /** Sorted. Whatever is named as a backup is, also what is no folder: its reader says so. */
  async ids(env: string): Promise<readonly BackupId[]> {
    if (!(await this.folders()).includes(env)) return [];
    const entries = await entriesOf(join(this.root, env));
    return entries
      .map(({ name }) => name)
      .filter((name) => BACKUP_ID.test(name))
      .sort();
  }

  async holds({ env, id }: BackupPlace): Promise<boolean> {
    return (await this.ids(env)).includes(id);
  }

  folderOf({ env, id }: BackupPlace): string {
    if (!isEnvironmentName(env) || !BACKUP_ID.test(id)) throw new RangeError('no place in a repository');
    return join(this.root, env, id);
  }

  /** @throws Unreadable */
  async manifestText(place: BackupPlace): Promise<string> {
    const folder = this.folderOf(place);
    const stat = await readable(() => lstat(folder));
    if (!stat.isDirectory()) throw new Unreadable('the backup is no folder');
    return readSmallFile(join(folder, MANIFEST_FILE), MANIFEST_BYTES_MAX);
  }

  /** Bytes of a plain file of a backup. @throws Unreadable */
  async sizeOf(place: BackupPlace, file: string): Promise<number> {
    const stat = await readable(() => lstat(join(this.folderOf(place), file)));
    refuseOther(stat);
    return stat.size;
  }

  /** Written whole. @throws Nexus3Error DISK_FULL, FILE_NOT_WRITABLE */
  async writeManifest(place: BackupPlace, text: string): Promise<void> {
    await writeFileWhole(join(this.folderOf(place), MANIFEST_FILE), text, { mode: FILE_MODE });
  }

  /**
   * A new backup: `fill` puts the files into a hidden folder, durably, and returns the manifest; by a rename it is there.
   * When `fill` fails, nothing is.
   * @throws Nexus3Error DISK_FULL, FILE_NOT_WRITABLE; and whatever `fill` throws
   */
  async add<T>(
    place: BackupPlace,
    fill: (folder: string) => Promise<{ readonly manifest: string; readonly result: T }>,
  ): Promise<T> {
    const folder = this.folderOf(place);
    const hidden = join(dirname(folder), `.${place.id}.new`);
    await makeFolderDurably(dirname(folder));
    if (!(await this.folders()).includes(place.env)) throw notOurs(dirname(folder));
    try {
      await mkdir(hidden, { mode: FOLDER_MODE });
    } catch (error) {
      throw writeFailure(hidden, error);
    }
    try {
      const { manifest, result } = await fill(hidden);
      await writeFileWhole(join(hidden, MANIFEST_FILE), manifest, { mode: FILE_MODE });
      await moveFolder(hidden, folder);
      return result;
    } catch (error) {
      // What went wrong first is what counts; what cannot be removed now is swept later.
      await rm(hidden, { recursive: true, force: true }).catch(() => undefined);
      throw error;
    }
  }

  /** One that is not there is removed already. @throws Nexus3Error FILE_NOT_WRITABLE */
  async remove(place: BackupPlace): Promise<void> {
    const folder = this.folderOf(place);
    if (!(await this.holds(place))) return;
    const hidden = join(dirname(folder), `.${place.id}.gone`);
    try {
      await rm(hidden, { recursive: true, force: true });
      await moveFolder(folder, hidden);
      await rm(hidden, { recursive: true, force: true });
    } catch (error) {
      throw writeFailure(folder, error);
    }
  }

  /** Of environments, whatever lies in them. */
  async folders(): Promise<readonly string[]> {
    const entries = await entriesOf(this.root);
    return entries.filter((entry) => entry.isDirectory() && isEnvironmentName(entry.name)).map(({ name }) => name);
  }

  async #sweep(): Promise<void> {
    await clearHalfWrittenIn([this.root]);
    await sweepFolder(join(this.root, PULL_STAGE));
    for (const env of await this.folders()) {
      const folder = join(this.root, env);
      for (const { name } of await entriesOf(folder)) {
        if (!LEFTOVER.test(name)) continue;
        await sweepFolder(join(folder, name));
      }
      const backups = await this.ids(env);
      await clearHalfWrittenIn(backups.map((id) => join(folder, id)));
    }
  }
}

async function sweepFolder(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true }).catch((error: unknown) => {
    throw writeFailure(folder, error);
  });
}

/** Empty: not there. @throws Nexus3Error FILE_NOT_WRITABLE where it cannot be read */
async function entriesOf(folder: string): Promise<readonly Dirent[]> {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === 'ENOENT') return [];
    if (code === undefined) throw error;
    const isForbidden = code === 'EACCES' || code === 'EPERM';
    throw new Nexus3Error('FILE_NOT_WRITABLE', `The folder of backups ${folder} cannot be read.`, {
      evidence: [`${code} on ${folder}`],
      hint: isForbidden
        ? 'Run nexus3 as the user who makes the backups; they are closed to everybody else.'
        : 'See whether that is the folder of backups (`backup: root` in nexus3.yaml), and whether its disk is well.',
      cause: error,
    });
  }
}

function notOurs(folder: string): Nexus3Error {
  return new Nexus3Error('FILE_NOT_WRITABLE', `${folder} cannot be written.`, {
    evidence: ['it is a symbolic link, which is not followed'],
    hint: 'Put a folder there. Only backup.root itself may be a link, to where there is room.',
  });
}

/** With all that is above it, and closed to others where it is made now. @throws Nexus3Error DISK_FULL, FILE_NOT_WRITABLE */
async function makeFolderDurably(folder: string): Promise<void> {
  try {
    const first = await mkdir(folder, { recursive: true, mode: FOLDER_MODE });
    if (first === undefined) return;
    for (let made = folder; made.length >= first.length; made = dirname(made)) await syncFolder(dirname(made));
  } catch (error) {
    throw writeFailure(folder, error);
  }
}

async function moveFolder(from: string, to: string): Promise<void> {
  try {
    await syncFolder(from);
    await rename(from, to);
    await syncFolder(dirname(to));
  } catch (error) {
    throw writeFailure(to, error);
  }
}
