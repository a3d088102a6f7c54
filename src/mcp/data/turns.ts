/** So many at once, in the order they came; the rest wait, but neither too many nor too long. */
import { Nexus3Error } from '../../errors.js';
import { QUERIES_WAITING_MAX, QUERIES_WAIT_MAX_MS } from './limits.js';

export class Turns {
  readonly #waiting: (() => void)[] = [];
  #free: number;

  constructor(atOnce: number) {
    this.#free = atOnce;
  }

  /** @throws Nexus3Error BUSY, and the signal's reason when it is aborted while waiting */
  async run<Result>(work: () => Promise<Result>, signal: AbortSignal): Promise<Result> {
    const turn = this.#turn(signal);
    if (turn !== undefined) await turn;
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free += 1;
      else next();
    }
  }

  /** Undefined: at once. */
  #turn(signal: AbortSignal): Promise<void> | undefined {
    signal.throwIfAborted();
    if (this.#free > 0) {
      this.#free -= 1;
      return undefined;
    }
    if (this.#waiting.length >= QUERIES_WAITING_MAX) throw busy();
    return new Promise<void>((resolve, reject) => {
      const settle = (error?: unknown): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', onAbort);
        if (error === undefined) {
          resolve();
          return;
        }
        this.#waiting.splice(this.#waiting.indexOf(go), 1);
        reject(error instanceof Error ? error : new Error('cancelled'));
      };
      const go = (): void => settle();
      const onAbort = (): void => settle(signal.reason ?? new Error('cancelled'));
      const timer = setTimeout(() => settle(busy()), QUERIES_WAIT_MAX_MS);
      signal.addEventListener('abort', onAbort);
      this.#waiting.push(go);
    });
  }
}

function busy(): Nexus3Error {
  return new Nexus3Error('BUSY', 'Too many calls wait for this environment already.', {
    hint: 'Wait a little, and call it again with fewer at once.',
  });
}
