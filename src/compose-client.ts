/**
 * `connect`, composed by itself: what a program that only wants storage has to load. Exported as `nexus3/client`, too.
 */
import type { CredentialsOptions } from './compose-credentials.js';
import { credentials, tokenPath } from './compose-credentials.js';
import { ConnectedEnvironment } from './client/connected-environment.js';
import type { ClientOptions, EnvironmentClient } from './client/environment-client.js';
import type { Place } from './client/place.js';
import type { EnvironmentUrls } from './client/place-at-urls.js';
import { placeAt } from './client/place-at-urls.js';
import type { EnvironmentKind } from './protocol/environment.js';
import type { Address } from './protocol/redis-conf.js';
import { connectionFailure } from './redis/driver/failure.js';
import { isAnswering } from './redis/driver/is-answering.js';
import { openClient } from './redis/driver/open-client.js';
import { openGraph } from './redis/driver/open-graph.js';

export type {
  ClientCounters,
  ClientEvents,
  ClientOptions,
  ClientState,
  EnvironmentClient,
  Graph,
  ReadsFrom,
  RedisClient,
  RedisCommandOptions,
  RouteEvent,
  RouteReason,
  SyncedOptions,
  VaultEvent,
} from './client/environment-client.js';

export type { EnvironmentUrls } from './client/place-at-urls.js';
export type { CommandOutcome } from './errors.js';
export { Nexus3Error } from './errors.js';
/** Of node-redis and of the official `falkordb` client, as they are. */
export { ConstraintType, EntityType, RESP_TYPES } from './redis/driver/names.js';

/** Where Locker's credentials come from, and how the client behaves. */
export type ConnectOptions = ClientOptions & CredentialsOptions;

const DRIVERS = { openClient, openGraph, connectionFailure, isAnswering };

/**
 * One environment's vault and operational as one thing, with the password from Locker: by root key where nexus3.yaml is,
 * or by a token (`{ token: FILE }` or `$NEXUS3_TOKEN_FILE`), which needs neither.
 * One server that answers within 3,000 ms is enough.
 * @throws Nexus3Error ENVIRONMENT_UNKNOWN, ENVIRONMENT_UNREACHABLE, CONFIG_…, LOCKER_…, ROOT_KEY_…, TOKEN_…; USAGE for a
 * limit that cannot be kept
 */
export async function connect(name: string, options: ConnectOptions = {}): Promise<EnvironmentClient> {
  return new ConnectedEnvironment(await placeOf(name, options), options, DRIVERS).open();
}

/** For hosts without nexus3.yaml: both addresses as URLs. @throws Nexus3Error USAGE, ENVIRONMENT_UNREACHABLE */
connect.fromUrl = async function fromUrl(
  urls: EnvironmentUrls,
  options: ClientOptions = {},
): Promise<EnvironmentClient> {
  const { place, database } = placeAt(urls, options.database);
  return new ConnectedEnvironment(place, { ...options, database }, DRIVERS).open();
};

async function placeOf(name: string, options: ConnectOptions): Promise<Place> {
  const surroundings = options.surroundings ?? { cwd: process.cwd(), env: process.env };
  const cache = credentials(options);
  const login = async () => {
    const { username, password } = await cache.get(name);
    return { username, password: password.reveal() };
  };
  const common = {
    name,
    login,
    refused: () => {
      cache.invalidate(name);
    },
    close: () => cache.close(),
  };
  const token = tokenPath(options, surroundings);
  if (token === undefined) {
    const { configuredPlace } = await import('./compose-root-key-source.js');
    return { ...common, ...(await configuredPlace(name, options, surroundings)) };
  }
  // Where the servers answer stands in the token itself: while Locker is away, the operational can be read.
  const { loadToken } = await import('./locker/token/token-file.js');
  const { kind, vault } = await loadToken(token);
  return { ...common, ...pairAt(kind, vault), lagBytesMax: undefined };
}

function pairAt(kind: EnvironmentKind, vault: Address): Pick<Place, 'kind' | 'vault' | 'operational'> {
  return { kind, vault, operational: kind === 'secure' ? undefined : { host: vault.host, port: vault.port + 1 } };
}
