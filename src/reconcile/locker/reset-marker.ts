/**
 * What a reset has begun, in `{dataRoot}/locker/reset`. Everything is moved to places that are named by its stamp, so
 * whoever goes on sees by what lies there what has been done.
 */
import { existsSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Nexus3Error, systemErrorCode, writeFailure } from '../../errors.js';
import { makeFolder, readIfThere, syncFolder, writeFileWhole } from '../../files.js';
import { LOCKER_NAME } from '../../protocol/environment.js';
import { layoutOf } from '../../protocol/layout.js';
import { journalPath } from '../restore/journal.js';
import { stagedFolder } from '../restore/restoring.js';
import { asideFolder } from '../vault-data/aside.js';
import type { World } from '../world.js';

const MARKER_FILE = 'reset';
const FOLDER_MODE = 0o700;

export interface ResetMarker {
  /** Of the names that things are moved to. */
  readonly stamp: string;
  readonly hadRootKey: boolean;
  /** All that is to be moved is: what lies in its place now is new, and stays. */
  readonly moved: boolean;
  /** `track/vault`, …: what ran when it began, and is to run at the end. */
  readonly running: readonly string[];
}

/** Whatever it says. */
export function isResetBegun(world: World): boolean {
  return existsSync(markerPath(world));
}

export async function readMarker(world: World): Promise<ResetMarker | undefined> {
  const text = await readIfThere(markerPath(world));
  if (text === undefined) return undefined;
  const marker = parse(text);
  if (marker !== undefined) return marker;
  throw new Nexus3Error('RESET_REFUSED', 'The marker of a reset cannot be read.', {
    evidence: [markerPath(world)],
    hint: 'nexus3 did not write it so. Remove that file, then run `nexus3 locker reset` again.',
  });
}

/**
 * For whoever may make a root key, under the lock: the one that a reset has yet to make is the only one that it goes on with.
 * @throws RESET_UNFINISHED
 */
export async function refuseUnfinishedReset(world: World): Promise<void> {
  if ((await readMarker(world)) === undefined) return;
  throw new Nexus3Error('RESET_UNFINISHED', 'A reset of Locker was cut off; nothing was changed.', {
    evidence: [markerPath(world)],
    hint: 'Finish it: nexus3 locker reset',
  });
}

export async function writeMarker(world: World, marker: ResetMarker): Promise<void> {
  await makeFolder(layoutOf(world.configuration.dataRoot, LOCKER_NAME).root, { mode: 0o755 });
  await writeFileWhole(markerPath(world), `${JSON.stringify(marker)}\n`, { mode: 0o600 });
}

export async function endReset(world: World): Promise<void> {
  await rm(markerPath(world), { force: true });
  await syncFolder(layoutOf(world.configuration.dataRoot, LOCKER_NAME).root);
}

/** The data and, with the guard's mark in it, the configuration. @returns the folder that both are kept in */
export async function moveLockerAside(world: World, { stamp, moved }: ResetMarker): Promise<string> {
  const { data, config, root } = layoutOf(world.configuration.dataRoot, LOCKER_NAME);
  const kept = join(asideFolder(world, LOCKER_NAME), `kept-reset-${stamp}`);
  try {
    // Also where all else was moved by a run that knew nothing of restores: none can begin before the reset has ended.
    await moveRestoreAside(world, kept);
    if (moved) return kept;
    await makeFolder(kept, { mode: FOLDER_MODE });
    await moveOnce(data.vault, join(kept, 'vault'));
    await moveOnce(config.vault, join(kept, 'config'));
    await syncFolder(kept);
    await syncFolder(root);
    return kept;
  } catch (error) {
    throw writeFailure(kept, error);
  }
}

/** A restore of Locker that was cut off: neither of its copies opens any more, and the new Locker has nothing to do with it. */
async function moveRestoreAside(world: World, kept: string): Promise<void> {
  const { root } = layoutOf(world.configuration.dataRoot, LOCKER_NAME);
  await makeFolder(kept, { mode: FOLDER_MODE });
  await moveOnce(stagedFolder(world, LOCKER_NAME), join(kept, 'vault-restored'));
  await moveOnce(journalPath(world.configuration.dataRoot, LOCKER_NAME), join(kept, 'restore.json'));
  await syncFolder(kept);
  await syncFolder(root);
}

/** What is there already was moved by a run that was cut off. */
async function moveOnce(from: string, to: string): Promise<void> {
  if (existsSync(to)) return;
  try {
    await rename(from, to);
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT') throw error;
  }
}

function markerPath(world: World): string {
  return join(layoutOf(world.configuration.dataRoot, LOCKER_NAME).root, MARKER_FILE);
}

function parse(text: string): ResetMarker | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null) return undefined;
    const { stamp, hadRootKey, moved, running } = value as Readonly<Record<string, unknown>>;
    if (typeof stamp !== 'string' || !/^[0-9A-Z-]+$/i.test(stamp) || typeof hadRootKey !== 'boolean') return undefined;
    const list: readonly unknown[] = Array.isArray(running) ? running : [];
    return { stamp, hadRootKey, moved: moved === true, running: list.filter((one) => typeof one === 'string') };
  } catch {
    // No JSON, so not ours: the caller says what that means.
    return undefined;
  }
}
