/** How much has come in over a connection that somebody else opens: node-redis keeps its socket to itself. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { subscribe } from 'node:diagnostics_channel';
import { Socket } from 'node:net';

/** Filled in with the socket that is opened within its scope. */
export class CountedSocket {
  socket: Socket | undefined;

  get bytesRead(): number {
    return this.socket?.bytesRead ?? 0;
  }

  /** Runs what opens the connection. */
  async open<Result>(work: () => Promise<Result>): Promise<Result> {
    listen();
    opening += 1;
    try {
      return await scope.run(this, work);
    } finally {
      opening -= 1;
      // While it is in use, Node.js 20 follows every promise of the process, which costs each call a good part of its time.
      if (opening === 0) scope.disable();
    }
  }
}

/** How many are being opened. */
let opening = 0;
const scope = new AsyncLocalStorage<CountedSocket>();
let listening = false;

/** Node publishes each socket of `net.connect` on this channel, within the asynchronous context of the call. */
function listen(): void {
  if (listening) return;
  listening = true;
  subscribe('net.client.socket', (message) => {
    const counted = scope.getStore();
    if (counted !== undefined && isOpened(message)) counted.socket = message.socket;
  });
}

function isOpened(message: unknown): message is { readonly socket: Socket } {
  return typeof message === 'object' && message !== null && 'socket' in message && message.socket instanceof Socket;
}
