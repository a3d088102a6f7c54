/** The credentials helper with the root key: needs the configuration, which says where Locker and the environments answer. */
import { resolve } from 'node:path';
import { loadConfiguration } from './config/load.js';
import type { Surroundings } from './config/locate.js';
import { LockerAccess } from './locker/access.js';
import type { CredentialSource } from './locker/helper/source.js';
import { RootKeySource } from './locker/helper/root-key-source.js';
import { rootKeyPath } from './locker/root-key-file.js';
import { LOCKER_NAME } from './protocol/environment.js';
import type { Address } from './protocol/redis-conf.js';
import { hostAddress } from './reconcile/access.js';
import { selectEnvironments, specOf } from './reconcile/desired.js';
import { askOnce } from './redis/ask-once.js';
import { openTextConnection } from './redis/text-connection.js';

/** @throws Nexus3Error CONFIG_NOT_FOUND, CONFIG_INVALID */
export async function rootKeySource(
  { config, rootKey }: { readonly config?: string | undefined; readonly rootKey?: string | undefined },
  surroundings: Surroundings,
): Promise<CredentialSource> {
  const configuration = await loadConfiguration({ config }, surroundings);
  const vaultOf = (env: string): Address => {
    const [environment] = selectEnvironments(configuration, [env]);
    if (environment === undefined) throw new Error('an environment was selected by name but is not there');
    return hostAddress(specOf(configuration, environment, 'vault'));
  };
  const locker = vaultOf(LOCKER_NAME);
  const path =
    rootKey === undefined
      ? rootKeyPath({ variables: surroundings.env, configurationFile: configuration.file })
      : resolve(surroundings.cwd, rootKey);
  return new RootKeySource({
    rootKeyPath: path,
    locker,
    vaultOf,
    ask: askOnce,
    note: async (note) => {
      // One for each note, so that the root key is read anew, and nothing stays open.
      const access = new LockerAccess({
        rootKeyPath: path,
        connect: (password, user = 'default') => openTextConnection(locker, { user, password }),
        auditEntriesMax: configuration.audit.entriesMax,
        warn: () => undefined,
      });
      try {
        await access.note(note);
      } finally {
        await access.close();
      }
    },
  });
}
