/** One of the two servers as the client has it: whether its connection is up, and who waits for that. */
import type { Address } from '../protocol/redis-conf.js';
import { Nexus3Error } from '../errors.js';
import type { DriverClient, DriverOptions, Drivers, Login } from './driver.js';
import type { ReadsFrom } from './environment-client.js';

/** The waits before a connection is made anew, each twice the one before, in milliseconds. */
const RECONNECT_FIRST_MS = 25;
const RECONNECT_MAX_MS = 500;
/** Where no password can be had, which does not mend itself soon, and each question is noted in Locker's audit. */
const ASK_AGAIN_MS = 5_000;

export interface SideInit {
  readonly name: ReadsFrom;
  readonly address: Address;
  readonly login: (() => Promise<Login>) | undefined;
  readonly options: Pick<DriverOptions, 'interceptor' | 'commandsMax' | 'commandOptions' | 'database'>;
  /** How many commands may wait for the connection. */
  readonly waitingMax: number;
  /** It is up, or away with this cause. */
  readonly onChange: (isUp: boolean, cause: unknown) => void;
  /** Each attempt that failed. */
  readonly onFailed: (cause: unknown) => void;
}

export class Side {
  readonly name: ReadsFrom;
  readonly address: Address;
  readonly driver: DriverClient;
  readonly #init: SideInit;
  readonly #waiting = new Set<() => void>();
  #isUp = false;
  #epoch = 0;
  #awaySince = performance.now();
  #failures = 0;
  #cause: unknown;
  #lastAttemptAt = performance.now();
  #denied: { readonly error: unknown; readonly until: number } | undefined;

  constructor(init: SideInit, drivers: Drivers) {
    this.#init = init;
    const { login } = init;
    this.name = init.name;
    this.address = init.address;
    this.driver = drivers.openClient({
      ...init.options,
      address: init.address,
      credentials: login === undefined ? undefined : () => this.#login(login),
      onAway: (attempt, cause) => this.#onAway(attempt, cause),
      onReady: () => {
        this.#onReady();
      },
    });
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  /** Counts connections: what was learnt over an earlier one may not be true of this one. */
  get epoch(): number {
    return this.#epoch;
  }

  /** How many attempts have failed since it was up, or since the beginning. */
  get failures(): number {
    return this.#failures;
  }

  /** Why it is away. */
  get cause(): unknown {
    return this.#cause;
  }

  /** Milliseconds since it was up; 0 while it is. */
  get awayMs(): number {
    return this.#isUp ? 0 : performance.now() - this.#awaySince;
  }

  /** Milliseconds since a connection was last tried. */
  get quietMs(): number {
    return performance.now() - this.#lastAttemptAt;
  }

  /** Waits for the connection until `ms` after it was lost, not longer; at once where that has passed. */
  async untilUp(ms: number): Promise<boolean> {
    if (this.#isUp) return true;
    const left = ms - this.awayMs;
    if (left <= 0 || this.#waiting.size >= this.#init.waitingMax) return false;
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, left);
      this.#waiting.add(wake);
    });
    return this.#isUp;
  }

  /** Whoever waits is told that it is in vain. */
  giveUp(): void {
    for (const wake of [...this.#waiting]) wake();
  }

  #onReady(): void {
    this.#isUp = true;
    this.#epoch += 1;
    this.#failures = 0;
    this.#cause = undefined;
    this.giveUp();
    this.#init.onChange(true, undefined);
  }

  #onAway(attempt: number, cause: Error): number {
    // Duplicates come here as well, and say nothing of this connection.
    if (!this.driver.client.isReady) {
      this.#failures += 1;
      this.#cause = cause;
      this.#lastAttemptAt = performance.now();
      if (this.#isUp) {
        this.#isUp = false;
        this.#awaySince = performance.now();
        this.#init.onChange(false, cause);
      }
    }
    this.#init.onFailed(cause);
    return Math.min(RECONNECT_MAX_MS, RECONNECT_FIRST_MS * 2 ** Math.min(attempt, 10));
  }

  /** Not asked again for a while after a denial. It is not waited here or there: node-redis ends no wait, and would keep a process that is done. */
  async #login(login: () => Promise<Login>): Promise<Login> {
    if (this.#denied !== undefined && performance.now() < this.#denied.until) throw this.#denied.error;
    try {
      return await login();
    } catch (error) {
      if (isDenied(error)) this.#denied = { error, until: performance.now() + ASK_AGAIN_MS };
      throw error;
    }
  }
}

/** There is no password to be had, and asking again at once would not change that. */
export function isDenied(cause: unknown): cause is Nexus3Error {
  return cause instanceof Nexus3Error && cause.code !== 'LOCKER_UNREACHABLE' && cause.code !== 'LOCKER_ROTATING';
}
