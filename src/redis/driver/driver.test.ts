/** What the driver makes of node-redis, against a real server. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { RESP_TYPES } from '@redis/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ENGINE_TIMEOUT_MS, testEngine } from '../../../test/support/engine.js';
import type { TestServer } from '../../../test/support/redis-server.js';
import { startServer, TEST_CREDENTIALS } from '../../../test/support/redis-server.js';
import type { DriverClient, Request } from '../../client/driver.js';
import type { Address } from '../../protocol/redis-conf.js';
import { connectionFailure } from './failure.js';
import { isAnswering } from './is-answering.js';
import { openClient } from './open-client.js';
import { openGraph } from './open-graph.js';
import { SeverSignal } from './severable.js';

let server: TestServer;
const opened: DriverClient[] = [];

beforeAll(async () => {
  await testEngine();
  server = await startServer({ role: 'vault', kind: 'secure' });
}, ENGINE_TIMEOUT_MS);

afterAll(async () => {
  await Promise.all(opened.map((client) => client.close(100)));
  await server[Symbol.asyncDispose]();
});

interface Watched {
  readonly driver: DriverClient;
  readonly requests: Request[];
  readonly away: Error[];
  ready: number;
}

/** What is sent in place of what was asked. */
type Instead = (commands: Request['commands']) => Request['commands'];

interface Opening {
  readonly instead?: Instead;
  readonly address?: Address;
  /** How long the password takes to come, in milliseconds. */
  readonly loginMs?: number;
}

async function open({ instead, address = server.address, loginMs = 0 }: Opening = {}): Promise<Watched> {
  const requests: Request[] = [];
  const away: Error[] = [];
  const watched = { requests, away, ready: 0 };
  const driver = openClient({
    address,
    credentials: async () => {
      if (loginMs > 0) await sleep(loginMs);
      return { username: 'default', password: TEST_CREDENTIALS.default.reveal() };
    },
    database: undefined,
    commandOptions: undefined,
    commandsMax: 100,
    onAway: (_attempt, cause) => {
      away.push(cause);
      return 10;
    },
    onReady: () => {
      watched.ready += 1;
    },
    interceptor: {
      isPlain: () => false,
      afterFailure: async (_request, _send, _link, error) => {
        throw error;
      },
      around: (request, send) => {
        requests.push(request);
        return send(undefined, instead?.(request.commands));
      },
      refusal: () => undefined,
    },
  });
  opened.push(driver);
  await driver.connect();
  return Object.assign(watched, { driver });
}

setFlagsFromString('--expose-gc');
/** Takes away what nobody holds. */
const collect = runInNewContext('gc') as () => void;

const names = ({ requests }: Watched): string[] =>
  requests.map(({ kind, commands }) => `${kind} ${commands.map(([name]) => String(name)).join(' ')}`);

it('a connection that is lost while the password is fetched is made anew', async () => {
  let met = 0;
  const between = createServer((socket) => {
    met += 1;
    socket.on('error', () => socket.destroy());
    if (met === 1) {
      setTimeout(() => socket.destroy(), 20);
      return;
    }
    const other = connect(server.address);
    other.on('error', () => socket.destroy()).on('close', () => socket.destroy());
    socket.on('close', () => other.destroy());
    socket.pipe(other).pipe(socket);
  });
  between.listen(0, '127.0.0.1');
  await once(between, 'listening');
  const { port } = between.address() as AddressInfo;
  const { driver, ready, away } = await open({ address: { host: '127.0.0.1', port }, loginMs: 100 });
  expect([ready, away.length, met]).toEqual([1, 1, 2]);
  expect(await driver.client.ping()).toBe('PONG');
  await driver.close(100);
  between.close();
});

describe('what is put around commands', () => {
  it('sees commands, pipelines and transactions, also of duplicates, pools and other views of a client', async () => {
    const watched = await open();
    const { client } = watched.driver;
    await client.set('a', '1');
    await client.withTypeMapping({}).get('a');
    await client.sendCommand(['EXISTS', 'a']);
    await client.falkordb.list();
    await client.multi().get('a').incr('n').exec();
    await client.multi().get('a').get('n').execAsPipeline();
    const twin = client.duplicate();
    await twin.connect();
    await twin.append('a', '2');
    const pool = client.createPool({ minimum: 1 });
    await pool.connect();
    await pool.strLen('a');
    await pool.multi().get('a').exec();
    expect(names(watched)).toEqual([
      'command SET',
      'command GET',
      'command EXISTS',
      'command GRAPH.LIST',
      'transaction GET INCR',
      'pipeline GET GET',
      'command APPEND',
      'command STRLEN',
      'transaction GET',
    ]);
  });

  it('may have other words sent than were asked, and leaves those as they are', async () => {
    const { client } = (
      await open({ instead: (commands) => commands.map(([name, ...rest]) => [name, 'b', ...rest.slice(1)]) })
    ).driver;
    const asked = ['SET', 'a', '1'];
    await client.sendCommand(asked);
    expect(asked).toEqual(['SET', 'a', '1']);
    const batch = () =>
      client
        .withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer })
        .multi()
        .append('a', '2')
        .get('a');
    expect(await batch().exec()).toEqual([2, '12']);
    expect(await batch().execAsPipeline()).toEqual([3, Buffer.from('122')]);
  });

  it('does not see what the driver itself asks', async () => {
    const watched = await open();
    expect(String(await watched.driver.ask(['PING']))).toBe('PONG');
    expect(watched.requests).toEqual([]);
  });
});

describe('a connection that is cut', () => {
  it('rejects what is under way, as something that may have been done, and comes back, again and again', async () => {
    const watched = await open();
    for (const times of [2, 3]) {
      const waiting = watched.driver.client.blPop('nobody', 0).catch((error: unknown) => error);
      await sleep(20);
      collect();
      watched.driver.sever();
      expect(connectionFailure(await waiting)).toBe('unknown');
      await expect.poll(() => watched.ready).toBe(times);
      await watched.driver.client.ping();
    }
    expect(watched.away.length).toBeGreaterThan(1);
  });

  it('leaves nothing behind, however often it is made anew', async () => {
    const signal = new SeverSignal();
    const { connect } = await import('node:net');
    for (let round = 0; round < 20; round += 1) {
      const socket = connect({ ...server.address, signal });
      await new Promise((resolve) => socket.once('connect', resolve));
      const closed = new Promise((resolve) => socket.once('close', resolve));
      socket.destroy();
      await closed;
    }
    await expect
      .poll(() => {
        collect();
        return signal.listenerCount;
      })
      .toBeLessThanOrEqual(2);
  });
});

describe('what is opened besides', () => {
  it('is forgotten when it ends, however it ends, and also when it was never opened', async () => {
    const { client } = (await open()).driver;
    const made = async (): Promise<readonly WeakRef<object>[]> => {
      const [closed, destroyed, unopened] = [client.duplicate(), client.duplicate(), client.duplicate()];
      const [poolClosed, poolDestroyed] = [client.createPool({ minimum: 1 }), client.createPool({ minimum: 1 })];
      await Promise.all([closed, destroyed, poolClosed, poolDestroyed].map(async (one) => one.connect()));
      await Promise.all([poolClosed.set('pooled', '1'), poolDestroyed.set('pooled', '2')]);
      await Promise.all([closed.close(), poolClosed.close()]);
      destroyed.destroy();
      poolDestroyed.destroy();
      return [closed, destroyed, unopened, poolClosed, poolDestroyed].map((one) => new WeakRef(one));
    };
    const refs = await made();
    // Of a pool that has ended, it is noticed when the next one is opened.
    const next = await client.duplicate().connect();
    await expect
      .poll(() => {
        collect();
        return refs.map((ref) => ref.deref() === undefined);
      })
      .toEqual(refs.map(() => true));
    next.destroy();
  });

  it('is ended with the client, also where it was opened anew after it had ended', async () => {
    const { driver } = await open();
    const { client } = driver;
    const [again, pool] = [client.duplicate(), client.createPool({ minimum: 2 })];
    await Promise.all([again.connect(), pool.connect()]);
    again.destroy();
    await again.connect();
    await pool.execute(async (member) => member.ping());
    await driver.close(100);
    expect([client.isOpen, again.isOpen, pool.isOpen]).toEqual([false, false, false]);
  });
});

describe('an answer that cannot be read', () => {
  /** Lists in lists, as a stored procedure may give them. */
  const deep = (levels: number): string[] => [
    'EVAL',
    `local t = 1 for i = 1, ${String(levels)} do t = {t} end return t`,
    '0',
  ];

  it('costs the connection, because the next answer would be taken for it', async () => {
    const watched = await open();
    const { client } = watched.driver;
    await client.set('mine', 'right');
    const unread = client.sendCommand(deep(20_000)).catch((failure: unknown) => failure);
    const next = client.get('mine').catch((failure: unknown) => failure);
    expect(connectionFailure(await unread)).toBe('unknown');
    expect(connectionFailure(await next)).toBe('unknown');
    await expect.poll(() => watched.ready).toBe(2);
    expect(await client.get('mine')).toBe('right');
  });
});

describe('more than there is room for', () => {
  it('is not sent in parts: no transaction stays open on a connection that all share', async () => {
    const { client } = (await open()).driver;
    const results = await Promise.all(
      Array.from({ length: 60 }, () => client.multi().incr('many').exec().catch(connectionFailure)),
    );
    const done = results.filter((result) => result !== 'full');
    expect(done.length).toBeLessThan(60);
    expect(done.flat()).toEqual(done.map((_, index) => index + 1));
    expect(await client.get('many')).toBe(String(done.length));
  });

  it('neither is a pipeline', async () => {
    const { client } = (await open()).driver;
    const pipeline = client.multi();
    for (let n = 0; n < 101; n += 1) pipeline.incr('piped');
    expect(await pipeline.execAsPipeline().catch(connectionFailure)).toBe('full');
    expect(await client.exists('piped')).toBe(0);
  });
});

describe('a connection besides that cannot be made', () => {
  it('costs nobody theirs', async () => {
    const watched = await open();
    const { client } = watched.driver;
    const refused: unknown[] = [];
    const twin = client.duplicate({ database: 99 });
    twin.on('error', (error) => refused.push(error));
    twin.connect().catch(() => undefined);
    await expect.poll(() => refused.length).toBeGreaterThan(2);
    twin.destroy();
    expect(watched.ready).toBe(1);
  });
});

describe('what errors say of the connection', () => {
  it('nothing, where a server has answered', async () => {
    const { client } = (await open()).driver;
    await client.set('text', 'x');
    const error = await client.incr('text').catch((failure: unknown) => failure);
    expect(connectionFailure(error)).toBeUndefined();
  });

  it('that nothing was sent, where there was none', async () => {
    const { driver } = await open();
    driver.sever();
    // It is back in ten milliseconds.
    while (driver.client.isReady) await new Promise((resolve) => setImmediate(resolve));
    const error = await driver.client.ping().catch((failure: unknown) => failure);
    expect(connectionFailure(error)).toBe('not-sent');
  });

  it('that it was closed here', async () => {
    const { driver } = await open();
    await driver.close(100);
    const error = await driver.client.ping().catch((failure: unknown) => failure);
    expect(connectionFailure(error)).toBe('closed');
  });
});

describe('a server', () => {
  it('answers also one who has no password', async () => {
    expect(await isAnswering(server.address, 1_000)).toBe(true);
  });

  it('does not answer where nothing listens, or is silent', async () => {
    expect(await isAnswering({ ...server.address, port: 1 }, 1_000)).toBe(false);
    process.kill(server.pid, 'SIGSTOP');
    try {
      expect(await isAnswering(server.address, 100)).toBe(false);
    } finally {
      process.kill(server.pid, 'SIGCONT');
    }
  });
});

describe('a graph', () => {
  const labels = async (graph: ReturnType<typeof openGraph>): Promise<unknown> => {
    const { data } = await graph.roQuery<{ n: { labels: string[] } }>('MATCH (n) RETURN n ORDER BY n.at');
    return data?.map(({ n }) => n.labels);
  };

  it('has the right names also after somebody else has made it anew', async () => {
    const { client } = (await open()).driver;
    const other = (await open()).driver.client;
    const graph = openGraph('town', client, client);
    await graph.query('CREATE (:A {at: 1})-[:R]->(:B {at: 2})');
    expect(await labels(graph)).toEqual([['A'], ['B']]);
    await other.falkordb.delete('town');
    await other.falkordb.query('town', 'CREATE (:B {at: 1})-[:R]->(:A {at: 2})');
    expect(await labels(graph)).toEqual([['B'], ['A']]);
    const { data } = await graph.query<{ n: { labels: string[] } }>('CREATE (n:C {at: 3}) RETURN n');
    expect(data?.[0]?.n).toMatchObject({ labels: ['C'], properties: { at: 3 } });
  });

  it('does a write once, also when the schema has changed before it', async () => {
    const { client } = (await open()).driver;
    const graph = openGraph('counted', client, client);
    await graph.query('CREATE (:Counter {n: 0})');
    for (let round = 0; round < 5; round += 1) {
      await client.falkordb.query('counted', `CREATE (:Label${String(round)})`);
      await graph.query('MATCH (c:Counter) SET c.n = c.n + 1 RETURN c');
    }
    const { data } = await graph.roQuery<{ n: number }>('MATCH (c:Counter) RETURN c.n AS n');
    expect(data).toEqual([{ n: 5 }]);
  });

  it('does a write once, also one that changes the schema and returns what it made', async () => {
    const { client } = (await open()).driver;
    const other = (await open()).driver.client;
    const graph = openGraph('made', client, client);
    for (let round = 0; round < 5; round += 1) {
      const { data } = await graph.query<{ n: { labels: string[] } }>(`CREATE (n:New${String(round)}) RETURN n`);
      expect(data?.[0]?.n.labels).toEqual([`New${String(round)}`]);
      await other.falkordb.query('made', `CREATE (:Other${String(round)})`);
    }
    const { data } = await graph.roQuery<{ n: number }>('MATCH (n) RETURN count(n) AS n');
    expect(data).toEqual([{ n: 10 }]);
  });

  it('says of one that is not there what the server says', async () => {
    const { client } = (await open()).driver;
    await expect(openGraph('nowhere', client, client).roQuery('RETURN 1')).rejects.toThrow(/empty key/);
  });
});
