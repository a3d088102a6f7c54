/** Waits until everything written so far is on Locker's disk; many callers share one wait. */
import { Nexus3Error } from '../errors.js';
import type { Channel } from './channel.js';

/** How long the append-only file may take to reach the disk, in milliseconds; `everysec` needs up to one second. */
export const DURABLE_TIMEOUT_MS = 10_000;
const REPLY_MARGIN_MS = 2_000;

export class Durability {
  readonly #channel: Channel;
  /** Writes something, so that WAITAOF has a write of this connection to wait for. */
  readonly #marker: readonly string[];
  readonly #timeoutMs: number;
  #running: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;

  /** @param channel a connection of its own: WAITAOF blocks the one it is asked on. */
  constructor(channel: Channel, marker: readonly string[], timeoutMs = DURABLE_TIMEOUT_MS) {
    this.#channel = channel;
    this.#marker = marker;
    this.#timeoutMs = timeoutMs;
  }

  /**
   * Whatever was answered before this call is durable when it resolves. Callers that come while one wait is running
   * share the next one, because the running one may have begun before their write.
   * @throws Nexus3Error NOT_PROVEN, LOCKER_UNREACHABLE
   */
  async reached(): Promise<void> {
    this.#next ??= this.#running
      .catch(() => undefined)
      .then(() => {
        const wait = this.#wait();
        this.#running = wait;
        this.#next = undefined;
        return wait;
      });
    await this.#next;
  }

  /** WAITAOF looks at the last write of its own connection: the marker comes after everything it vouches for. */
  async #wait(): Promise<void> {
    const commands = [this.#marker, ['WAITAOF', '1', '0', String(this.#timeoutMs)]];
    const [, reply] = await this.#channel.ask(commands, this.#timeoutMs + REPLY_MARGIN_MS);
    const [local] = Array.isArray(reply) ? (reply as readonly unknown[]) : [];
    if (typeof local === 'number' && local >= 1) return;
    throw new Nexus3Error('NOT_PROVEN', 'Locker did not write the new credential to its disk in time.', {
      evidence: [`WAITAOF 1 0 ${String(this.#timeoutMs)} answered ${String(local)}`],
      hint:
        'Nothing uses that credential yet. Locker needs `appendfsync` everysec or always, and a disk that keeps up: ' +
        'see `nexus3 check locker`, then run the command again.',
    });
  }
}
