/** A connection that can be cut. */

export class Severed extends Error {
  constructor() {
    super('the connection was cut, because the server was silent');
  }
}

type Listener = (event: Event) => void;

/**
 * An abort signal that can be raised again and again. Handed to node-redis as the `signal` of its sockets (an option of
 * `net.connect`), it cuts whatever connections there are now; the client then makes new ones. A real AbortSignal is
 * raised once and for all, and would cut every later connection as well. Nothing else ends a connection to a server that
 * is silent: pings that are only written keep a time-out on inactivity from ever coming.
 *
 * Listeners are held weakly: a socket holds its own as long as it lives, and of the two that it adds it takes only one
 * away when it ends (Node.js 20, `net.js`), so that each connection would leave something behind.
 */
export class SeverSignal implements AbortSignal {
  readonly aborted = false;
  readonly reason = new Severed();
  onabort: AbortSignal['onabort'] = null;
  readonly #listeners = new Set<WeakRef<Listener>>();

  throwIfAborted(): void {
    // It never stays raised.
  }

  addEventListener(_type: string, listener: Listener): void {
    this.#sweep();
    this.#listeners.add(new WeakRef(listener));
  }

  removeEventListener(_type: string, listener: Listener): void {
    for (const held of this.#listeners) if (held.deref() === listener) this.#listeners.delete(held);
  }

  dispatchEvent(event: Event): boolean {
    const listeners = [...this.#listeners].map((held) => held.deref());
    // Each is for one cut, as with a real signal.
    this.#listeners.clear();
    for (const listener of listeners) listener?.(event);
    return true;
  }

  sever(): void {
    this.dispatchEvent(new Event('abort'));
  }

  /** How many are held: two of each connection. */
  get listenerCount(): number {
    this.#sweep();
    return this.#listeners.size;
  }

  #sweep(): void {
    for (const held of this.#listeners) if (held.deref() === undefined) this.#listeners.delete(held);
  }
}
