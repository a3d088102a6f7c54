/** So many tools at a time, so many calls waiting: a client that asks for more is told so, and the server stays up. */
import { Nexus3Error } from '../errors.js';
import { CALL_WAIT_MAX_MS, CALLS_AT_ONCE_MAX, CALLS_WAITING_MAX } from './limits.js';
import type { Tool } from './tool.js';

export interface GateLimits {
  readonly atOnceMax: number;
  readonly waitingMax: number;
  readonly waitMaxMs: number;
}

const LIMITS: GateLimits = {
  atOnceMax: CALLS_AT_ONCE_MAX,
  waitingMax: CALLS_WAITING_MAX,
  waitMaxMs: CALL_WAIT_MAX_MS,
};

export class CallGate {
  readonly #limits: GateLimits;
  readonly #waiting = new Set<() => void>();
  #running = 0;

  constructor(limits: GateLimits = LIMITS) {
    this.#limits = limits;
  }

  /** Runs it when it is its turn. @throws Nexus3Error BUSY; the signal's reason where it is aborted while it waits */
  async run<T>(work: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    const turn = this.#enter(signal);
    if (turn !== undefined) await turn;
    try {
      return await work();
    } finally {
      this.#leave();
    }
  }

  /** Undefined: at once, which is how it mostly is, and then not even a turn of microtasks is waited for. */
  #enter(signal: AbortSignal | undefined): Promise<void> | undefined {
    signal?.throwIfAborted();
    const { atOnceMax, waitingMax, waitMaxMs } = this.#limits;
    if (this.#running < atOnceMax) {
      this.#running += 1;
      return undefined;
    }
    if (this.#waiting.size >= waitingMax) {
      throw busy(`${String(atOnceMax)} calls are under way, and ${String(waitingMax)} are waiting`);
    }
    return new Promise<void>((resolve, reject) => {
      // Whoever leaves hands its place on, so the number of those running stays.
      const start = (): void => {
        settle();
        resolve();
      };
      const onAbort = (): void => {
        settle();
        reject(signal?.reason instanceof Error ? signal.reason : new Error('The call was cancelled.'));
      };
      const timer = setTimeout(() => {
        settle();
        reject(busy(`it waited ${String(waitMaxMs / 1_000)} s for its turn`));
      }, waitMaxMs);
      const settle = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(start);
        signal?.removeEventListener('abort', onAbort);
      };
      signal?.addEventListener('abort', onAbort);
      this.#waiting.add(start);
    });
  }

  #leave(): void {
    const [next] = this.#waiting;
    if (next === undefined) this.#running -= 1;
    else next();
  }
}

/** The same tools, each of whose calls takes its turn. */
export function gated<Context>(tools: readonly Tool<Context>[], gate: CallGate): readonly Tool<Context>[] {
  return tools.map((one) => ({
    ...one,
    run: (input, context, run) => gate.run(() => one.run(input, context, run), run.signal),
  }));
}

function busy(evidence: string): Nexus3Error {
  return new Nexus3Error('BUSY', 'This server has too many calls to answer.', {
    evidence: [evidence],
    hint: 'Call again when some of them have been answered; nothing was done for this one.',
  });
}
