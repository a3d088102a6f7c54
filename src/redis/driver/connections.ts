/** What a client has open besides its own connection, and how all of it is ended: duplicates, pools and their members. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Internals, PoolInternals } from './internals.js';

/** How often it is looked whether all that was sent has been answered, in milliseconds. */
const POLL_MS = 5;

type Made = Internals | PoolInternals;

export class Connections {
  readonly #open = new Set<Made>();

  /** From now on until it ends. */
  opened(one: Made): void {
    // Of a pool that ends, nothing is heard; neither of a client that gives up by itself.
    for (const known of this.#open) if (!known.isOpen) this.#open.delete(known);
    this.#open.add(one);
    if ('isReady' in one) one.once('end', () => this.#open.delete(one));
  }

  /** Resolves once each command that was sent has been answered, and after so many milliseconds whatever is under way then. */
  async settled(own: Internals, maxMs: number): Promise<void> {
    const until = performance.now() + maxMs;
    while ([own, ...this.#open].some(isAwaiting) && performance.now() < until) await sleep(POLL_MS);
  }

  /** What is under way on them rejects. */
  end(): void {
    // Of a pool, the members are ended with it; ended before, they would have it stop at the first of them.
    for (const one of this.#open) if (!('isReady' in one)) end(one);
    for (const one of this.#open) end(one);
    this.#open.clear();
  }
}

/** A pool itself awaits nothing: its members do. */
function isAwaiting(one: Made): boolean {
  return 'isReady' in one && one.isReady && one._getQueue().pendingCount > 0;
}

export function end(one: Made): void {
  // Of what was closed already, there is nothing left to end.
  if (one.isOpen) one.destroy();
}
