/** One node-redis client for one server: it keeps nothing for later while it is away, comes back by itself, and can be cut. */
import { createClient, ErrorReply, SocketClosedUnexpectedlyError } from '@redis/client';
import falkordb from 'falkordb/dist/src/commands/index.js';
import type { DriverClient, DriverOptions } from '../../client/driver.js';
import type { RedisClient } from '../../client/environment-client.js';
import { Nexus3Error } from '../../errors.js';
import { Connections, end } from './connections.js';
import { connectionFailure } from './failure.js';
import { intercept } from './intercept.js';
import { internalsOf } from './internals.js';
import { SeverSignal } from './severable.js';

/** How long a connection may take to open, in milliseconds. */
const CONNECT_TIMEOUT_MS = 2_000;

type Base = ReturnType<typeof makeBase>;
/** Its class takes some 20 ms to make; those of all others are its duplicates. */
let base: Base | undefined;

function makeBase() {
  return createClient({ modules: { falkordb: falkordb.default } });
}

export function openClient(options: DriverOptions): DriverClient {
  const signal = new SeverSignal();
  const { credentials, commandOptions, database } = options;
  /** How often anything was heard of a connection that is not well. */
  let losses = 0;
  // What a connection is logged in with would wait for ever where it was lost while the password was fetched: node-redis then
  // sends it into a socket of whose end it has been told already.
  const login = (fetch: NonNullable<typeof credentials>) => async () => {
    const before = losses;
    const fetched = await fetch();
    if (losses !== before) throw new SocketClosedUnexpectedlyError();
    return fetched;
  };
  base ??= makeBase();
  const client = base.duplicate({
    socket: {
      ...options.address,
      connectTimeout: CONNECT_TIMEOUT_MS,
      reconnectStrategy: options.onAway,
      signal,
    },
    disableOfflineQueue: true,
    commandsQueueMaxLength: options.commandsMax,
    ...(database === undefined ? {} : { database }),
    ...(commandOptions === undefined ? {} : { commandOptions }),
    ...(credentials === undefined
      ? {}
      : { credentialsProvider: { type: 'async-credentials-provider' as const, credentials: login(credentials) } }),
  }) as unknown as RedisClient;
  // Of a lost connection, reconnectStrategy is told as well. Anything else is an answer that could not be read (a list in a
  // list, a thousand deep): node-redis drops it and gives the next one to whoever waited for it, so every connection that
  // may be so confused has to go. Why one could not log in is not that: the others are well.
  const onError = (error: unknown, isReady: boolean): void => {
    losses += 1;
    if (!isReady) return;
    const isRefusal = error instanceof ErrorReply || error instanceof Nexus3Error;
    if (connectionFailure(error) === undefined && !isRefusal) signal.sever();
  };
  client.on('error', (error) => {
    onError(error, client.isReady);
  });
  client.on('ready', options.onReady);

  const connections = new Connections();
  const own = internalsOf(client);
  const link = intercept(own, options.interceptor, { connections, onError });
  return {
    ...link,
    client,
    connect: async () => {
      await client.connect();
    },
    sever: () => {
      signal.sever();
    },
    close: async (waitMs) => {
      await connections.settled(own, waitMs);
      connections.end();
      end(own);
      // One that is just being made is not ended otherwise.
      signal.sever();
    },
  };
}
