/**
 * Puts a function of ours around whatever a node-redis client sends: commands, pipelines, transactions, and those of its
 * duplicates and pools. All commands of a client, also those of `withTypeMapping` and the like, come through the three
 * functions that are replaced here (@redis/client 5.12); subscriptions, MONITOR and the handshake do not, and need not.
 */
import type { Around, DriverClient, Link } from '../../client/driver.js';
import type { RedisClient } from '../../client/environment-client.js';

type Words = readonly string[];

/** What stands behind the typed surface of a client. */
export interface Internals {
  readonly _self: Internals;
  _commandOptions?: unknown;
  sendCommand: (this: Internals, args: Words, options?: unknown) => Promise<unknown>;
  _executeMulti: (this: Internals, commands: readonly Queued[], selectedDb?: number) => Promise<unknown>;
  _executePipeline: (this: Internals, commands: readonly Queued[], selectedDb?: number) => Promise<unknown>;
  duplicate: (this: Internals, overrides?: unknown) => Internals;
  createPool: (this: Internals, options?: unknown) => PoolInternals;
  on(event: string, listener: (...args: unknown[]) => void): unknown;
}

export interface PoolInternals {
  readonly _self: PoolInternals;
  readonly isOpen: boolean;
  destroy(): void;
  execute: (this: PoolInternals, task: (client: Internals) => unknown) => Promise<unknown>;
  on(event: string, listener: (...args: unknown[]) => void): unknown;
}

interface Queued {
  readonly args: Words;
}

export function internalsOf(client: RedisClient): Internals {
  return (client as unknown as Internals)._self;
}

/** What makes connections besides the client's own is handed to `onMade`, so that it can be closed with it. */
export function intercept(
  self: Internals,
  around: Around,
  onMade: (made: RedisClient | PoolInternals) => void,
  isOwn = true,
): Link {
  const { sendCommand, _executeMulti, _executePipeline, duplicate, createPool } = self;
  const link: Link = { isOwn, ask: (words) => sendCommand.call(self, words) };

  self.sendCommand = function (this: Internals, args, options) {
    const send = (on?: DriverClient): Promise<unknown> =>
      sendCommand.call(on === undefined ? self : internalsOf(on.client), args, options);
    return around({ kind: 'command', commands: [args] }, send, link);
  };
  self._executeMulti = function (this: Internals, commands, selectedDb) {
    const send = (on?: DriverClient): Promise<unknown> => _executeMulti.call(speaker(this, on), commands, selectedDb);
    return around({ kind: 'transaction', commands: commands.map(({ args }) => args) }, send, link);
  };
  self._executePipeline = function (this: Internals, commands, selectedDb) {
    const send = (on?: DriverClient): Promise<unknown> =>
      _executePipeline.call(speaker(this, on), commands, selectedDb);
    return around({ kind: 'pipeline', commands: commands.map(({ args }) => args) }, send, link);
  };
  self.duplicate = function (this: Internals, overrides) {
    const made = duplicate.call(this, overrides);
    intercept(made, around, onMade, false);
    // Without a listener, an error of a connection that node-redis makes anew by itself would end the process.
    made.on('error', () => undefined);
    onMade(made as unknown as RedisClient);
    return made;
  };
  self.createPool = function (this: Internals, options) {
    const pool = createPool.call(self, options);
    interceptPool(pool._self, around, onMade);
    onMade(pool);
    return pool;
  };
  return link;
}

/** Members come and go; each is met when it is first handed out. */
function interceptPool(pool: PoolInternals, around: Around, onMade: (made: RedisClient | PoolInternals) => void): void {
  const met = new WeakSet<Internals>();
  const { execute } = pool;
  pool.execute = function (task) {
    return execute.call(pool, (client) => {
      const member = client._self;
      if (!met.has(member)) {
        met.add(member);
        intercept(member, around, onMade, false);
      }
      return task(client);
    });
  };
  pool.on('error', () => undefined);
}

/** Who sends: replies are read as the one who was asked reads them, over whichever connection. */
function speaker(asked: Internals, on: DriverClient | undefined): Internals {
  if (on === undefined) return asked;
  const other = Object.create(internalsOf(on.client)) as Internals;
  other._commandOptions = asked._commandOptions;
  return other;
}
