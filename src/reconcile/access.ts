/** How an operation reaches servers: their address on this host, their credentials, an administrator's connection. */
import type { ConfiguredEnvironment } from '../config/configuration.js';
import { Nexus3Error } from '../errors.js';
import type { Locker } from '../locker/locker.js';
import type { Role } from '../protocol/environment.js';
import type { Address } from '../protocol/redis-conf.js';
import type { Credentials } from '../protocol/users.js';
import type { InstanceSpec } from '../runtime/runtime.js';
import { isLocker, neededCredentials, specOf } from './desired.js';
import { completed, NOTHING_STORED } from './observe.js';
import type { Admin, World } from './world.js';

/** How long Locker may take to come up after it was started, and how often it is asked, in milliseconds. */
const LOCKER_WAIT_MS = 30_000;
const LOCKER_POLL_MS = 200;

/** Where a client on this host connects. */
export function hostAddress(spec: InstanceSpec): Address {
  const everywhere = ['0.0.0.0', '::', '*'].includes(spec.bind);
  return { host: everywhere ? '127.0.0.1' : spec.bind, port: spec.port };
}

/** Those whose Locker was waited for in vain: a thousand environments do not each wait again. */
const gaveUp = new WeakSet<World>();

/** Waits, bounded, for a Locker that has just been started. @throws LOCKER_UNREACHABLE */
export async function openLocker(world: World): Promise<Locker> {
  const giveUpAt = world.clock.now().getTime() + (gaveUp.has(world) ? 0 : LOCKER_WAIT_MS);
  for (;;) {
    try {
      const locker = await world.locker.open();
      await locker.read([]);
      gaveUp.delete(world);
      return locker;
    } catch (error) {
      const unreachable = error instanceof Nexus3Error && error.code === 'LOCKER_UNREACHABLE';
      if (!unreachable) throw error;
      if (world.clock.now().getTime() >= giveUpAt) {
        gaveUp.add(world);
        throw error;
      }
      await world.clock.sleep(LOCKER_POLL_MS);
    }
  }
}

/** @throws LOCKER_CREDENTIAL_MISSING where Locker lacks one that this environment needs. */
export async function credentialsOf(world: World, environment: ConfiguredEnvironment): Promise<Credentials> {
  if (isLocker(environment)) return world.locker.ownCredentials(false);
  const stored = (await (await openLocker(world)).read([environment.name])).get(environment.name) ?? NOTHING_STORED;
  const missing = neededCredentials(environment).filter((name) => stored.current[name] === undefined);
  if (missing.length > 0) {
    throw new Nexus3Error('LOCKER_CREDENTIAL_MISSING', `Locker has no ${missing.join(', ')} of ${environment.name}.`, {
      hint: `Let nexus3 generate it: nexus3 up ${environment.name}`,
    });
  }
  return completed(stored);
}

export async function adminOf(
  world: World,
  environment: ConfiguredEnvironment,
  role: Role,
  credentials: Credentials,
): Promise<Admin> {
  const spec = specOf(world.configuration, environment, role);
  return world.servers.admin(hostAddress(spec), credentials[role === 'vault' ? 'admin' : 'operational-admin']);
}
