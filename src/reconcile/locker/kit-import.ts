/**
 * `locker import FILE`: the root key and everything in Locker back from a recovery kit, on another host or after the root
 * key was lost. What is here already stays, unless it is said otherwise; a Locker that another root key opens is never
 * touched. First the root key, then Locker up, then its content: cut off in between, the next run goes on.
 */
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Nexus3Error, systemErrorCode } from '../../errors.js';
import { readIfThere } from '../../files.js';
import type { KitContent, KitOrigin, RecoveryKit, Restored } from '../../locker/custody.js';
import { CONFIG_FILE } from '../../protocol/layout.js';
import type { Secret } from '../../protocol/secret.js';
import type { Progress } from '../../progress.js';
import { openLocker } from '../access.js';
import { specOf } from '../desired.js';
import { readFolders } from '../folder.js';
import { repair } from '../loop.js';
import { UP_LICENCE } from '../up.js';
import { refuseWhileLockerIsRestored } from '../restore/refuse.js';
import type { World } from '../world.js';
import { lockerOf } from './rekey.js';
import { repairUsers } from '../tokens.js';

/** As large as a kit may be, and its armor. */
const FILE_BYTES_MAX = 64 * 1024 * 1024;

export interface ImportOptions {
  /** Absolute path. */
  readonly file: string;
  readonly passphrase: Secret;
  /** Where Locker and the kit differ, the kit's. */
  readonly overwrite: boolean;
}

export interface ImportReport extends Restored {
  readonly origin: KitOrigin;
  readonly content: KitContent;
  /** `installed`: it is the kit's now. `same`: it was already. */
  readonly rootKey: 'installed' | 'same';
  /** Where the file is that lay in its place. */
  readonly keptRootKey: string | null;
}

/** Before a passphrase is asked for. @throws KIT_NOT_FOUND, KIT_FOREIGN */
export async function readKitFile(file: string): Promise<Buffer> {
  try {
    const found = await stat(file);
    // A pipe would be waited for, and a device has no end.
    if (!found.isFile()) throw foreign('it is no file');
    if (found.size > FILE_BYTES_MAX) throw foreign(`it has more than ${String(FILE_BYTES_MAX)} bytes`);
    return await readFile(file);
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === undefined) throw error;
    throw new Nexus3Error('KIT_NOT_FOUND', `There is no recovery kit to read at ${file}.`, {
      evidence: [`${code} on ${file}`],
      hint: 'Name the file that `nexus3 locker export --recovery FILE` has written.',
      cause: error,
    });
  }
}

function foreign(evidence: string): Nexus3Error {
  return new Nexus3Error('KIT_FOREIGN', 'That file is not a recovery kit.', {
    evidence: [evidence],
    hint: 'Name the file that `nexus3 locker export --recovery FILE` has written; nothing was changed.',
  });
}

export async function importKit(world: World, options: ImportOptions, progress: Progress): Promise<ImportReport> {
  const kit = await world.locker.custody.kit.open(await readKitFile(options.file), options.passphrase);
  progress.done('the recovery kit is opened');
  await world.runtime.ready();
  await using _lock = await world.locks.acquire('locker import', (holder) => {
    progress.note(`waiting for ${holder}`);
  });
  const installed = await installRootKey(world, kit, progress);
  try {
    // With the lost root key in its place again, the restore can be finished or taken back.
    refuseWhileLockerIsRestored(world.configuration.dataRoot);
    await bringUp(world, progress);
  } catch (error) {
    // Not ours to leave there, where it opens nothing.
    if (installed.unproven) await kit.withdrawRootKey();
    throw error;
  }
  const configured = new Set(world.configuration.environments.map(({ name }) => name));
  const restored = await kit.restore({ overwrite: options.overwrite, configured }).catch(async (error: unknown) => {
    if (!isUnreadable(error)) throw error;
    if (installed.unproven) await kit.withdrawRootKey();
    throw otherKey(world, error);
  });
  progress.done(`${String(restored.added.length)} entries that were missing in Locker are written`);
  // The kit has the tokens; the file of their users, which Locker is started with, is not in it.
  await repairUsers(world);
  await world.locker.note({ action: 'import', what: 'recovery kit', outcome: 'ok' });
  return {
    origin: kit.origin,
    content: kit.content,
    rootKey: installed.done ? 'installed' : 'same',
    keptRootKey: installed.kept,
    ...restored,
  };
}

interface Installed {
  readonly done: boolean;
  readonly kept: string | null;
  /** Nothing but what Locker holds can say whether it is the right one. */
  readonly unproven: boolean;
}

/** @throws KIT_OTHER_KEY */
async function installRootKey(world: World, kit: RecoveryKit, progress: Progress): Promise<Installed> {
  const found = await kit.compareRootKey();
  if (found === 'same') return { done: false, kept: null, unproven: false };
  const spec = specOf(world.configuration, lockerOf(world), 'vault');
  const hasData = readFolders(spec, undefined).hasData;
  const users = hasData ? await readIfThere(join(spec.configDir, CONFIG_FILE.usersAcl)) : undefined;
  // The users that its vault starts with were rendered from its root key, so they tell without a start.
  if (users !== undefined && !kit.opensUsers(users)) throw otherKey(world);
  // Without them, a key that is there is believed to be Locker's.
  if (found === 'other' && hasData && users === undefined) throw otherKey(world);
  const stamp = world.clock.now().toISOString().replaceAll(/[:.]/g, '-');
  const kept = await kit.installRootKey({ usersAcl: users, hasData, stamp });
  progress.done('the kit’s root key is in its place');
  return { done: true, kept, unproven: hasData && users === undefined };
}

/** @throws what kept Locker from coming up */
async function bringUp(world: World, progress: Progress): Promise<void> {
  const { failures, after } = await repair(world, [lockerOf(world)], { licence: UP_LICENCE }, progress);
  const [failure] = failures;
  if (failure !== undefined) throw failure.error;
  if (after.lockerError !== undefined) throw after.lockerError;
  await openLocker(world);
}

function isUnreadable(error: unknown): boolean {
  return error instanceof Nexus3Error && error.code === 'LOCKER_VALUE_UNREADABLE';
}

function otherKey(world: World, cause?: unknown): Nexus3Error {
  const { path } = world.locker.custody.rootKeyFile;
  return new Nexus3Error('KIT_OTHER_KEY', 'There is a Locker with data here, and this kit is of another one.', {
    evidence: ['its users or its data were not made with the kit’s root key'],
    hint:
      `Use the kit that was made for it, or put its root key back to ${path}. To start from this kit instead, stop it ` +
      '(nexus3 down locker) and move its data folder and its configuration folder away first.',
    cause,
  });
}
