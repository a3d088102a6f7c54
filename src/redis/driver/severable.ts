/** A connection that can be cut. */

export class Severed extends Error {
  constructor() {
    super('the connection was cut, because the server was silent');
  }
}

/**
 * An abort signal that can be raised again and again. Handed to node-redis as the `signal` of its sockets (an option of
 * `net.connect`), it cuts whatever connection there is now; the client then makes a new one. A real AbortSignal is
 * raised once and for all, and would cut every later connection as well. Nothing else ends a connection to a server that
 * is silent: pings that are only written keep a time-out on inactivity from ever coming.
 */
export class SeverSignal extends EventTarget implements AbortSignal {
  readonly aborted = false;
  readonly reason = new Severed();
  onabort: AbortSignal['onabort'] = null;

  throwIfAborted(): void {
    // It never stays raised.
  }

  sever(): void {
    this.dispatchEvent(new Event('abort'));
  }
}
