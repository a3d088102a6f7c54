/** Where the credentials helper reads: one credential from Locker, with a token or with the root key. */
import { Nexus3Error } from '../../errors.js';
import type { Address } from '../../protocol/redis-conf.js';
import type { Secret } from '../../protocol/secret.js';
import type { CredentialName } from '../../protocol/users.js';
import type { LockerReply } from '../channel.js';

/** Logs in, asks and is gone again. `refused`: this user and password are not accepted. */
export type AskLocker = (
  address: Address,
  credential: { readonly user: string; readonly password: Secret },
  commands: readonly (readonly string[])[],
) => Promise<readonly LockerReply[] | 'refused'>;

export interface FoundCredential {
  readonly password: Secret;
  /** The environment's vault. */
  readonly vault: Address;
}

export interface CredentialSource {
  /** Every read is noted in Locker's audit. @throws Nexus3Error LOCKER_…, ROOT_KEY_…, TOKEN_…, ENVIRONMENT_UNKNOWN */
  read(env: string, name: CredentialName): Promise<FoundCredential>;
}

/** What went wrong on the way to Locker, as Locker's own failure; anything else unchanged. */
export function asLockerFailure(address: Address, error: unknown): unknown {
  if (!(error instanceof Nexus3Error) || !error.code.startsWith('REDIS_')) return error;
  return new Nexus3Error('LOCKER_UNREACHABLE', 'Locker cannot be asked.', {
    evidence:
      error.evidence.length === 0 ? [`${address.host}:${String(address.port)}: ${error.message}`] : error.evidence,
    hint: 'On its host, start it with `nexus3 up locker`, or see what is wrong with it: `nexus3 check locker`.',
    cause: error,
  });
}
