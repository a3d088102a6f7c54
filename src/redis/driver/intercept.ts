/**
 * Puts a function of ours around whatever a node-redis client sends: commands, pipelines, transactions, and those of its
 * duplicates and pools. All commands of a client, also those of `withTypeMapping` and the like, come through the three
 * functions that are replaced here (@redis/client 5.12); subscriptions, MONITOR and the handshake do not, and need not.
 */
import { ClientOfflineError } from '@redis/client';
import type { DriverClient, Interceptor, Link } from '../../client/driver.js';
import type { RedisClient } from '../../client/environment-client.js';
import { QUEUE_IS_FULL } from './failure.js';

type Words = readonly string[];

/** What stands behind the typed surface of a client. */
export interface Internals {
  readonly _self: Internals;
  readonly isOpen: boolean;
  readonly isReady: boolean;
  readonly options: { readonly commandsQueueMaxLength?: number };
  _commandOptions?: unknown;
  _getQueue(): { readonly pendingCount: number };
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

export interface Hooks {
  /** What makes connections besides the client's own, so that it can be closed with it. */
  readonly onMade: (made: RedisClient | PoolInternals) => void;
  /** Of any of them. Without a listener, an error of a connection that node-redis makes anew by itself would end the process. */
  readonly onError: (error: unknown) => void;
}

/** MULTI and EXEC. */
const AROUND_TRANSACTION = 2;
/** Whatever a program wants for its own commands: what is asked behind a write is not to overtake it. */
const PLAINLY = { asap: false } as const;

export function intercept(self: Internals, interceptor: Interceptor, hooks: Hooks, isOwn = true): Link {
  const { sendCommand, _executeMulti, _executePipeline, duplicate, createPool } = self;
  const link: Link = { isOwn, ask: (words) => sendCommand.call(self, words, PLAINLY) };

  self.sendCommand = function (this: Internals, args, options) {
    const send = (on?: DriverClient): Promise<unknown> =>
      sendCommand.call(on === undefined ? self : internalsOf(on.client), args, options);
    if (!interceptor.isPlain(args[0], link))
      return interceptor.around({ kind: 'command', commands: [args] }, send, link);
    return sendCommand
      .call(self, args, options)
      .catch((error: unknown) => interceptor.afterFailure({ kind: 'command', commands: [args] }, send, link, error));
  };
  self._executeMulti = function (this: Internals, commands, selectedDb) {
    const send = (on?: DriverClient): Promise<unknown> =>
      whenReady(speaker(this, on), commands.length + AROUND_TRANSACTION, (self) =>
        _executeMulti.call(self, commands, selectedDb),
      );
    return interceptor.around({ kind: 'transaction', commands: commands.map(({ args }) => args) }, send, link);
  };
  self._executePipeline = function (this: Internals, commands, selectedDb) {
    const send = (on?: DriverClient): Promise<unknown> =>
      whenReady(speaker(this, on), commands.length, (self) => _executePipeline.call(self, commands, selectedDb));
    return interceptor.around({ kind: 'pipeline', commands: commands.map(({ args }) => args) }, send, link);
  };
  self.duplicate = function (this: Internals, overrides) {
    const made = duplicate.call(this, overrides);
    intercept(made, interceptor, hooks, false);
    made.on('error', (error) => {
      if (made.isReady) hooks.onError(error);
    });
    hooks.onMade(made as unknown as RedisClient);
    return made;
  };
  self.createPool = function (this: Internals, options) {
    const pool = createPool.call(self, options);
    interceptPool(pool._self, interceptor, hooks);
    hooks.onMade(pool);
    return pool;
  };
  return link;
}

/** Members come and go; each is met when it is first handed out. */
function interceptPool(pool: PoolInternals, interceptor: Interceptor, hooks: Hooks): void {
  const met = new WeakSet<Internals>();
  const { execute } = pool;
  pool.execute = function (task) {
    return execute.call(pool, (client) => {
      const member = client._self;
      if (!met.has(member)) {
        met.add(member);
        intercept(member, interceptor, hooks, false);
      }
      return task(client);
    });
  };
  pool.on('error', hooks.onError);
}

/** Who sends: replies are read as the one who was asked reads them, over whichever connection. */
function speaker(asked: Internals, on: DriverClient | undefined): Internals {
  if (on === undefined) return asked;
  const other = Object.create(internalsOf(on.client)) as Internals;
  other._commandOptions = asked._commandOptions;
  return other;
}

/**
 * Of a client that is away, node-redis refuses single commands; pipelines and transactions it would keep, and send later.
 * Where not all of one finds room, it would send a part: a MULTI without its EXEC, for one, behind which every command of
 * everybody is taken for a part of that transaction and never done.
 */
function whenReady(self: Internals, count: number, send: (self: Internals) => Promise<unknown>): Promise<unknown> {
  if (self.isOpen && !self.isReady) return Promise.reject(new ClientOfflineError());
  const { commandsQueueMaxLength: most = Infinity } = self.options;
  return self._getQueue().pendingCount + count > most ? Promise.reject(new Error(QUEUE_IS_FULL)) : send(self);
}
