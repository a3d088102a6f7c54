/**
 * Where the vault does not serve past the guard, its operational may have the last copy of what no backup has; the refill
 * would take that away. A snapshot of it is kept, before anything is replaced: as a second name of the same file, so it
 * costs no room and no time.
 */
import { copyFile, link, mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Nexus3Error, systemErrorCode, writeFailure } from '../../errors.js';
import { syncFolder } from '../../files.js';
import type { InstanceId } from '../../protocol/environment.js';
import type { Progress } from '../../progress.js';
import { adminOf, credentialsOf } from '../access.js';
import type { EnvironmentFacts, InstanceFacts } from '../facts.js';
import { differsIn, hasData, isLocked, isUp, serverOf, servesPastGuard } from '../facts.js';
import { perform } from '../perform.js';
import { asideFolder } from '../vault-data/aside.js';
import type { World } from '../world.js';

/** What the operational holds, and the vault may not. */
export function mayBeLastCopy(facts: EnvironmentFacts): boolean {
  const { operational } = facts;
  if (operational === undefined || differsIn(operational, 'mount')) return false;
  return hasData(operational) && !servesPastGuard(facts);
}

/**
 * One that hangs may have the last copy in its memory, and nobody knows whether it can still save: ended by a restore, that
 * could be gone. @throws Nexus3Error RESTORE_REFUSED. Pure.
 */
export function refuseSilentLastCopy(facts: EnvironmentFacts): void {
  const { environment, operational } = facts;
  if (operational === undefined || servesPastGuard(facts)) return;
  if (!isUp(operational) || operational.view?.state !== 'unreachable') return;
  const { name } = environment;
  throw new Nexus3Error('RESTORE_REFUSED', `The operational of ${name} runs but does not answer.`, {
    evidence: [operational.view.detail, 'the vault does not serve, so what that holds in memory may be the last copy'],
    hint: `Nothing was changed. See why: nexus3 logs ${name} --operational. To go on with what it can still save: nexus3 down ${name}, then run it again.`,
  });
}

/** @returns its name in `aside/`; null: there was nothing to keep */
export async function keepOperational(
  world: World,
  facts: EnvironmentFacts,
  name: string,
  progress: Progress,
): Promise<string | null> {
  const { operational, environment } = facts;
  if (!mayBeLastCopy(facts) || operational === undefined) return null;
  const folder = join(asideFolder(world, environment.name), name);
  if (isUp(operational) && isLocked(operational)) {
    await savedByStop(world, operational, () => linkSnapshot(operational, folder), progress);
  } else {
    if (serverOf(operational) !== undefined) await save(world, facts);
    await linkSnapshot(operational, folder);
  }
  progress.done('a snapshot of the operational is kept');
  return name;
}

async function save(world: World, { environment }: EnvironmentFacts): Promise<void> {
  await using admin = await adminOf(world, environment, 'operational', await credentialsOf(world, environment));
  await admin.save();
}

/**
 * Nobody can log in to ask for a snapshot; stopped, a server writes one. Then it answers reads again, with the passwords
 * that Locker has.
 * @throws Nexus3Error RESTORE_REFUSED where it has written none
 */
async function savedByStop(
  world: World,
  { spec, id }: InstanceFacts,
  keep: () => Promise<void>,
  progress: Progress,
): Promise<void> {
  const before = await writtenAt(spec.dataDir);
  await world.runtime.stop(spec);
  try {
    if ((await writtenAt(spec.dataDir)) === before) {
      throw new Nexus3Error('RESTORE_REFUSED', `The operational of ${id.env} has saved nothing when it was stopped.`, {
        evidence: [`its snapshot in ${spec.dataDir} is an older one`, 'it refused the administrator’s password'],
        hint: 'Nothing was replaced. Where that snapshot is to be all that is kept of it, run it again.',
      });
    }
    await keep();
  } finally {
    await answerAgain(world, id, progress);
  }
}

/** What has been saved is what counts; the refill starts it again, too. */
async function answerAgain(world: World, on: InstanceId, progress: Progress): Promise<void> {
  try {
    await perform(world, { kind: 'render', on }, progress);
    await perform(world, { kind: 'start', on }, progress);
  } catch (error) {
    if (!(error instanceof Nexus3Error)) throw error;
    progress.note(`the operational of ${on.env} does not run again: ${error.message}`);
  }
}

/** Undefined: there is no snapshot. */
async function writtenAt(dataDir: string): Promise<bigint | undefined> {
  try {
    return (await stat(join(dataDir, 'dump.rdb'), { bigint: true })).mtimeNs;
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

async function linkSnapshot({ spec }: InstanceFacts, folder: string): Promise<void> {
  const snapshot = join(spec.dataDir, 'dump.rdb');
  try {
    await mkdir(folder, { mode: 0o700, recursive: true });
    await link(snapshot, join(folder, 'dump.rdb')).catch((error: unknown) => {
      // A file system without second names, or one that does not let this user give any.
      if (systemErrorCode(error) === 'ENOENT') throw error;
      return copyFile(snapshot, join(folder, 'dump.rdb'));
    });
    await syncFolder(folder);
  } catch (error) {
    throw writeFailure(folder, error);
  }
}
