/** The credentials helper with the root key: needs the configuration, which says where Locker and the environments answer. */
import { resolve } from 'node:path';
import { loadConfiguration } from './config/load.js';
import type { Surroundings } from './config/locate.js';
import { LockerAccess } from './locker/access.js';
import type { CredentialSource } from './locker/helper/source.js';
import { rootKeyPath } from './locker/root-key-file.js';
import type { Role } from './protocol/environment.js';
import { LOCKER_NAME } from './protocol/environment.js';
import type { Address } from './protocol/redis-conf.js';
import type { Place } from './client/place.js';
import { hostAddress } from './reconcile/access.js';
import { selectEnvironments, specOf } from './reconcile/desired.js';
import { readRenderedUsers } from './reconcile/folder.js';
import { openTextConnection } from './redis/text-connection.js';
import type { InstanceSpec } from './runtime/runtime.js';

/** Where nexus3.yaml says that an environment's servers answer. @throws Nexus3Error CONFIG_…, ENVIRONMENT_UNKNOWN */
export async function configuredPlace(
  name: string,
  { config }: { readonly config?: string | undefined },
  surroundings: Surroundings,
): Promise<Pick<Place, 'kind' | 'vault' | 'operational' | 'lagBytesMax'>> {
  const configuration = await loadConfiguration({ config }, surroundings);
  const [environment] = selectEnvironments(configuration, [name]);
  if (environment === undefined) throw new Error('an environment was selected by name but is not there');
  const { kind, settings } = environment;
  const at = (role: Role): Address => hostAddress(specOf(configuration, environment, role));
  return {
    kind,
    vault: at('vault'),
    operational: kind === 'secure' ? undefined : at('operational'),
    lagBytesMax: settings.lagBytesMax,
  };
}

/** @throws Nexus3Error CONFIG_NOT_FOUND, CONFIG_INVALID */
export async function rootKeySource(
  { config, rootKey }: { readonly config?: string | undefined; readonly rootKey?: string | undefined },
  surroundings: Surroundings,
): Promise<CredentialSource> {
  const configuration = await loadConfiguration({ config }, surroundings);
  const vaultOf = (env: string): InstanceSpec => {
    const [environment] = selectEnvironments(configuration, [env]);
    if (environment === undefined) throw new Error('an environment was selected by name but is not there');
    return specOf(configuration, environment, 'vault');
  };
  const locker = vaultOf(LOCKER_NAME);
  const path =
    rootKey === undefined
      ? rootKeyPath({ variables: surroundings.env, configurationFile: configuration.file })
      : resolve(surroundings.cwd, rootKey);
  return {
    read: async (env, name) => {
      const vault = hostAddress(vaultOf(env));
      // One for each read: nothing stays open, and nothing keeps a program from ending.
      const access = new LockerAccess({
        rootKeyPath: path,
        connect: (password, user = 'default') => openTextConnection(hostAddress(locker), { user, password }),
        renderedUsers: () => readRenderedUsers(locker),
        auditEntriesMax: configuration.audit.entriesMax,
        warn: () => undefined,
      });
      try {
        return { password: await access.getCredential(env, name), vault };
      } finally {
        await access.close();
      }
    },
  };
}
