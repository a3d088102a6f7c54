/** A TCP server that misbehaves on purpose: for tests of what must end in bounded time all the same. */
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import type { Address } from '../../src/protocol/redis-conf.js';

export interface FakeServer extends AsyncDisposable {
  readonly address: Address;
  /** Everything that clients have sent. */
  received(): string;
}

export async function startFakeServer(behave: (socket: Socket) => void): Promise<FakeServer> {
  const sockets = new Set<Socket>();
  let received = '';
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => (received += chunk.toString('latin1')));
    socket.on('close', () => sockets.delete(socket));
    behave(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new Error('no port');
  return {
    address: { host: '127.0.0.1', port: bound.port },
    received: () => received,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
