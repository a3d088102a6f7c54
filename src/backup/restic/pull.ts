/**
 * What lies at the target and not here, brought here. It is restored into a hidden folder, looked at, and put in its place by
 * renames: a backup appears whole, and nothing that can be used is ever replaced. Whether it can be believed, its manifest's MAC
 * and its hashes say when it is used.
 */
import { chmod, chown, lstat, mkdir, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { systemErrorCode, writeFailure } from '../../errors.js';
import { makeFolder, syncFolder } from '../../files.js';
import { isEnvironmentName } from '../../protocol/environment.js';
import { BACKUP_ID } from '../backups.js';
import { resticFailed } from './faults.js';
import type { StoredFile } from './messages.js';
import { parseFile, parseSnapshots } from './messages.js';
import type { ResticSession } from './session.js';

/** Generous: terabytes over a slow line. A run that is cut off goes on where it was. */
export const DATA_TIMEOUT_MS = 24 * 3_600_000;
const LIST_TIMEOUT_MS = 600_000;
/** How many files one run is asked for: its arguments have a limit. */
const FILES_A_RUN_MAX = 500;
/** Of the newest snapshot of each host and folder: more there are not on purpose. */
const SNAPSHOTS_MAX = 50;
const FILES_MAX = 1_000_000;
const STAGE = '.pull.new';
/** What one vault incarnation wrote is brought whole or not at all: its index says which files make it. */
const LINEAGE = /^[0-9a-f]{16,64}(-\d{1,3})?$/;
const HISTORY_FILE = /^[A-Za-z0-9][\w.-]{0,200}$/;
const HISTORY_INDEX = 'index.json';
const FOLDER_MODE = 0o700;
const FILE_MODE = 0o600;

export interface PullOptions {
  /** Absolute. */
  readonly root: string;
  /** Empty: all. */
  readonly envs: readonly string[];
  readonly tag: string;
  readonly onProgress: ((fraction: number) => void) | undefined;
}

/** What is moved into its place as one: a backup, the history of one vault incarnation, or the file of keys. */
interface Unit {
  /** Below the root. */
  readonly path: string;
  readonly files: readonly StoredFile[];
}

/** Under the repository's lock. @throws Nexus3Error RESTIC_FAILED, DISK_FULL, FILE_NOT_WRITABLE */
export async function pullMissing(session: ResticSession, options: PullOptions): Promise<{ readonly files: number }> {
  const { root, onProgress } = options;
  const listed = await session.run({
    args: ['snapshots', '--json', '--tag', options.tag, '--latest', '1'],
    timeoutMs: LIST_TIMEOUT_MS,
  });
  const snapshots = parseSnapshots(listed.stdout).slice(0, SNAPSHOTS_MAX);
  if (snapshots.length === 0) {
    throw resticFailed({
      message: 'The repository of restic holds nothing that nexus3 has pushed.',
      hint: 'See that `target:` in nexus3.yaml names the right repository.',
    });
  }
  const stage = join(root, STAGE);
  await makeFolder(root, { mode: FOLDER_MODE });
  await clear(stage);
  let files = 0;
  for (const [index, snapshot] of snapshots.entries()) {
    const missing = await missingUnits(root, await filesOf(session, snapshot, options.envs));
    for (const [at, part] of parts(missing).entries()) {
      await restore(session, snapshot, stage, part);
      for (const unit of part) await putInPlace(stage, root, unit);
      files += part.reduce((sum, unit) => sum + unit.files.length, 0);
      onProgress?.((index + (at + 1) / parts(missing).length) / snapshots.length);
    }
    onProgress?.((index + 1) / snapshots.length);
  }
  await clear(stage);
  return { files };
}

/** Those that belong to a repository of backups, whatever else somebody has put there. */
async function filesOf(
  session: ResticSession,
  snapshot: string,
  envs: readonly string[],
): Promise<readonly StoredFile[]> {
  const files: StoredFile[] = [];
  await session.run({
    args: ['ls', '--json', snapshot],
    timeoutMs: LIST_TIMEOUT_MS,
    onLine: (line) => {
      const file = parseFile(line);
      if (file === undefined || unitOf(file.path, envs) === undefined) return;
      if (files.length <= FILES_MAX) files.push(file);
    },
  });
  if (files.length <= FILES_MAX) return files;
  throw resticFailed({
    message: `A snapshot of restic holds more than ${String(FILES_MAX)} files of backups.`,
    hint: 'Name the environments that you need: nexus3 backup pull ENV',
  });
}

/** What a path belongs to, below the root; undefined: it is none of ours, or of an environment that was not asked for. */
export function unitOf(path: string, envs: readonly string[]): string | undefined {
  const [first, env = '', second = '', ...rest] = path.split('/');
  if (first !== '') return undefined;
  if (env === 'keys.json') return second === '' ? env : undefined;
  if (!isEnvironmentName(env) || (envs.length > 0 && !envs.includes(env))) return undefined;
  if (BACKUP_ID.test(second)) {
    return rest.length === 1 && /^(manifest\.json|dump\.rdb(\.age)?)$/.test(rest[0] ?? '')
      ? `${env}/${second}`
      : undefined;
  }
  const [lineage = '', file = '', ...deeper] = rest;
  const isHistory = second === 'history' && LINEAGE.test(lineage) && HISTORY_FILE.test(file) && deeper.length === 0;
  return isHistory ? `${env}/${second}/${lineage}` : undefined;
}

/** The keys first: without them, the rest cannot be believed. */
async function missingUnits(root: string, files: readonly StoredFile[]): Promise<readonly Unit[]> {
  const units = new Map<string, StoredFile[]>();
  for (const file of files) {
    const path = unitOf(file.path, []) ?? '';
    units.set(path, [...(units.get(path) ?? []), file]);
  }
  const missing: Unit[] = [];
  for (const [path, own] of units) if (!(await isHere(root, { path, files: own }))) missing.push({ path, files: own });
  return missing.sort((a, b) => Number(b.path === 'keys.json') - Number(a.path === 'keys.json'));
}

function parts(units: readonly Unit[]): readonly (readonly Unit[])[] {
  const found: Unit[][] = [];
  let count = Infinity;
  for (const unit of units) {
    if (count + unit.files.length > FILES_A_RUN_MAX) {
      found.push([]);
      count = 0;
    }
    found.at(-1)?.push(unit);
    count += unit.files.length;
  }
  return found;
}

async function restore(session: ResticSession, snapshot: string, stage: string, units: readonly Unit[]): Promise<void> {
  const includes = units.flatMap(({ files }) => files.flatMap(({ path }) => ['--include', path]));
  await session.run({
    args: ['restore', snapshot, '--target', stage, ...includes],
    timeoutMs: DATA_TIMEOUT_MS,
    onLine: () => undefined,
  });
  for (const { files } of units) for (const file of files) await accept(join(stage, file.path), file);
}

/** A plain file of the right size, ours alone and durable. */
async function accept(path: string, { path: name, bytes }: StoredFile): Promise<void> {
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

async function putInPlace(stage: string, root: string, { path }: Unit): Promise<void> {
  const [from, to] = [join(stage, path), join(root, path)];
  try {
    await mkdir(dirname(to), { recursive: true, mode: FOLDER_MODE });
    if ((await lstat(from)).isDirectory()) {
      await takeOver(from, FOLDER_MODE);
      await syncFolder(from);
    }
    // What is in the way is of no use; whoever holds the repository's lock next sweeps it.
    const gone = join(dirname(to), `.${basename(to)}.gone`);
    await rm(gone, { recursive: true, force: true });
    if ((await bytesOf(to)) !== undefined) await rename(to, gone);
    await rename(from, to);
    await syncFolder(dirname(to));
    await rm(gone, { recursive: true, force: true });
  } catch (error) {
    throw writeFailure(to, error);
  }
}

/** A backup whose snapshot is gone or of another size can be used for nothing: it is not here. */
async function isHere(root: string, { path, files }: Unit): Promise<boolean> {
  const dump = files.find((file) => /\/dump\.rdb(\.age)?$/.test(file.path));
  if (dump !== undefined) return (await bytesOf(join(root, dump.path))) === dump.bytes;
  const witness = path.includes('/history/') ? join(path, HISTORY_INDEX) : path;
  return (await bytesOf(join(root, witness))) !== undefined;
}

async function bytesOf(path: string): Promise<number | undefined> {
  try {
    return (await lstat(path)).size;
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  }
}

async function clear(folder: string): Promise<void> {
  try {
    await rm(folder, { recursive: true, force: true });
  } catch (error) {
    throw writeFailure(folder, error);
  }
}
