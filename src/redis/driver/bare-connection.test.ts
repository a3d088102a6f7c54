/** Bare connections, against a real server. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ENGINE_TIMEOUT_MS, testEngine } from '../../../test/support/engine.js';
import type { TestServer } from '../../../test/support/redis-server.js';
import { startServer, TEST_CREDENTIALS } from '../../../test/support/redis-server.js';
import type { DriverClient } from '../../client/driver.js';
import { BareConnection } from './bare-connection.js';
import { openClient } from './open-client.js';

let server: TestServer;
let driver: DriverClient;
/** Happens while the password is fetched, once. */
let meanwhile: (() => Promise<unknown>) | undefined;

beforeAll(async () => {
  await testEngine();
  server = await startServer({ role: 'vault', kind: 'secure' });
  driver = openClient({
    address: server.address,
    credentials: async () => {
      const happens = meanwhile;
      meanwhile = undefined;
      await happens?.();
      return { username: 'default', password: TEST_CREDENTIALS.default.reveal() };
    },
    database: undefined,
    commandOptions: undefined,
    commandsMax: 100,
    onAway: () => 10,
    onReady: () => undefined,
    interceptor: {
      isPlain: () => true,
      afterFailure: async (_request, _send, _link, error) => {
        throw error;
      },
      around: (_request, send) => send(),
      refusal: () => undefined,
    },
  });
  await driver.connect();
}, ENGINE_TIMEOUT_MS);

afterAll(async () => {
  await driver.close(100);
  await server[Symbol.asyncDispose]();
});

const BYTES_MAX = 1_000_000;

const open = (bytesMax = BYTES_MAX): Promise<BareConnection> => BareConnection.openBeside(driver.client, bytesMax);

describe('a bare connection', () => {
  it('gives each command its own reply, errors among them, whatever their sizes are', async () => {
    const connection = await open();
    const texts = Array.from({ length: 40 }, (_, at) => `${String(at)} `.repeat(at % 2 === 0 ? 10_000 : 1));
    const asked = texts.flatMap((text) => [connection.ask(['ECHO', text]), connection.ask(['NO-SUCH', 'command'])]);
    const replies = await Promise.allSettled(asked);
    for (const [at, text] of texts.entries()) {
      const [echo, refused] = replies.slice(2 * at);
      expect(echo).toEqual({ status: 'fulfilled', value: Buffer.from(`$${String(text.length)}\r\n${text}\r\n`) });
      expect(refused).toMatchObject({ status: 'rejected', reason: { message: /unknown command/ } });
    }
    expect(connection.isOpen).toBe(true);
    connection.close();
  });

  it('ends with a reply that is too large, and tells everybody who waits', async () => {
    const connection = await open(1_000);
    expect(String(await connection.ask(['ECHO', 'x']))).toBe('$1\r\nx\r\n');
    const asked = ['x'.repeat(2_000), 'y'].map((text) => connection.ask(['ECHO', text]));
    for (const one of await Promise.allSettled(asked))
      expect(one).toMatchObject({ status: 'rejected', reason: { code: 'REPLY_TOO_LARGE' } });
    expect(connection.isOpen).toBe(false);
  });

  it('tells who waits when the server closes it', async () => {
    const connection = await open();
    const asked = Promise.allSettled([connection.ask(['BLPOP', 'nothing', '0']), connection.ask(['ECHO', 'x'])]);
    await server.restart();
    for (const one of await asked)
      expect(one).toMatchObject({ status: 'rejected', reason: { code: 'REDIS_UNREACHABLE' } });
    await expect(connection.ask(['ECHO', 'x'])).rejects.toMatchObject({ code: 'REDIS_UNREACHABLE' });
    expect(connection.isOpen).toBe(false);
  });

  it('did not come to be where the client lost its own connection meanwhile, and says so', async () => {
    // The server was started anew before this.
    await expect.poll(() => driver.client.isReady).toBe(true);
    meanwhile = async () => {
      driver.sever();
      await expect.poll(() => driver.client.isReady).toBe(false);
    };
    await expect(open()).rejects.toMatchObject({ code: 'REDIS_UNREACHABLE' });
    await expect.poll(() => driver.client.isReady).toBe(true);
    (await open()).close();
  });

  it('waits for no server that lets nobody in', async () => {
    process.kill(server.pid, 'SIGSTOP');
    try {
      await expect(open()).rejects.toMatchObject({ code: 'REDIS_UNREACHABLE', reason: 'timeout' });
    } finally {
      process.kill(server.pid, 'SIGCONT');
    }
  }, 10_000);
});
