/** What a client needs to log in. */
import { renderUrl } from '../protocol/connection-formats.js';
import type { Address } from '../protocol/redis-conf.js';
import type { Secret } from '../protocol/secret.js';
import type { CredentialName } from '../protocol/users.js';

/** Printed, the password is `[secret]`. */
export interface Credential {
  /** The environment's name. */
  readonly env: string;
  /** Whose password, as Locker names it. */
  readonly user: CredentialName;
  /** The user's name on the server. */
  readonly username: string;
  /** Where the server answers, as seen from the host of nexus3.yaml or of the token: a name or an address. */
  readonly host: string;
  /** The vault's; for `operational-admin` the operational's, which is one above. */
  readonly port: number;
  /** Plain by `reveal()` only. */
  readonly password: Secret;
  /** `redis://user:password@host:port`, a secret as a whole. */
  readonly url: () => string;
}

/** The operational's administrator logs in as `admin` there, one port further; everybody else at the vault. */
export function toCredential(env: string, user: CredentialName, vault: Address, password: Secret): Credential {
  const isOperational = user === 'operational-admin';
  const username = isOperational ? 'admin' : user;
  const { host } = vault;
  const port = isOperational ? vault.port + 1 : vault.port;
  const url = (): string => renderUrl({ env, username, host, port, password: password.reveal() });
  return { env, user, username, host, port, password, url };
}
