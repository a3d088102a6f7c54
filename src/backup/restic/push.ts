/**
 * Everything that lies in the repository here, to the target. No lock of the repository is held: a first push takes hours,
 * and a restore must not wait for it. That is sound, because nothing that restic reads is ever written into: a backup and a
 * part of a history appear whole, by a rename, and an index, a manifest and the file of keys are replaced by one; what is
 * being made or removed has a hidden name and is left out. But restic reads one name after the other. A prune may take a
 * backup away under it (it then complains, and ends with 3), and an archive may write an index that names parts which restic
 * has not listed. So what lies here is looked at before and after; when the two differ, it is stored once more, which is
 * quick: nearly all of it is there. A pull takes the newest snapshot, and that one is whole.
 */
import { readdir, lstat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { systemErrorCode } from '../../errors.js';
import { resticFailed } from './faults.js';
import { parseStatus, parseSummary } from './messages.js';
import { DATA_TIMEOUT_MS } from './pull.js';
import type { ResticSession } from './session.js';

export const TAG = 'nexus3';
/** What is being made or removed, and what belongs to this host alone. */
const EXCLUDED = ['.lock', '.*.new', '.*.gone', '*.new'];
const IS_EXCLUDED = /^\.lock$|\.new$|^\..*\.gone$/;
/** A run after the first takes seconds or minutes: hardly ever is something changed during two of them. */
const RUNS_MAX = 4;
/** Below the root: an environment, its history, a vault incarnation, a part. */
const DEPTH_MAX = 4;

type Summary = NonNullable<ReturnType<typeof parseSummary>>;

/** @param root absolute @throws Nexus3Error RESTIC_FAILED, DISK_FULL */
export async function push(
  session: ResticSession,
  root: string,
  onProgress: ((fraction: number) => void) | undefined,
): Promise<Summary> {
  let bytesAdded = 0;
  let before = await namesAndVersions(root);
  for (let runs = 1; ; runs += 1) {
    const { summary, isWhole, errors } = await store(session, root, onProgress);
    bytesAdded += summary.bytesAdded;
    const after = await namesAndVersions(root);
    const isUnchanged = isSame(before, after);
    if (isUnchanged && isWhole) return { snapshot: summary.snapshot, bytesAdded };
    if (isUnchanged) {
      throw resticFailed({
        message: 'restic could not read all that was to be copied; the rest is there.',
        said: errors,
        hint: 'Put right what it complains of, then run the command again.',
      });
    }
    if (runs === RUNS_MAX) {
      throw resticFailed({
        message: `The backups here were changed each time that they were copied, ${String(RUNS_MAX)} times.`,
        said: errors,
        hint: 'Run `nexus3 backup push` when no other command changes them.',
      });
    }
    before = after;
  }
}

async function store(
  session: ResticSession,
  root: string,
  onProgress: ((fraction: number) => void) | undefined,
): Promise<{ readonly summary: Summary; readonly isWhole: boolean; readonly errors: readonly string[] }> {
  let summary: Summary | undefined;
  const end = await session.store({
    args: [
      ...['backup', '.', '--json', '--tag', TAG, '--host', hostname()],
      ...EXCLUDED.flatMap((pattern) => ['--exclude', pattern]),
    ],
    // From within, so that the paths are those below it.
    cwd: root,
    timeoutMs: DATA_TIMEOUT_MS,
    onLine: (line) => {
      const fraction = parseStatus(line);
      if (fraction !== undefined) onProgress?.(fraction);
      summary = parseSummary(line) ?? summary;
    },
  });
  if (summary !== undefined) return { summary, ...end };
  throw resticFailed({
    message: 'restic backup ended well, but did not say what it has stored.',
    hint: 'Look at the repository with `restic snapshots`, then run the command again.',
  });
}

/** Of each file that is stored: which one it is. A rename that replaces it changes that. */
async function namesAndVersions(
  folder: string,
  below = '',
  depth = 0,
  found = new Map<string, string>(),
): Promise<ReadonlyMap<string, string>> {
  const entries = await ifThere(() => readdir(join(folder, below), { withFileTypes: true }));
  for (const entry of entries ?? []) {
    if (IS_EXCLUDED.test(entry.name)) continue;
    const path = join(below, entry.name);
    if (entry.isDirectory() && depth < DEPTH_MAX) await namesAndVersions(folder, path, depth + 1, found);
    const stat = entry.isFile() ? await ifThere(() => lstat(join(folder, path))) : undefined;
    if (stat !== undefined) found.set(path, [stat.ino, stat.size, stat.mtimeMs].join(' '));
  }
  return found;
}

/** Undefined: it went meanwhile, or cannot be read; then restic says so. */
async function ifThere<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
    return undefined;
  }
}

function isSame(a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): boolean {
  return a.size === b.size && [...a].every(([path, version]) => b.get(path) === version);
}
