import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { startFakeServer } from '../../test/support/fake-server.js';
import { freePort } from '../../test/support/redis-server.js';
import { Secret } from '../protocol/secret.js';
import { Connection, UnreachableError } from './connection.js';
import { REPLY_BYTES_MAX } from './resp.js';

const TIMEOUT_MS = 300;

async function failureOf(work: Promise<unknown>): Promise<UnreachableError> {
  const error: unknown = await work.then(
    () => undefined,
    (caught: unknown) => caught,
  );
  if (error instanceof UnreachableError) return error;
  throw new Error(`no UnreachableError: ${String(error)}`);
}

/** How one question to a server that behaves like this ends. */
async function askOne(behave: (socket: Socket) => void): Promise<UnreachableError> {
  await using server = await startFakeServer(behave);
  using connection = await Connection.open(server.address);
  const startedAt = performance.now();
  const failure = await failureOf(connection.send(['PING'], { timeoutMs: TIMEOUT_MS }));
  expect(performance.now() - startedAt).toBeLessThan(TIMEOUT_MS + 1_000);
  expect(connection.isOpen).toBe(false);
  return failure;
}

describe('a server that', () => {
  it('does not listen is refused', async () => {
    const failure = await failureOf(Connection.open({ host: '127.0.0.1', port: await freePort() }));
    expect(failure).toMatchObject({ reason: 'refused', code: 'REDIS_UNREACHABLE', exitCode: 3 });
  });

  it('has no address is said so', async () => {
    expect((await failureOf(Connection.open({ host: 'no-such-host.invalid', port: 1 }))).reason).toBe('other');
  });

  it('never answers ends in time', async () => {
    expect((await askOne(() => undefined)).reason).toBe('timeout');
  });

  it('drips one byte after the other ends in time', async () => {
    const failure = await askOne((socket) => {
      socket.write('+');
      const timer = setInterval(() => socket.write('x'), 20);
      socket.on('close', () => {
        clearInterval(timer);
      });
    });
    expect(failure.reason).toBe('timeout');
  });

  it.each([
    ['HTTP', 'HTTP/1.1 400 Bad Request\r\n\r\n'],
    ['SSH', 'SSH-2.0-OpenSSH_9.2p1\r\n'],
    ['nonsense', '\0\u0001\u0002\u0003'],
    ['what nobody asked', '+PONG\r\n+PONG\r\n'],
  ])('says %s is not Redis', async (_, text) => {
    await using server = await startFakeServer((socket) => socket.on('data', () => socket.write(text)));
    using connection = await Connection.open(server.address);
    await connection.send(['PING'], { timeoutMs: TIMEOUT_MS }).catch(() => undefined);
    expect((await failureOf(connection.send(['PING'], { timeoutMs: TIMEOUT_MS }))).reason).toBe('not-redis');
  });

  it('goes on sending is cut off, not kept', async () => {
    const before = process.memoryUsage().arrayBuffers;
    let sent = 0;
    const failure = await askOne((socket) => {
      const chunk = Buffer.alloc(1024 * 1024, 'x');
      socket.write('*1000000000\r\n');
      const item = Buffer.concat([Buffer.from(`$${String(chunk.length)}\r\n`), chunk, Buffer.from('\r\n')]);
      const pump = (): void => {
        while (!socket.destroyed && socket.write(item)) sent += item.length;
        sent += item.length;
      };
      socket.on('drain', pump);
      pump();
    });
    expect(['not-redis', 'timeout']).toContain(failure.reason);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(4 * REPLY_BYTES_MAX);
    expect(sent).toBeGreaterThan(0);
  });

  it('closes is said to', async () => {
    expect((await askOne((socket) => socket.on('data', () => socket.destroy()))).reason).toBe('closed');
  });

  it('gives a reason before it closes is quoted', async () => {
    await using server = await startFakeServer((socket) => socket.end('-ERR max number of clients reached\r\n'));
    using connection = await Connection.open(server.address);
    const failure = await failureOf(connection.pipeline([['PING'], ['PING']], { timeoutMs: TIMEOUT_MS }));
    expect(failure.reason).toBe('closed');
    expect(failure.detail).toContain('max number of clients reached');
  });
});

describe('a connection', () => {
  it('sends nothing by itself', async () => {
    await using server = await startFakeServer(() => undefined);
    using connection = await Connection.open(server.address);
    await sleep(50);
    expect(server.received()).toBe('');
    expect(connection.isOpen).toBe(true);
  });

  it('sends a pipeline in one piece and answers in order', async () => {
    let pieces = 0;
    await using server = await startFakeServer((socket) =>
      socket.on('data', () => {
        pieces += 1;
        socket.write('+A\r\n-ERR b\r\n:3\r\n');
      }),
    );
    using connection = await Connection.open(server.address);
    const replies = await connection.pipeline([['ONE'], ['TWO'], ['THREE']]);
    expect(replies).toEqual(['A', { kind: 'OTHER', text: 'ERR b' }, 3]);
    expect(pieces).toBe(1);
  });

  it('keeps a secret out of what a server says of it', async () => {
    await using server = await startFakeServer((socket) =>
      socket.on('data', () => socket.write("-ERR unknown command 'AUTH', with args beginning with: 'x' 'hunter2'\r\n")),
    );
    using connection = await Connection.open(server.address);
    const error: unknown = await connection
      .authenticate({ user: 'x', password: new Secret('hunter2') })
      .catch((caught: unknown) => caught);
    expect(JSON.stringify(error)).toContain('[secret]');
    expect(JSON.stringify([error, (error as Error).message, (error as Error).stack])).not.toContain('hunter2');
  });

  it('tells whoever waits when it is closed, and closes twice without harm', async () => {
    await using server = await startFakeServer(() => undefined);
    const connection = await Connection.open(server.address);
    const waiting = failureOf(connection.send(['PING']));
    connection.close();
    connection.close();
    expect((await waiting).reason).toBe('closed');
    expect((await failureOf(connection.send(['PING']))).reason).toBe('closed');
  });
});
