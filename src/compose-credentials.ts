/**
 * The credentials helper, composed by itself: what hands out a password must be fast, so nothing is loaded that only
 * operates environments. Exported as `nexus3/credentials`, too.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { resolve } from 'node:path';
import { toCredential } from './client/credential.js';
import { CredentialCache } from './client/credential-cache.js';
import type { Surroundings } from './config/locate.js';
import { TokenSource } from './locker/helper/token-source.js';
import type { CredentialSource } from './locker/helper/source.js';
import { askOnce } from './redis/ask-once.js';

export type { Credential } from './client/credential.js';
export type { CredentialCache, GetOptions, InvalidateOptions } from './client/credential-cache.js';
export { isWrongPassword } from './client/wrong-password.js';

/** Where the credentials of Locker come from; without any, as the command line finds them. Paths may be relative to the current folder. */
export interface CredentialsOptions {
  /** Path of a token file; by default `$NEXUS3_TOKEN_FILE`. With a token neither of the others is needed. */
  readonly token?: string | undefined;
  /** Path of the root key, which then is used instead of `$NEXUS3_TOKEN_FILE`. */
  readonly rootKey?: string | undefined;
  /** Path of nexus3.yaml; by default found as the command line finds it. */
  readonly config?: string | undefined;
  /** How often a Locker that is down is asked for one credential before the caller is told; 6 by default, which takes about 3 s. */
  readonly attemptsMax?: number | undefined;
  /** Current folder and environment variables; by default the process's own. */
  readonly surroundings?: Surroundings | undefined;
}

/**
 * Passwords from Locker for a program: cached in memory only, read anew when a server no longer takes one. Reads nothing
 * yet and throws nothing: what is wrong with token, key or configuration, the first `get` says.
 */
export function credentials(options: CredentialsOptions = {}): CredentialCache {
  const surroundings = options.surroundings ?? { cwd: process.cwd(), env: process.env };
  let source: Promise<CredentialSource> | undefined;
  return new CredentialCache({
    attemptsMax: options.attemptsMax,
    random: Math.random,
    sleep: (ms, signal) => sleep(ms, undefined, { signal }),
    read: async (env, user) => {
      // A failure is not kept: the configuration may be there the next time.
      source ??= sourceOf(options, surroundings);
      const opened = await source.catch((error: unknown) => {
        source = undefined;
        throw error;
      });
      const { password, vault } = await opened.read(env, user);
      return toCredential(env, user, vault, password);
    },
  });
}

/** The path of the token to be used; undefined: the root key is. */
export function tokenPath(
  { token, rootKey }: Pick<CredentialsOptions, 'token' | 'rootKey'>,
  { cwd, env }: Surroundings,
): string | undefined {
  const named = token ?? (rootKey === undefined ? env['NEXUS3_TOKEN_FILE'] : undefined);
  return named === undefined || named === '' ? undefined : resolve(cwd, named);
}

async function sourceOf(options: CredentialsOptions, surroundings: Surroundings): Promise<CredentialSource> {
  const path = tokenPath(options, surroundings);
  if (path !== undefined) return new TokenSource(path, askOnce);
  const { rootKeySource } = await import('./compose-root-key-source.js');
  return rootKeySource(options, surroundings);
}
