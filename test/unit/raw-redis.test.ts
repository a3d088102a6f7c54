import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect, it } from 'vitest';
import { say } from '../support/raw-redis.js';

it('a server that closes at the first of two commands is not waited for', async () => {
  const server = createServer((socket) => socket.once('data', () => socket.end())).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  expect(await say({ host: '127.0.0.1', port: address.port }, 'AUTH a b', 'PING')).toBe('closed');
  server.close();
});
