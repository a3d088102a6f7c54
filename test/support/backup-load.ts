/** Writers that keep an invariant by transactions, and the same looked for in a copy: a snapshot holds one instant, or not. */
import { join } from 'node:path';
import { expect } from 'vitest';
import type { Manifest } from '../../src/backup/backups.js';
import { Secret } from '../../src/protocol/secret.js';
import { hostAddress } from '../../src/reconcile/access.js';
import type { Connection } from '../../src/redis/connection.js';
import { openConnection } from '../../src/redis/connection.js';
import { expectInteger, expectList, isList, ReplyError, textOf } from '../../src/redis/replies.js';
import { until } from './break.js';
import type { Nexus } from './nexus.js';
import { startServer, TEST_CREDENTIALS } from './redis-server.js';

const ACCOUNTS = 20;
const TOTAL = 1_000_000;

export interface Transfers extends AsyncDisposable {
  /** So far, acknowledged. */
  count(): number;
}

/** Each transaction moves an amount between two accounts, and adds one to a list, a counter, a stream and a graph. */
export async function startTransfers(nexus: Nexus, env: string, writers: number): Promise<Transfers> {
  const address = hostAddress(await nexus.spec(env, 'vault'));
  const credential = { user: 'default', password: new Secret(await nexus.password(env)) };
  using first = await openConnection(address, credential);
  await first.pipeline([
    ['SET', 'account:0', String(TOTAL)],
    ...Array.from({ length: ACCOUNTS - 1 }, (_, index) => ['SET', `account:${String(index + 1)}`, '0']),
    ['GRAPH.QUERY', 'transfers', 'CREATE (:Book)'],
  ]);
  let isOver = false;
  let done = 0;
  const write = async (writer: number): Promise<void> => {
    using connection = await openConnection(address, credential);
    for (let turn = 0; !isOver; turn += 1) {
      await transfer(connection, (writer + turn) % ACCOUNTS, (writer + turn * 7 + 1) % ACCOUNTS);
      done += 1;
    }
  };
  const running = Array.from({ length: writers }, (_, writer) => write(writer));
  return {
    count: () => done,
    async [Symbol.asyncDispose]() {
      isOver = true;
      await Promise.all(running);
    },
  };
}

async function transfer(connection: Connection, from: number, to: number): Promise<void> {
  const replies = await connection.pipeline([
    ['MULTI'],
    ['DECRBY', `account:${String(from)}`, '3'],
    ['INCRBY', `account:${String(to)}`, '3'],
    ['RPUSH', 'log', `${String(from)} to ${String(to)}, and some words that take up room`],
    ['INCR', 'counter'],
    ['XADD', 'stream', '*', 'from', String(from)],
    ['GRAPH.QUERY', 'transfers', 'CREATE (:Transfer)'],
    ['EXEC'],
  ]);
  const executed = replies.at(-1);
  const errors = [...replies, ...(isList(executed) ? executed : [])].filter((reply) => reply instanceof ReplyError);
  if (!isList(executed) || errors.length > 0)
    throw new Error(`a transfer failed: ${errors.map(({ text }) => text).join()}`);
}

/** Loads the snapshot of a backup into a server of the test's own. @returns how many transfers it holds */
export async function expectOneInstant(nexus: Nexus, manifest: Manifest): Promise<number> {
  await using world = await nexus.world();
  await using copy = await startServer({ role: 'vault', kind: 'secure', extraLines: ['appendonly no'] });
  await world.backups.extract(manifest, join(copy.dataDir, 'dump.rdb'), undefined);
  await copy.restart();
  using connection = await openConnection(copy.address, { user: 'admin', password: TEST_CREDENTIALS.admin });
  await until(async () => (await connection.send(['PING'])) === 'PONG', 'the load of the copy');
  const keys = Array.from({ length: ACCOUNTS }, (_, index) => `account:${String(index)}`);
  const balances = expectList(await connection.send(['MGET', ...keys]), 'MGET').map((reply) => Number(textOf(reply)));
  const counter = Number(textOf(await connection.send(['GET', 'counter'])));
  const nodes = expectList(
    await connection.send(['GRAPH.RO_QUERY', 'transfers', 'MATCH (t:Transfer) RETURN count(t)']),
    'GRAPH.RO_QUERY',
  )[1];
  const [row] = expectList(nodes, 'GRAPH.RO_QUERY');
  expect({
    sum: balances.reduce((sum, balance) => sum + balance, 0),
    list: await connection.send(['LLEN', 'log']),
    stream: await connection.send(['XLEN', 'stream']),
    graph: expectInteger(isList(row) ? row[0] : undefined, 'GRAPH.RO_QUERY'),
  }).toEqual({ sum: TOTAL, list: counter, stream: counter, graph: counter });
  return counter;
}
