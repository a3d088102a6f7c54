/**
 * Clients that write and read as servers do, while something happens: passwords from the library's helper, connections of
 * node-redis, opened anew now and then. What was refused, what was lost.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { createClient } from '@redis/client';
import type { Credential, CredentialCache } from '../../src/compose-credentials.js';
import { Nexus3Error } from '../../src/errors.js';
import { hostAddress } from '../../src/reconcile/access.js';
import type { Nexus } from './nexus.js';

/** A connection is opened anew after so many operations, so that passwords are asked for again and again. */
const OPERATIONS_A_CONNECTION = 40;
const PAUSE_MS = 2;

export interface Load extends AsyncDisposable {
  /** So far. */
  readonly failures: readonly string[];
  /** Whether each client has logged in with this password last. */
  haveAll(password: string): boolean;
  /** Ends it. What went wrong, and every value whose write was acknowledged. */
  stop(): Promise<{ readonly failures: readonly string[]; readonly written: ReadonlyMap<string, string> }>;
}

/** @param helpers one for each client, as if each were a process of its own */
export async function startLoad(nexus: Nexus, env: string, helpers: readonly CredentialCache[]): Promise<Load> {
  const operational = hostAddress(await nexus.spec(env, 'operational'));
  const state: State = { isOver: false, failures: [], written: new Map(), passwords: helpers.map(() => '') };
  const running = helpers.map((helper, index) => runClient(index, { env, helper, operational }, state));
  const stop: Load['stop'] = async () => {
    state.isOver = true;
    await Promise.all(running);
    return state;
  };
  return {
    failures: state.failures,
    haveAll: (password) => state.passwords.every((one) => one === password),
    stop,
    [Symbol.asyncDispose]: async () => {
      await stop();
    },
  };
}

interface State {
  isOver: boolean;
  readonly failures: string[];
  readonly written: Map<string, string>;
  /** The one that each has logged in with last. */
  readonly passwords: string[];
}

interface Place {
  readonly env: string;
  readonly helper: CredentialCache;
  readonly operational: { readonly host: string; readonly port: number };
}

async function runClient(index: number, { env, helper, operational }: Place, state: State): Promise<void> {
  await using reader = await openClient(operational);
  for (let count = 0; !state.isOver;) {
    try {
      await using writer = await helper.using(env, async (credential) => {
        const opened = await openClient(credential);
        state.passwords[index] = credential.password.reveal();
        return opened;
      });
      for (let operation = 0; operation < OPERATIONS_A_CONNECTION; operation += 1, count += 1) {
        const [key, value] = [`load:${String(index)}:${String(count)}`, `value ${String(count)}`];
        if ((await writer.set(key, value)) === 'OK') state.written.set(key, value);
        await writer.get(key);
        await reader.get(key);
        await sleep(PAUSE_MS);
      }
    } catch (error) {
      state.failures.push(error instanceof Error ? error.message : String(error));
      if (error instanceof Nexus3Error) state.failures.push(...error.evidence);
    }
  }
}

type Server = Pick<Credential, 'host' | 'port'> & Partial<Pick<Credential, 'username' | 'password'>>;

interface Opened extends AsyncDisposable {
  set(key: string, value: string): Promise<string | null>;
  get(key: string): Promise<string | null>;
}

/** A connection that is lost stays lost: that is a refused operation here, and not to be made good unseen. */
async function openClient({ host, port, username, password }: Server): Promise<Opened> {
  const login = username === undefined || password === undefined ? {} : { username, password: password.reveal() };
  const client = createClient({ ...login, socket: { host, port, reconnectStrategy: false } });
  // Without a listener an error ends the process; it is in the rejection of the command, too.
  client.on('error', () => undefined);
  await client.connect();
  return {
    set: (key, value) => client.set(key, value),
    get: (key) => client.get(key),
    [Symbol.asyncDispose]: () => {
      client.destroy();
      return Promise.resolve();
    },
  };
}
