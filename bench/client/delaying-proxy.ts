/** A server far away: what comes is passed on a little later, so that each wait for an answer costs the same known time. */
import { createServer, connect as dial } from 'node:net';
import type { Server, Socket } from 'node:net';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';

const HOST = '127.0.0.1';

export class DelayingProxy implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(target: number, delayMs: number) {
    this.#server = createServer({ noDelay: true }, (near) => {
      const far = dial({ host: HOST, port: target, noDelay: true });
      this.#pass(near, far, delayMs);
      this.#pass(far, near, delayMs);
    });
  }

  /** @param delayMs each way */
  static async before(target: number, delayMs: number): Promise<DelayingProxy> {
    const proxy = new DelayingProxy(target, delayMs);
    proxy.#server.listen(0, HOST);
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Timers of one length fire in the order in which they were set, so nothing overtakes. */
  #pass(from: Socket, to: Socket, delayMs: number): void {
    this.#sockets.add(from);
    from.on('data', (chunk: Buffer) => {
      setTimeout(() => {
        if (to.writable) to.write(chunk);
      }, delayMs);
    });
    from.on('error', () => to.destroy());
    from.on('close', () => {
      this.#sockets.delete(from);
      to.destroy();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}
