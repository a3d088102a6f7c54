/**
 * What lies at the target and cannot be used here, brought here. It is restored into a hidden folder, looked at, and put in
 * its place by renames: a backup appears whole, and nothing is replaced that can be used, nor by what cannot.
 */
import { join } from 'node:path';
import { Nexus3Error } from '../../errors.js';
import { makeFolder } from '../../files.js';
import { PULL_STAGE } from '../repository.js';
import { resticFailed } from './faults.js';
import type { Judge } from './judge.js';
import type { StoredFile } from './messages.js';
import { parseFile, parseSnapshots } from './messages.js';
import type { ResticSession } from './session.js';
import { accept, bytesOf, clear, putInPlace } from './staging.js';
import type { Unit } from './units.js';
import { inOrder, kindOf, runsOf, unitOf, unitsOf } from './units.js';

/** Generous: terabytes over a slow line. A run that is cut off goes on where it was. */
export const DATA_TIMEOUT_MS = 24 * 3_600_000;
const LIST_TIMEOUT_MS = 600_000;
/** Of the newest snapshot of each host and folder: more there are not on purpose. */
const SNAPSHOTS_MAX = 50;
const FILES_MAX = 1_000_000;
/** After so many units one after the other it is not for what is in them. */
const FAILURES_IN_A_ROW_MAX = 3;
const HISTORY_INDEX = 'index.json';
const FOLDER_MODE = 0o700;

export interface PullOptions {
  /** Absolute. */
  readonly root: string;
  /** Empty: all. */
  readonly envs: readonly string[];
  readonly tag: string;
  readonly judge: Judge;
  /** The backups here are read and hashed, so that also what has decayed is fetched anew. */
  readonly deep: boolean;
  readonly onProgress: ((fraction: number) => void) | undefined;
}

export interface Pulled {
  /** That were put in their place. */
  readonly files: number;
  /** Of these, what is here cannot be used, and what lies at the target neither. Below the root. */
  readonly damaged: readonly string[];
}

/** One pull at work. */
interface Pull extends PullOptions {
  readonly session: ResticSession;
  readonly stage: string;
  files: number;
  readonly damaged: string[];
  failuresInARow: number;
  /** The first one. */
  error?: Nexus3Error;
}

/**
 * Under the repository's lock. What fails for one unit stops none of the others; it is thrown at the end.
 * @throws Nexus3Error RESTIC_FAILED, DISK_FULL, FILE_NOT_WRITABLE
 */
export async function pullMissing(session: ResticSession, options: PullOptions): Promise<Pulled> {
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
  const pull: Pull = { ...options, session, stage: join(root, PULL_STAGE), files: 0, damaged: [], failuresInARow: 0 };
  await makeFolder(root, { mode: FOLDER_MODE });
  await clear(pull.stage);
  try {
    for (const [index, snapshot] of snapshots.entries()) {
      await pullSnapshot(pull, snapshot, (fraction) => onProgress?.((index + fraction) / snapshots.length));
    }
  } finally {
    await clear(pull.stage);
  }
  if (pull.error !== undefined) throw pull.error;
  return { files: pull.files, damaged: [...new Set(pull.damaged)] };
}

async function pullSnapshot(pull: Pull, snapshot: string, onProgress: (fraction: number) => void): Promise<void> {
  const units = inOrder(unitsOf(await filesOf(pull, snapshot)));
  // Only with the keys can be said what else is of use.
  const keys = units.filter(({ path }) => kindOf(path).kind === 'keys');
  await fetchAll(pull, snapshot, await wanted(pull, snapshot, keys));
  const runs = runsOf(await wanted(pull, snapshot, units.slice(keys.length)));
  for (const [at, run] of runs.entries()) {
    await fetchAll(pull, snapshot, run);
    onProgress((at + 1) / runs.length);
  }
  onProgress(1);
}

/** Together where that goes well; else one by one, so that what cannot be had keeps nothing else away. */
async function fetchAll(pull: Pull, snapshot: string, run: readonly Unit[]): Promise<void> {
  if (run.length === 0 || isHopeless(pull)) return;
  try {
    await restore(pull, snapshot, run);
  } catch (error) {
    if (!(error instanceof Nexus3Error)) throw error;
    await clear(pull.stage);
    if (run.length > 1) {
      for (const unit of run) await fetchAll(pull, snapshot, [unit]);
    } else {
      pull.error ??= error;
      pull.failuresInARow += 1;
    }
    return;
  }
  for (const unit of run) await place(pull, unit);
  pull.failuresInARow = 0;
}

function isHopeless({ failuresInARow }: Pull): boolean {
  return failuresInARow >= FAILURES_IN_A_ROW_MAX;
}

async function restore(pull: Pull, snapshot: string, units: readonly Unit[]): Promise<void> {
  await restoreInto(
    pull,
    snapshot,
    units.map(({ path }) => path),
  );
  for (const unit of units) await accept(pull.stage, unit);
}

async function restoreInto({ session, stage }: Pull, snapshot: string, paths: readonly string[]): Promise<void> {
  const includes = paths.flatMap((path) => ['--include', `/${path}`]);
  await session.run({
    args: ['restore', snapshot, '--target', stage, ...includes],
    timeoutMs: DATA_TIMEOUT_MS,
    onLine: () => undefined,
  });
}

/** Where there is something already, only what can be used takes its place. */
async function place(pull: Pull, { path, files }: Unit): Promise<void> {
  const { stage, root } = pull;
  if ((await bytesOf(join(root, path))) !== undefined && !(await isUsable(pull, stage, path))) {
    pull.damaged.push(path);
    await clear(join(stage, path));
    return;
  }
  await putInPlace(stage, root, path);
  pull.files += files.length;
}

/** Those that belong to a repository of backups, whatever else somebody has put there. */
async function filesOf({ session, envs }: Pull, snapshot: string): Promise<readonly StoredFile[]> {
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

async function wanted(pull: Pull, snapshot: string, units: readonly Unit[]): Promise<readonly Unit[]> {
  const lacking = new Set<Unit>();
  const mayBeBehind: Unit[] = [];
  for (const unit of units) {
    if (!(await isHere(pull, unit))) lacking.add(unit);
    else if (await isOtherHistory(pull, unit)) mayBeBehind.push(unit);
  }
  for (const unit of await behind(pull, snapshot, mayBeBehind)) lacking.add(unit);
  return units.filter((unit) => lacking.has(unit));
}

async function isHere(pull: Pull, { path, files }: Unit): Promise<boolean> {
  const { root } = pull;
  const dump = files.find((file) => /\/dump\.rdb(\.age)?$/.test(file.path));
  const isBackup = kindOf(path).kind === 'backup';
  if (isBackup && dump !== undefined && (await bytesOf(join(root, dump.path))) !== dump.bytes) return false;
  if ((await bytesOf(join(root, path))) === undefined) return false;
  return isUsable(pull, root, path);
}

async function isUsable({ judge, deep }: Pull, root: string, path: string): Promise<boolean> {
  const unit = kindOf(path);
  if (unit.kind === 'keys') return judge.keys(join(root, path));
  if (unit.kind === 'backup') return judge.backup(root, unit, deep);
  return (await judge.lineage(root, unit.env, unit.name, true)).usable;
}

/** Its index there has another length than here. */
async function isOtherHistory({ root }: Pull, { path, files }: Unit): Promise<boolean> {
  const index = files.find((file) => file.path === `/${path}/${HISTORY_INDEX}`);
  return index !== undefined && (await bytesOf(join(root, index.path))) !== index.bytes;
}

/** Of histories that are here, those which go on at the target: this machine has lost some of its own. */
async function behind(pull: Pull, snapshot: string, units: readonly Unit[]): Promise<readonly Unit[]> {
  const found: Unit[] = [];
  for (const run of runsOf(units)) {
    await restoreInto(
      pull,
      snapshot,
      run.map(({ path }) => `${path}/${HISTORY_INDEX}`),
    );
    for (const unit of run) {
      const lineage = kindOf(unit.path);
      if (lineage.kind !== 'lineage') continue;
      const [here, there] = await Promise.all([
        pull.judge.lineage(pull.root, lineage.env, lineage.name, true),
        pull.judge.lineage(pull.stage, lineage.env, lineage.name, false),
      ]);
      if (there.usable && there.reach > here.reach && here.reach !== -Infinity) found.push(unit);
    }
    await clear(pull.stage);
  }
  return found;
}
