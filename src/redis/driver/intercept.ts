/**
 * Puts a function of ours around whatever a node-redis client sends: commands, pipelines, transactions, and those of its
 * duplicates and pools. All commands of a client, also those of `withTypeMapping` and the like, come through the three
 * functions that are replaced here (@redis/client 5.12). Subscriptions and MONITOR do not: they are shown as what they are
 * where the connection is shared, because with RESP2, which is all that is spoken here, they take it from everything else.
 */
import { ClientOfflineError } from '@redis/client';
import type { DriverClient, Interceptor, Link, Request, Send } from '../../client/driver.js';
import type { Connections } from './connections.js';
import { QUEUE_IS_FULL } from './failure.js';
import type { Internals, PoolInternals, Queued, Words } from './internals.js';
import { internalsOf } from './internals.js';

export interface Hooks {
  /** What is opened besides the client's own connection is closed with it. */
  readonly connections: Connections;
  /** Of any of them. Without a listener, an error of a connection that node-redis makes anew by itself would end the process. */
  readonly onError: (error: unknown, isReady: boolean) => void;
}

/** MULTI and EXEC. */
const AROUND_TRANSACTION = 2;
/** Whatever a program wants for its own commands: what is asked behind a write is not to overtake it. */
const PLAINLY = { asap: false } as const;

export function intercept(self: Internals, interceptor: Interceptor, hooks: Hooks, isOwn = true): Link {
  const { sendCommand, _executeMulti, _executePipeline, duplicate, createPool } = self;
  const link: Link = { isOwn, ask: (words) => sendCommand.call(self, words, PLAINLY) };

  const sends =
    (args: Words, options: unknown): Send<unknown> =>
    (on, others) =>
      sendCommand.call(on === undefined ? self : internalsOf(on.client), (others?.[0] ?? args) as Words, options);
  self.sendCommand = function (this: Internals, args, options) {
    if (!interceptor.isPlain(args[0], link)) {
      return interceptor.around({ kind: 'command', commands: [args] }, sends(args, options), link);
    }
    // Of a command that is plain, nothing more is made than this before it has failed.
    return sendCommand
      .call(self, args, options)
      .catch((error: unknown) =>
        interceptor.afterFailure({ kind: 'command', commands: [args] }, sends(args, options), link, error),
      );
  };
  self._executeMulti = function (this: Internals, commands, selectedDb) {
    const send: Send<unknown> = (on, others) =>
      whenReady(speaker(this, on), commands.length + AROUND_TRANSACTION, (self) =>
        _executeMulti.call(self, queued(others) ?? commands, selectedDb),
      );
    return interceptor.around({ kind: 'transaction', commands: commands.map(({ args }) => args) }, send, link);
  };
  self._executePipeline = function (this: Internals, commands, selectedDb) {
    const send: Send<unknown> = (on, others) =>
      whenReady(speaker(this, on), commands.length, (self) =>
        _executePipeline.call(self, queued(others) ?? commands, selectedDb),
      );
    return interceptor.around({ kind: 'pipeline', commands: commands.map(({ args }) => args) }, send, link);
  };
  self.duplicate = function (this: Internals, overrides) {
    const made = duplicate.call(this, overrides);
    intercept(made, interceptor, hooks, false);
    made.on('error', (error) => {
      hooks.onError(error, made.isReady);
    });
    noteOpening(made, interceptor, hooks);
    return made;
  };
  self.createPool = function (this: Internals, options) {
    const pool = createPool.call(self, options);
    interceptPool(pool._self, interceptor, hooks);
    return pool;
  };
  if (isOwn) showTakingOver(self, interceptor, link);
  return link;
}

const TAKING_OVER = [
  ...['subscribe', 'pSubscribe', 'sSubscribe', 'monitor'],
  ...['SUBSCRIBE', 'PSUBSCRIBE', 'SSUBSCRIBE', 'MONITOR'],
] as const;

function showTakingOver(self: Internals, interceptor: Interceptor, link: Link): void {
  const methods = self as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>;
  for (const name of TAKING_OVER) {
    const method = methods[name];
    methods[name] = (...args) =>
      interceptor.around(
        { kind: 'command', commands: [[name.toUpperCase()]] },
        async () => method?.apply(self, args),
        link,
      );
  }
}

/** It is known from when it begins to connect, again and again; one that is only made holds nothing. */
function noteOpening(made: Internals | PoolInternals, interceptor: Interceptor, { connections }: Hooks): void {
  const { connect } = made;
  made.connect = function () {
    const refusal = interceptor.refusal();
    if (refusal !== undefined) return Promise.reject(refusal);
    const connecting = connect.call(this);
    connections.opened(made);
    return connecting;
  };
}

/** Members come and go; each is met when it is first handed out. */
function interceptPool(pool: PoolInternals, interceptor: Interceptor, hooks: Hooks): void {
  const met = new WeakSet<Internals>();
  const { execute } = pool;
  pool.execute = function (task) {
    const refusal = interceptor.refusal();
    if (refusal !== undefined) return Promise.reject(refusal);
    return execute.call(pool, (client) => {
      const member = client._self;
      if (!met.has(member)) {
        met.add(member);
        intercept(member, interceptor, hooks, false);
        hooks.connections.opened(member);
      }
      return task(client);
    });
  };
  pool.on('error', (error) => {
    hooks.onError(error, true);
  });
  noteOpening(pool, interceptor, hooks);
}

/** As node-redis has them when it sends them; how replies are read it looks up in what was asked. */
function queued(commands: Request['commands'] | undefined): readonly Queued[] | undefined {
  return commands?.map((args) => ({ args: args as Words }));
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
