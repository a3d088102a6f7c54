/**
 * `locker reset`: the way out when the root key is lost and there is no kit. Nobody can log in as an administrator any
 * more, so everything goes by files and restarts: a new root key, an empty Locker, new credentials for every environment.
 * Their data stay. A marker (reset-marker.ts) lies beside Locker's data from the first step to the last: a run that was cut
 * off is finished by the next one, and begins nothing again that has been done.
 */
import { join } from 'node:path';
import { Nexus3Error } from '../../errors.js';
import { readIfThere } from '../../files.js';
import { instanceKey, LOCKER_NAME } from '../../protocol/environment.js';
import { CONFIG_FILE, layoutOf } from '../../protocol/layout.js';
import { acceptedHashes, type Credentials, parseAclUser } from '../../protocol/users.js';
import type { Progress } from '../../progress.js';
import type { InstanceRuntimeState } from '../../runtime/runtime.js';
import { openLocker } from '../access.js';
import { isLocker, neededCredentials, specOf, specsOf } from '../desired.js';
import { isForeign } from '../facts.js';
import { readFolders } from '../folder.js';
import { look, repair } from '../loop.js';
import { refuseWhileLockerIsRestored } from '../restore/refuse.js';
import { UP_LICENCE } from '../up.js';
import { proveWriteAndRead } from '../wait.js';
import type { World } from '../world.js';
import { lockerOf } from './rekey.js';
import { renewEnvironment, type RenewedEnvironment } from './reset-environment.js';
import { endReset, moveLockerAside, readMarker, type ResetMarker, writeMarker } from './reset-marker.js';

export interface ResetReport {
  /** An earlier one had been cut off, and was finished. */
  readonly resumed: boolean;
  readonly rootKeyFile: string;
  /** The root key that opened nothing; null: there was none. */
  readonly keptRootKey: string | null;
  /** Locker's data and configuration as they were. */
  readonly keptLocker: string;
  readonly environments: readonly RenewedEnvironment[];
  readonly durationMs: number;
}

export interface ResetPreview {
  readonly resumes: boolean;
  readonly steps: readonly string[];
  readonly warnings: readonly string[];
}

const BACKUPS_WARNING =
  'The backups that there are belong to the lost root key: none of them can be restored without it. Make new ones afterwards: ' +
  'nexus3 backup create --all';

/** @throws RESET_REFUSED where nothing is lost */
export async function previewReset(world: World): Promise<ResetPreview> {
  await world.runtime.ready();
  const resumes = (await readMarker(world)) !== undefined;
  if (!resumes) await refuseWhereNothingIsLost(world);
  const names = world.configuration.environments.filter((one) => !isLocker(one)).map(({ name }) => name);
  return {
    resumes,
    steps: [
      'stop Locker, and move its data and its configuration aside, where they are kept',
      'move a root key that opens nothing aside, and make a new one',
      'start Locker empty, and prove it',
      `make new credentials for every environment that there is: ${names.join(', ')}`,
      'render them, and restart what runs: the vault, then its operational; prove each',
    ],
    warnings: [
      'All other values in Locker, and all tokens, are gone for good: only the lost root key opens what is kept.',
      'Every application needs its environment’s new password from then on.',
      ...((await world.backups.environments()).length === 0 ? [] : [BACKUPS_WARNING]),
    ],
  };
}

export async function reset(world: World, progress: Progress): Promise<ResetReport> {
  await world.runtime.ready();
  await using _lock = await world.locks.acquire('locker reset', (holder) => {
    progress.note(`waiting for ${holder}`);
  });
  const startedAt = world.clock.now().getTime();
  const earlier = await readMarker(world);
  if (earlier === undefined) await refuseWhereNothingIsLost(world);
  const marker = earlier ?? (await begin(world));
  const { rootKeyFile } = world.locker.custody;
  await stopLocker(world);
  const keptLocker = await moveLockerAside(world, marker);
  const keptRootKey = await putKeyAside(world, marker);
  if (!marker.moved) await writeMarker(world, { ...marker, moved: true });
  progress.done(`Locker is stopped, and what it held is kept in ${keptLocker}`);
  await startLocker(world, progress);
  progress.done('Locker is empty, under a new root key, and proven');
  const environments = await renewAll(world, marker, progress);
  await world.locker.note({ action: 'reset', what: 'Locker', outcome: 'ok' });
  const failed = environments.some(({ outcome }) => outcome === 'failed');
  if (!failed) await endReset(world);
  return {
    resumed: earlier !== undefined,
    rootKeyFile: rootKeyFile.path,
    keptRootKey,
    keptLocker,
    environments,
    durationMs: world.clock.now().getTime() - startedAt,
  };
}

/** What runs now is to run at the end. */
async function begin(world: World): Promise<ResetMarker> {
  const specs = specsOf(world.configuration, world.configuration.environments);
  const { instances } = await world.runtime.observe(specs);
  const running = [...instances.values()]
    .filter((state) => state.owned && isUp(state))
    .map(({ id }) => instanceKey(id));
  const hadRootKey = (await world.locker.custody.rootKeyFile.state()) !== 'missing';
  const stamp = world.clock.now().toISOString().replaceAll(/[:.]/g, '-');
  const marker = { stamp, hadRootKey, moved: false, running };
  await writeMarker(world, marker);
  return marker;
}

function isUp({ state }: InstanceRuntimeState): boolean {
  return state === 'running' || state === 'starting' || state === 'paused' || state === 'restarting';
}

/** @throws FOREIGN_INSTANCE */
async function stopLocker(world: World): Promise<void> {
  const spec = specOf(world.configuration, lockerOf(world), 'vault');
  const state = (await world.runtime.observe([spec])).instances.get(instanceKey(spec.id));
  if (state?.owned === false) {
    throw new Nexus3Error('FOREIGN_INSTANCE', `${spec.name} was not made by nexus3, so it is left alone.`, {
      hint: 'Put that container out of the way by hand first, keeping its data; then run `nexus3 locker reset` again.',
    });
  }
  if (state !== undefined) await world.runtime.stop(spec);
}

/** One that was made after the reset began is the new one already. */
async function putKeyAside(world: World, { hadRootKey, moved, stamp }: ResetMarker): Promise<string | null> {
  const { rootKeyFile } = world.locker.custody;
  if (!moved) await rootKeyFile.moveAside(stamp, hadRootKey);
  return hadRootKey ? rootKeyFile.asidePath(stamp) : null;
}

async function startLocker(world: World, progress: Progress): Promise<void> {
  const locker = lockerOf(world);
  const options = { licence: UP_LICENCE, mayCreateRootKey: true };
  const { failures, after } = await repair(world, [locker], options, progress);
  const [failure] = failures;
  if (failure !== undefined) throw failure.error;
  if (after.lockerError !== undefined) throw after.lockerError;
  await openLocker(world);
  await proveWriteAndRead(world, locker);
}

/** Those that were never up get theirs from `up`. */
async function renewAll(world: World, marker: ResetMarker, progress: Progress): Promise<readonly RenewedEnvironment[]> {
  const others = world.configuration.environments.filter((one) => !isLocker(one));
  const { instances } = await world.runtime.observe(specsOf(world.configuration, others));
  const there = others.filter((one) =>
    specsOf(world.configuration, [one]).some(({ id }) => instances.has(instanceKey(id))),
  );
  const locker = await openLocker(world);
  const now = world.clock.now();
  // All at once: they share their waits for Locker's disk.
  await Promise.all(there.map((one) => locker.generate(one.name, neededCredentials(one), now)));
  progress.done(`Locker holds new credentials of ${String(there.length)} environments`);
  const renewed: RenewedEnvironment[] = [];
  // One after the other, so that a host with many is never without all of them.
  for (const environment of there) renewed.push(await renewEnvironment(world, environment, marker, progress));
  return renewed;
}

/** @throws RESET_REFUSED; ROOT_KEY_UNSAFE for a key that only needs its mode put right */
async function refuseWhereNothingIsLost(world: World): Promise<void> {
  if ((await world.locker.custody.rootKeyFile.state()) !== 'there') return refuseWithoutAnything(world);
  const locker = lockerOf(world);
  const spec = specOf(world.configuration, locker, 'vault');
  const users = await readIfThere(join(spec.configDir, CONFIG_FILE.usersAcl));
  // The users that Locker starts with are rendered from its root key: they tell whether this is the one.
  if (users !== undefined && !(await isOfThisKey(world, users))) return;
  refuseWhileLockerIsRestored(world.configuration.dataRoot);
  const { diagnosed, lockerError } = await look(world, world.configuration.environments);
  if (lockerError !== undefined) {
    const cause = { evidence: [lockerError.message], cause: lockerError };
    throw new Nexus3Error('RESET_REFUSED', 'Locker cannot be asked, so nothing is known to be lost.', {
      ...cause,
      hint: 'Its users were made with this root key. Start it: nexus3 up locker',
    });
  }
  if ((await world.locker.custody.whatIsShut()) !== undefined) return;
  const locked = diagnosed.filter(({ facts }) =>
    [facts.vault, facts.operational].some((one) => one?.view?.state === 'locked' && !isForeign(one)),
  );
  if (locked.length > 0) return;
  throw new Nexus3Error(
    'RESET_REFUSED',
    'Nothing is lost: the root key opens all that Locker holds, and every administrator can log in.',
    {
      evidence: [`${String(diagnosed.length)} environments were asked`],
      hint: 'For new passwords: nexus3 rotate --all. For a new root key: nexus3 locker rekey',
    },
  );
}

/** Without a root key, what there is may not have been up yet. */
async function refuseWithoutAnything(world: World): Promise<void> {
  const specs = specsOf(world.configuration, world.configuration.environments);
  const { instances } = await world.runtime.observe(specs);
  const layout = layoutOf(world.configuration.dataRoot, LOCKER_NAME);
  const { hasData } = readFolders({ dataDir: layout.data.vault, configDir: layout.config.vault }, undefined);
  if (hasData || instances.size > 0) return;
  throw new Nexus3Error('RESET_REFUSED', 'There is nothing to reset: Locker holds nothing, and nothing was ever up.', {
    hint: 'Begin: nexus3 up',
  });
}

async function isOfThisKey(world: World, users: string): Promise<boolean> {
  const own = await ownUnlessOfAnotherKey(world);
  if (own === undefined) return false;
  const known = new Set(
    users
      .split('\n')
      .map(parseAclUser)
      .find((user) => user?.name === 'default')?.passwordHashes,
  );
  return acceptedHashes(own, 'default').some((hash) => known.has(hash));
}

async function ownUnlessOfAnotherKey(world: World): Promise<Credentials | undefined> {
  try {
    return await world.locker.ownCredentials(false);
  } catch (error) {
    if (error instanceof Nexus3Error && error.code === 'ROOT_KEY_WRONG') return undefined;
    throw error;
  }
}
