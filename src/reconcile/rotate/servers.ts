/** What a rotation does on the servers and in their files. Everything here may be done again at any time. */
import type { ConfiguredEnvironment } from '../../config/configuration.js';
import { Nexus3Error } from '../../errors.js';
import type { Role } from '../../protocol/environment.js';
import { instanceKey, rolesOf } from '../../protocol/environment.js';
import type { CredentialName, Credentials, Passwords } from '../../protocol/users.js';
import { acceptedHashes, usersOf } from '../../protocol/users.js';
import type { Progress } from '../../progress.js';
import { adminOf, hostAddress } from '../access.js';
import { specOf, specsOf } from '../desired.js';
import { renderInstance } from '../render.js';
import { waitForLink } from '../wait.js';
import type { World } from '../world.js';

/** How long a replica may take to come back after its connection was closed, in milliseconds; it takes a few. */
const RECONNECT_WAIT_MS = 30_000;
const RECONNECT_POLL_MS = 20;

/**
 * Files of both roles, then the users of the servers that run. Not ACL LOAD: that would put everything else of the file
 * in force, too, and disconnect clients; a rotation changes passwords and nothing else.
 */
export async function putInForce(
  world: World,
  environment: ConfiguredEnvironment,
  credentials: Credentials,
  names: readonly CredentialName[],
): Promise<void> {
  await renderAll(world, environment, credentials);
  for (const role of await runningRoles(world, environment)) {
    await using admin = await adminOf(world, environment, role, credentials);
    for (const { user, name } of rotatedUsers(environment, role, names)) {
      await admin.setPasswords(user, acceptedHashes(credentials, name));
    }
  }
}

/** The operational logs in with the new password from now on; the link that it has stays as it is. */
export async function switchReplication(
  world: World,
  environment: ConfiguredEnvironment,
  credentials: Credentials,
): Promise<void> {
  await renderAll(world, environment, credentials);
  if (!(await runningRoles(world, environment)).includes('operational')) return;
  await using operational = await adminOf(world, environment, 'operational', credentials);
  await operational.setConfig('masterauth', credentials.replicator.reveal());
}

/** Makes the link reconnect once: one that is up proves nothing, it lives on whatever the password has become. */
export async function proveReplication(
  world: World,
  environment: ConfiguredEnvironment,
  credentials: Credentials,
  progress: Progress,
): Promise<void> {
  if ((await runningRoles(world, environment)).length < rolesOf(environment).length) return;
  await reconnect(world, environment, credentials, progress);
}

async function reconnect(
  world: World,
  environment: ConfiguredEnvironment,
  credentials: Credentials,
  progress: Progress,
): Promise<void> {
  await using vault = await adminOf(world, environment, 'vault', credentials);
  const before = new Set(await vault.replicaConnections('replicator'));
  await vault.disconnect('replicator');
  const giveUpAt = world.clock.now().getTime() + RECONNECT_WAIT_MS;
  while (!(await vault.replicaConnections('replicator')).some((id) => !before.has(id))) {
    if (world.clock.now().getTime() >= giveUpAt) {
      throw new Nexus3Error('NOT_PROVEN', `The operational of ${environment.name} did not connect again.`, {
        evidence: [`no new replication connection within ${String(RECONNECT_WAIT_MS / 1_000)} s`],
        hint: `Both passwords are still accepted. See: nexus3 check ${environment.name}; then run the same command again.`,
      });
    }
    await world.clock.sleep(RECONNECT_POLL_MS);
  }
  await waitForLink(world, environment, progress);
}

/** @throws NOT_PROVEN where a server still takes an old password, or does not take the new one. */
export async function provePasswords(
  world: World,
  environment: ConfiguredEnvironment,
  credentials: Credentials,
  old: Passwords,
): Promise<void> {
  const names = Object.keys(old) as CredentialName[];
  for (const role of await runningRoles(world, environment)) {
    const address = hostAddress(specOf(world.configuration, environment, role));
    for (const { user, name } of rotatedUsers(environment, role, names)) {
      const before = old[name];
      const isGone = before === undefined || !(await world.servers.accepts(address, user, before));
      if (isGone && (await world.servers.accepts(address, user, credentials[name]))) continue;
      throw new Nexus3Error('NOT_PROVEN', `${environment.name}/${role} does not take its passwords as it should.`, {
        evidence: [`${user}: ${isGone ? 'the new password is refused' : 'the old password is still accepted'}`],
        hint: `See: nexus3 check ${environment.name}; then run the same command again.`,
      });
    }
  }
}

/** Whoever still is in with a password that was exposed. */
export async function disconnectAll(
  world: World,
  environment: ConfiguredEnvironment,
  credentials: Credentials,
  names: readonly CredentialName[],
): Promise<void> {
  if (!(await runningRoles(world, environment)).includes('vault')) return;
  await using vault = await adminOf(world, environment, 'vault', credentials);
  for (const { user } of rotatedUsers(environment, 'vault', names)) await vault.disconnect(user);
}

/** `replicator` on the vault; `admin` on the operational, whose credential is called otherwise. */
function rotatedUsers(
  environment: ConfiguredEnvironment,
  role: Role,
  names: readonly CredentialName[],
): readonly { readonly user: string; readonly name: CredentialName }[] {
  return usersOf(role, environment.kind).flatMap(({ name: user, credential }) =>
    credential !== undefined && names.includes(credential) ? [{ user, name: credential }] : [],
  );
}

async function renderAll(world: World, environment: ConfiguredEnvironment, credentials: Credentials): Promise<void> {
  for (const role of rolesOf(environment)) {
    await renderInstance(world, environment, specOf(world.configuration, environment, role), credentials);
  }
}

/** What does not run takes the passwords from its files when it starts. @throws FOREIGN_INSTANCE, REDIS_UNREACHABLE */
export async function runningRoles(world: World, environment: ConfiguredEnvironment): Promise<readonly Role[]> {
  const { instances } = await world.runtime.observe(specsOf(world.configuration, [environment]));
  return rolesOf(environment).filter((role) => {
    const state = instances.get(instanceKey({ env: environment.name, role }));
    if (state?.owned === false) {
      throw new Nexus3Error('FOREIGN_INSTANCE', `${environment.name}/${role} was not made by nexus3.`, {
        hint: 'Put it out of the way by hand first, keeping its data; then run the same command again.',
      });
    }
    // It would go on with the passwords that it has.
    if (state?.state === 'paused') {
      throw new Nexus3Error('REDIS_UNREACHABLE', `${environment.name}/${role} does not answer: it is paused.`, {
        hint: `Let it go on: nexus3 check ${environment.name} --fix; then run the same command again.`,
      });
    }
    return state?.state === 'running' || state?.state === 'starting';
  });
}
