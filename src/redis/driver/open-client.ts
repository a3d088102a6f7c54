/** One node-redis client for one server: it never queues while it is away, comes back by itself, and can be cut. */
import { createClient } from '@redis/client';
import falkordb from 'falkordb/dist/src/commands/index.js';
import type { SingleGraphConnection } from 'falkordb/dist/src/clients/single.js';
import type { DriverClient, DriverOptions } from '../../client/driver.js';
import { SeverSignal } from './severable.js';

/** How long a connection may take to open, in milliseconds. */
const CONNECT_TIMEOUT_MS = 2_000;
/** The waits before a connection is made anew, each twice the one before, in milliseconds. */
const RECONNECT_FIRST_MS = 25;
const RECONNECT_MAX_MS = 500;

export function openClient(options: DriverOptions): DriverClient {
  const signal = new SeverSignal();
  const { address, credentials, commandOptions } = options;
  const client = createClient({
    socket: {
      ...address,
      connectTimeout: CONNECT_TIMEOUT_MS,
      reconnectStrategy: (retries: number, cause: Error) => {
        options.onAway(cause);
        return Math.min(RECONNECT_MAX_MS, RECONNECT_FIRST_MS * 2 ** Math.min(retries, 10));
      },
      signal,
    },
    modules: { falkordb: falkordb.default },
    disableOfflineQueue: true,
    commandsQueueMaxLength: options.commandsMax,
    ...(options.database === undefined ? {} : { database: options.database }),
    ...(commandOptions === undefined ? {} : { commandOptions }),
    ...(credentials === undefined
      ? {}
      : { credentialsProvider: { type: 'async-credentials-provider' as const, credentials } }),
  }) as unknown as SingleGraphConnection;
  client.on('error', options.onAway);
  client.on('ready', options.onReady);
  return {
    client,
    sever: () => {
      signal.sever();
    },
  };
}
