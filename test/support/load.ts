/** Clients that write and read as applications do, while something happens to the servers: what was refused, what was lost. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Nexus3Error } from '../../src/errors.js';
import type { Address } from '../../src/protocol/redis-conf.js';
import type { Secret } from '../../src/protocol/secret.js';
import { hostAddress } from '../../src/reconcile/access.js';
import { Connection, openConnection } from '../../src/redis/connection.js';
import { ReplyError } from '../../src/redis/replies.js';
import type { Nexus } from './nexus.js';

/** A connection is opened anew after so many operations, so that passwords are asked for again and again. */
const OPERATIONS_A_CONNECTION = 40;
const PAUSE_MS = 2;

/** Where a client gets the password from. `refused`: the one that it had does not work any more. */
export type PasswordSource = (refused: boolean) => Promise<Secret>;

export interface Load {
  /** Ends it. What went wrong, and every value whose write was acknowledged. */
  stop(): Promise<{ readonly failures: readonly string[]; readonly written: ReadonlyMap<string, string> }>;
}

export async function startLoad(
  nexus: Nexus,
  env: string,
  clients: number,
  sourceOf: () => PasswordSource,
): Promise<Load> {
  const [vault, operational] = [await nexus.spec(env, 'vault'), await nexus.spec(env, 'operational')].map(hostAddress);
  if (vault === undefined || operational === undefined) throw new Error(`no servers of ${env}`);
  const state = { isOver: false, failures: [] as string[], written: new Map<string, string>() };
  const running = Array.from({ length: clients }, (_, index) =>
    runClient(index, { vault, operational }, sourceOf(), state),
  );
  return {
    async stop() {
      state.isOver = true;
      await Promise.all(running);
      return state;
    },
  };
}

interface State {
  isOver: boolean;
  readonly failures: string[];
  readonly written: Map<string, string>;
}

async function runClient(
  index: number,
  servers: { readonly vault: Address; readonly operational: Address },
  source: PasswordSource,
  state: State,
): Promise<void> {
  using reader = await openConnection(servers.operational, undefined);
  for (let count = 0; !state.isOver;) {
    try {
      using writer = await connect(servers.vault, source);
      for (let operation = 0; operation < OPERATIONS_A_CONNECTION; operation += 1, count += 1) {
        const [key, value] = [`load:${String(index)}:${String(count)}`, `value ${String(count)}`];
        if ((await expectFine(writer, ['SET', key, value])) === 'OK') state.written.set(key, value);
        await expectFine(writer, ['GET', key]);
        await expectFine(reader, ['GET', key]);
        await sleep(PAUSE_MS);
      }
    } catch (error) {
      state.failures.push(error instanceof Error ? error.message : String(error));
      if (error instanceof Nexus3Error) state.failures.push(...error.evidence);
    }
  }
}

/** As the credentials helper does: once more with a fresh one where the one it had is refused. */
async function connect(vault: Address, source: PasswordSource): Promise<Connection> {
  const connection = await Connection.open(vault);
  const reply = await connection.send(['AUTH', 'default', await source(false)]);
  if (reply instanceof ReplyError && reply.kind === 'WRONGPASS') {
    await connection.authenticate({ user: 'default', password: await source(true) });
  }
  return connection;
}

async function expectFine(connection: Connection, command: readonly string[]): Promise<unknown> {
  const reply = await connection.send(command);
  if (reply instanceof ReplyError) throw new Error(`${command[0] ?? ''}: ${reply.text}`);
  return reply;
}
