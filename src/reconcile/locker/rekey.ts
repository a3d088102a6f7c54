/**
 * `locker rekey`: another root key for Locker, with no moment at which neither opens. Each step is durable before the
 * next one begins, and can be done again; what lies beside root.key says how far it has come:
 *
 *     root.key.next                   both passwords are accepted, every hash opens with either key, and so do backups
 *     root.key.next → root.key        the commit: from here on the new key is the one
 *     root.key.previous               nothing opens with the old key any more, then its passwords are refused
 */
import type { ConfiguredEnvironment } from '../../config/configuration.js';
import { Nexus3Error } from '../../errors.js';
import type { RekeySteps } from '../../locker/custody.js';
import { LOCKER_NAME } from '../../protocol/environment.js';
import type { Credentials } from '../../protocol/users.js';
import type { Progress } from '../../progress.js';
import { adminOf, hostAddress, openLocker } from '../access.js';
import { createBackupOf } from '../backup/create.js';
import { selectEnvironments, specOf } from '../desired.js';
import { renderInstance } from '../render.js';
import { refuseWhileLockerIsRestored } from '../restore/refuse.js';
import type { World } from '../world.js';

/** A history names its seconds rounded up. */
const ROUNDED_UP_MS = 2_000;
const SHOWN_MAX = 5;

export interface RekeyReport {
  /** An earlier one had been cut off, and was finished. */
  readonly resumed: boolean;
  /** Hashes that are under the new key now. */
  readonly hashes: number;
  readonly rootKeyFile: string;
  /** Of Locker, made under the new key: those from before cannot be restored any more. Null: no backups are kept, or it failed. */
  readonly backup: string | null;
  /** What is still to be done, or went wrong beside, a sentence each. */
  readonly remarks: readonly string[];
  readonly durationMs: number;
}

/** @param version of nexus3 */
export async function rekey(world: World, version: string, progress: Progress): Promise<RekeyReport> {
  await world.runtime.ready();
  await using _lock = await world.locks.acquire('locker rekey', (holder) => {
    progress.note(`waiting for ${holder}`);
  });
  refuseWhileLockerIsRestored(world.configuration.dataRoot);
  const startedAt = world.clock.now().getTime();
  const { rekey: steps, rootKeyFile } = world.locker.custody;
  const { phase, rotating } = await steps.state();
  if (rotating) throw refusedWhileRotating();
  await using repository = await holdBackups(world, progress);
  await openLocker(world);
  if (phase === 'none') {
    await steps.prepare();
    progress.done('the next root key lies beside the present one');
  }
  if (phase !== 'committed') await commit(world, steps, progress);
  const hashes = await closeToOld(world, steps, progress);
  // Also of backups that a run which still knew the old key has begun meanwhile.
  await world.backups.keys.closeToOld();
  const { backup, remarks } = repository === undefined ? NO_BACKUP : await backUpLocker(world, version, progress);
  await world.locker.note({ action: 'rekey', what: 'root key', outcome: 'ok' });
  await steps.finish();
  progress.done('the old root key is gone');
  return {
    resumed: phase !== 'none',
    hashes,
    rootKeyFile: rootKeyFile.path,
    backup,
    remarks,
    durationMs: world.clock.now().getTime() - startedAt,
  };
}

type BackedUp = Pick<RekeyReport, 'backup' | 'remarks'>;
const NO_BACKUP: BackedUp = { backup: null, remarks: [] };

/**
 * The new key does not open what Locker held in its earlier backups: without one of now, a Locker that is lost is lost with
 * all passwords. That it failed keeps nobody from giving up a key that somebody may have seen.
 */
async function backUpLocker(world: World, version: string, progress: Progress): Promise<BackedUp> {
  const { backups, configuration } = world;
  const push = backups.target === undefined ? [] : ['Take the backups off this machine anew: nexus3 backup push'];
  if (!configuration.backup.configured && (await backups.list(LOCKER_NAME)).length === 0) {
    return { backup: null, remarks: push };
  }
  progress.step('a backup of Locker under the new key');
  const { backup, error } = await createBackupOf(world, lockerOf(world), version, progress);
  const wrong =
    error === null
      ? []
      : [
          `${error.message} Backups of Locker from before this change cannot be restored any more: nexus3 backup create locker`,
        ];
  return { backup: backup?.id ?? null, remarks: [...wrong, ...push] };
}

/** Nothing where there are no backups yet. @throws LOCK_HELD, FILE_NOT_WRITABLE, BACKUP_INVALID, REKEY_REFUSED before anything is changed */
async function holdBackups(world: World, progress: Progress): Promise<AsyncDisposable | undefined> {
  const { backups } = world;
  if (!(await backups.keys.there())) return undefined;
  const held = await backups.acquire('locker rekey', (holder) => {
    progress.note(`waiting for ${holder}`);
  });
  try {
    await refuseDatedLater(world);
    await backups.keys.proveWritable();
    return held;
  } catch (error) {
    await held[Symbol.asyncDispose]();
    throw error;
  }
}

/** What is dated later than its key is given up nobody believes any more: a clock that is behind would cost every backup. */
async function refuseDatedLater({ backups, clock }: World): Promise<void> {
  const later = await backups.datedLater();
  const now = clock.now();
  const latest = Math.max(...later.map(({ at }) => Date.parse(at)));
  if (latest <= now.getTime()) return;
  if (latest - now.getTime() <= ROUNDED_UP_MS) return clock.sleep(latest - now.getTime() + 1);
  throw new Nexus3Error('REKEY_REFUSED', 'There are backups that are dated later than now.', {
    evidence: [
      `this host’s clock says ${now.toISOString()}`,
      ...later.slice(0, SHOWN_MAX).map(({ folder, at }) => `${folder}: ${at}`),
      ...(later.length > SHOWN_MAX ? [`and ${String(later.length - SHOWN_MAX)} more`] : []),
    ],
    hint:
      'Nothing was changed: with another root key they could not be used any more. If the clock is behind, put it right, and ' +
      `run it again. If it is right, it was ahead when they were made: run it after ${new Date(latest).toISOString()}, or make new backups and ` +
      'move those folders out of the repository.',
  });
}

async function commit(world: World, steps: RekeySteps, progress: Progress): Promise<void> {
  await putInForce(world, await world.locker.ownCredentials(false));
  progress.done('Locker accepts the passwords of both keys');
  const hashes = await steps.openToNext();
  progress.done(`everything in Locker (${String(hashes)} hashes) was opened with the next key alone`);
  const earlier = await world.backups.keys.carryOver();
  if (earlier > 0)
    progress.done(`the next key opens the backups of ${String(earlier)} earlier ${earlier === 1 ? 'key' : 'keys'} too`);
  await steps.commit();
  progress.done('the next root key is the key');
}

/**
 * A run that began before the commit may still write with the old key, as long as its connection lives. So: close, refuse
 * the old passwords, end all connections, and close once more what was written in between.
 */
async function closeToOld(world: World, steps: RekeySteps, progress: Progress): Promise<number> {
  await steps.closeToOld();
  progress.done('nothing in Locker opens with the old key any more');
  const { alsoAccepted: _old, ...own } = await world.locker.ownCredentials(false);
  await putInForce(world, own, true);
  const hashes = await steps.closeToOld();
  await steps.proveOldRefused();
  await proveOldAdminRefused(world, steps);
  progress.done('the old passwords are refused');
  return hashes;
}

async function putInForce(world: World, credentials: Credentials, endOthers = false): Promise<void> {
  const environment = lockerOf(world);
  const spec = specOf(world.configuration, environment, 'vault');
  await renderInstance(world, environment, spec, credentials);
  await using admin = await adminOf(world, environment, 'vault', credentials);
  await admin.loadUsers();
  if (endOthers) await admin.endOthers();
}

/** @throws NOT_PROVEN */
async function proveOldAdminRefused(world: World, steps: RekeySteps): Promise<void> {
  const old = await steps.oldCredentials();
  if (old === undefined) return;
  const address = hostAddress(specOf(world.configuration, lockerOf(world), 'vault'));
  const { state } = await world.servers.probe({
    address,
    adminPassword: old.admin,
    directives: [],
    masterauth: undefined,
  });
  if (state === 'locked') return;
  throw new Nexus3Error('NOT_PROVEN', 'Locker still accepts a password of the old root key, or cannot be asked.', {
    evidence: [`user admin: ${state}`],
    hint: 'The old key is kept until that is not so any more: run `nexus3 locker rekey` again.',
  });
}

export function lockerOf(world: World): ConfiguredEnvironment {
  const [environment] = selectEnvironments(world.configuration, [LOCKER_NAME]);
  if (environment === undefined) throw new Error('every configuration holds locker');
  return environment;
}

function refusedWhileRotating(): Nexus3Error {
  return new Nexus3Error('REKEY_REFUSED', 'A rotation of Locker’s own passwords is under way.', {
    evidence: ['the root key file names two generations'],
    hint: 'Finish it first: nexus3 rotate locker',
  });
}
