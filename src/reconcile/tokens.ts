/**
 * `locker grant`, `revoke`, `grants`: who may read one environment's credentials without the root key. A token is known to
 * Locker before its user is in force, and its user is out of force before Locker forgets it: cut off anywhere, the next
 * run finds what is left.
 */
import { join } from 'node:path';
import type { ConfiguredEnvironment } from '../config/configuration.js';
import { Nexus3Error } from '../errors.js';
import { writeFileWhole } from '../files.js';
import type { TokenGrant, Tokens } from '../locker/locker.js';
import type { Progress } from '../progress.js';
import { CONFIG_FILE } from '../protocol/layout.js';
import { renderTokenUsers } from '../protocol/token-users.js';
import type { CredentialName } from '../protocol/users.js';
import { TOKEN_ID } from '../protocol/users.js';
import { adminOf, hostAddress } from './access.js';
import { isLocker, renderFiles, selectEnvironments, specOf } from './desired.js';
import { ownerToBe } from './render.js';
import { refuseWhileLockerIsRestored } from './restore/refuse.js';
import type { World } from './world.js';

export interface GrantOptions {
  readonly env: string;
  readonly names: readonly CredentialName[];
  /** Absolute; undefined: beside the root key. */
  readonly file: string | undefined;
  readonly label: string;
}

export interface GrantReport {
  readonly grant: TokenGrant;
  /** Earlier tokens of the same file, taken back. */
  readonly replaced: readonly string[];
}

export interface RevokeReport {
  readonly revoked: readonly TokenGrant[];
  /** Token files that were there and are gone now. */
  readonly removedFiles: readonly string[];
}

export interface ListedGrant extends TokenGrant {
  /** Its user is in what Locker is started with. */
  readonly inForce: boolean;
}

export async function grant(world: World, options: GrantOptions, progress: Progress): Promise<GrantReport> {
  const [environment] = selectEnvironments(world.configuration, [options.env]);
  if (environment === undefined) throw new Error('an environment was selected by name but is not there');
  if (isLocker(environment)) throw notForLocker();
  await using _lock = await lockFor(world, `locker grant ${options.env}`, progress);
  const tokens = await world.locker.tokens();
  const file = options.file ?? tokens.defaultFile(options.env);
  await tokens.refuseOtherFile(file);
  const earlier = (await tokens.list()).filter((one) => one.file === file);
  progress.step(`make a token for ${options.env}`);
  const { names, label, env } = options;
  const at = world.clock.now();
  const places = { locker: vaultAddress(world, lockerOf(world)), vault: vaultAddress(world, environment) };
  const made = await tokens.create({ env, kind: environment.kind, names, label, file, ...places, at });
  await putInForce(world, await tokens.list());
  await made.writeFile();
  await made.prove();
  await world.locker.note({ action: 'grant', what: `${made.grant.id} for ${env}: ${names.join(', ')}`, outcome: 'ok' });
  // Only now: whoever reads with that file is refused at no instant.
  if (earlier.length > 0) progress.step(`take back ${earlier.map(({ id }) => id).join(', ')}`);
  await takeBack(world, tokens, earlier, { keepFiles: true });
  progress.done(`${made.grant.id} reads ${names.join(', ')} of ${env}`);
  return { grant: made.grant, replaced: earlier.map(({ id }) => id) };
}

/** @param which a token's id, or an environment: then all of its tokens. @throws TOKEN_UNKNOWN, ENVIRONMENT_UNKNOWN */
export async function revoke(world: World, which: string, progress: Progress): Promise<RevokeReport> {
  await using _lock = await lockFor(world, `locker revoke ${which}`, progress);
  const tokens = await world.locker.tokens();
  const known = await tokens.list();
  const chosen = known.filter(({ id, env }) => which === id || which === env);
  if (chosen.length === 0) refuseUnknown(world, which, known);
  progress.step(`take back ${chosen.map(({ id }) => id).join(', ')}`);
  const removedFiles = await takeBack(world, tokens, chosen, { keepFiles: false });
  progress.done(`${String(chosen.length)} taken back`);
  return { revoked: chosen, removedFiles };
}

/** Of an environment that is about to be removed: for whoever holds the lock. Its values go with it. */
export async function revokeAllOf(world: World, env: string): Promise<void> {
  const tokens = await world.locker.tokens();
  const grants = (await tokens.list()).filter((one) => one.env === env);
  await takeBack(world, tokens, grants, { keepFiles: false });
}

export async function listGrants(world: World): Promise<readonly ListedGrant[]> {
  const [{ tokenUsers = [] }, tokens] = [await world.locker.ownCredentials(false), await world.locker.tokens()];
  const grants = await tokens.list();
  return grants.map((one) => ({
    ...one,
    inForce: tokenUsers.some(({ id, env, passwordHash }) => {
      return id === one.id && env === one.env && passwordHash === one.passwordHash;
    }),
  }));
}

/** Ends what was cut off, and puts the users in force that Locker knows of: also where its file of them was lost. */
export async function repairGrants(world: World, progress: Progress): Promise<readonly ListedGrant[]> {
  await using _lock = await lockFor(world, 'locker grants --repair', progress);
  const tokens = await world.locker.tokens();
  await putRight(world, tokens, await tokens.list());
  return await listGrants(world);
}

/** The same where Locker knows of any, for whoever holds the lock. */
export async function repairUsers(world: World): Promise<void> {
  const tokens = await world.locker.tokens();
  const grants = await tokens.list();
  if (grants.length > 0) await putRight(world, tokens, grants);
}

async function putRight(world: World, tokens: Tokens, grants: readonly TokenGrant[]): Promise<void> {
  const halfway = grants.filter(({ revoked }) => revoked);
  if (halfway.length > 0) await takeBack(world, tokens, halfway, { keepFiles: false });
  else await putInForce(world, grants);
}

/** Each step can be done again; that they are taken back is written down first, and forgotten last. */
async function takeBack(
  world: World,
  tokens: Tokens,
  chosen: readonly TokenGrant[],
  { keepFiles }: { readonly keepFiles: boolean },
): Promise<readonly string[]> {
  if (chosen.length === 0) return [];
  const ids = chosen.map(({ id }) => id);
  await tokens.markRevoked(ids);
  await putInForce(world, await tokens.list());
  for (const env of new Set(chosen.map((one) => one.env))) {
    const ofEnv = chosen.filter((one) => one.env === env).map(({ id }) => id);
    await tokens.shutOut(env, ofEnv);
  }
  const removed: string[] = [];
  for (const one of keepFiles ? [] : chosen) if (await tokens.removeFile(one)) removed.push(one.file);
  await tokens.forget(ids);
  for (const { id, env } of chosen)
    await world.locker.note({ action: 'revoke', what: `${id} for ${env}`, outcome: 'ok' });
  return removed;
}

/**
 * Written for the next start, and loaded into the server that runs. Only the users: whatever else of Locker's files has
 * drifted is for `check --fix`, which knows what has to follow.
 */
async function putInForce(world: World, grants: readonly TokenGrant[]): Promise<void> {
  const environment = lockerOf(world);
  const spec = specOf(world.configuration, environment, 'vault');
  const owner = await ownerToBe(spec.dataDir);
  const users = grants.filter(({ revoked }) => !revoked);
  await writeFileWhole(join(spec.configDir, CONFIG_FILE.tokens), renderTokenUsers(users), { mode: 0o600, owner });
  const credentials = await world.locker.ownCredentials(false);
  const placement = world.runtime.placement(spec, environment.vaultPort);
  for (const file of renderFiles(environment, 'vault', placement, credentials)) {
    if (file.name !== CONFIG_FILE.usersAcl) continue;
    await writeFileWhole(join(spec.configDir, file.name), file.content, { mode: file.mode, owner });
  }
  await using admin = await adminOf(world, environment, 'vault', credentials);
  await admin.loadUsers();
}

/** Under the lock, with a Locker that answers: what needs both fails before anything is done. */
async function lockFor(world: World, command: string, progress: Progress): Promise<AsyncDisposable> {
  await world.runtime.ready();
  const lock = await world.locks.acquire(command, (holder) => {
    progress.note(`waiting for ${holder}`);
  });
  try {
    refuseWhileLockerIsRestored(world.configuration.dataRoot);
    const locker = await world.locker.open();
    await locker.read([]);
  } catch (error) {
    await lock[Symbol.asyncDispose]();
    throw error;
  }
  return lock;
}

function lockerOf(world: World): ConfiguredEnvironment {
  const environment = world.configuration.environments.find(isLocker);
  if (environment === undefined) throw new Error('every configuration holds locker');
  return environment;
}

function vaultAddress(world: World, environment: ConfiguredEnvironment): ReturnType<typeof hostAddress> {
  return hostAddress(specOf(world.configuration, environment, 'vault'));
}

function refuseUnknown(world: World, which: string, known: readonly TokenGrant[]): never {
  if (!TOKEN_ID.test(which)) selectEnvironments(world.configuration, [which]);
  const ids = known.map(({ id, env }) => `${id} for ${env}`);
  const what = TOKEN_ID.test(which) ? `no token ${which}` : `no token for ${which}`;
  throw new Nexus3Error('TOKEN_UNKNOWN', `Locker knows ${what}.`, {
    evidence: [ids.length === 0 ? 'there is none at all' : `there are: ${ids.join(', ')}`],
    hint: 'See them: nexus3 locker grants',
  });
}

function notForLocker(): Nexus3Error {
  return new Nexus3Error('USAGE', 'Locker’s own credentials are not given away by token: they open everything.', {
    hint: 'Name the environment whose credentials somebody needs: nexus3 locker grant ENV',
  });
}
