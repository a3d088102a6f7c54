/** Clients of one nexus3 under test: opened as a program opens them, closed at the end of each test. */
import { expect } from 'vitest';
import type { ClientEvents, ConnectOptions, EnvironmentClient } from '../../src/compose-client.js';
import { connect } from '../../src/compose-client.js';
import { Nexus3Error } from '../../src/errors.js';
import type { ErrorCode } from '../../src/errors.js';
import { until } from './break.js';
import type { Nexus } from './nexus.js';

/** Shorter than a program's, so that scenarios are. In milliseconds. */
export const QUICK = { watchIntervalMs: 100, silenceMaxMs: 400, vaultWaitMaxMs: 400 } as const;
/** A busy machine may be late by this, in milliseconds. */
export const LATE_MS = 1_500;

export class OpenClients {
  readonly #open: EnvironmentClient[] = [];

  constructor(readonly nexus: () => Nexus) {}

  /** By root key, with {@link QUICK}. */
  async open(env = 'track', more: ConnectOptions = {}): Promise<EnvironmentClient> {
    const nexus = this.nexus();
    const { NEXUS3_ROOT_KEY_FILE: rootKey, ...variables } = nexus.env;
    const surroundings = { cwd: nexus.root, env: variables };
    return this.keep(await connect(env, { ...QUICK, rootKey, config: nexus.configFile, surroundings, ...more }));
  }

  keep(client: EnvironmentClient): EnvironmentClient {
    this.#open.push(client);
    return client;
  }

  async closeAll(): Promise<void> {
    await Promise.all(this.#open.splice(0).map((client) => client.close()));
  }
}

/** Every event of one kind, from now on. */
export function heard<Name extends keyof ClientEvents>(client: EnvironmentClient, name: Name) {
  const events: ClientEvents[Name][] = [];
  client.on(name, (event) => events.push(event));
  return events;
}

export interface Refusal {
  readonly error: Nexus3Error;
  readonly ms: number;
}

/** How this is refused, and how long that took. */
export async function refusalOf(work: () => unknown): Promise<Refusal> {
  const begin = performance.now();
  try {
    await work();
  } catch (error) {
    if (error instanceof Nexus3Error) return { error, ms: performance.now() - begin };
    throw error;
  }
  throw new Error('it was not refused');
}

/** Each is refused with this code in so many milliseconds at most. */
export async function allRefused(
  code: ErrorCode,
  withinMs: number,
  works: Readonly<Record<string, () => unknown>>,
): Promise<readonly Nexus3Error[]> {
  return Promise.all(
    Object.entries(works).map(async ([name, work]) => {
      const { error, ms } = await refusalOf(work).catch((cause: unknown) => {
        throw new Error(`${name}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
      });
      expect(error.code, `${name}: ${error.message}`).toBe(code);
      expect(ms, name).toBeLessThan(withinMs);
      return error;
    }),
  );
}

/** Waits until reads go there. */
export async function readsGoTo(client: EnvironmentClient, where: 'operational' | 'vault'): Promise<void> {
  await until(() => client.state.readsFrom === where, `reads from the ${where}`);
}
