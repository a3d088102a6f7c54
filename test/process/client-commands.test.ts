/** What a program does with `connect`: each way to write and to read, seen by its own client, whatever the operational is up to. */
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { RESP_TYPES, WatchError } from '@redis/client';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { EnvironmentClient } from '../../src/compose-client.js';
import { Nexus3Error } from '../../src/errors.js';
import { PROCESS_HANDS, until } from '../support/break.js';
import { allRefused, heard, LATE_MS, OpenClients, readsGoTo, refusalOf } from '../support/client-tests.js';
import { Nexus } from '../support/nexus.js';
import type { SlowLink } from '../support/slow-link.js';
import { slowLink } from '../support/slow-link.js';

const hands = PROCESS_HANDS;
const DIST = fileURLToPath(new URL('../../dist/', import.meta.url));
/** How long these clients wait for their operational, and a link that takes less, and one that takes more. */
const WAIT_MAX_MS = 100;
const SOON_MS = 40;
const SLOW_MS = 300;
/** Longer than a read and a write together may take. */
const GONE_MS = 5_000;
/** Longer than it takes to connect. */
const LAG_MS = 1_500;
/** Well within what `close` waits. */
const PAUSED_MS = 400;

let nexus: Nexus;
const clients = new OpenClients(() => nexus);

beforeAll(async () => {
  nexus = await Nexus.make({ runtime: 'process', environments: { track: 'standard' } });
  await nexus.report(0, 'up');
  await nexus.admin('track', 'vault', 'SET', 'kept', 'value');
});

afterEach(async () => {
  await clients.closeAll();
});

afterAll(async () => {
  await nexus[Symbol.asyncDispose]();
});

const onOperational = async (...args: readonly string[]) => nexus.anonymous('track', 'operational', ...args);

async function extrasOf(client: EnvironmentClient) {
  const [duplicate, pool] = [client.vault.duplicate(), client.vault.createPool({ minimum: 1, maximum: 1 })];
  for (const one of [duplicate, pool]) one.on('error', () => undefined);
  await Promise.all([duplicate.connect(), pool.connect()]);
  return { duplicate, pool };
}

async function writeWays(client: EnvironmentClient) {
  const { duplicate, pool } = await extrasOf(client);
  const { vault } = client;
  const typed = vault.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
  return {
    command: (key: string, value: string) => vault.set(key, value),
    raw: (key: string, value: string) => vault.sendCommand(['SET', key, value]),
    typed: (key: string, value: string) => typed.set(key, value),
    script: (key: string, value: string) =>
      vault.eval("return redis.call('SET', KEYS[1], ARGV[1])", { keys: [key], arguments: [value] }),
    pipeline: (key: string, value: string) => vault.multi().set(key, value).execAsPipeline(),
    multi: (key: string, value: string) => vault.multi().set(key, value).exec(),
    duplicate: (key: string, value: string) => duplicate.set(key, value),
    'multi of a duplicate': (key: string, value: string) => duplicate.multi().set(key, value).exec(),
    pool: (key: string, value: string) => pool.set(key, value),
    'multi of a pool': (key: string, value: string) => pool.multi().set(key, value).exec(),
    'task of a pool': (key: string, value: string) => pool.execute((member) => member.set(key, value)),
  };
}

function readWays({ operational }: EnvironmentClient) {
  return {
    command: async (key: string) => operational.get(key),
    raw: async (key: string) => operational.sendCommand(['GET', key]),
    pipeline: async (key: string) => (await operational.multi().get(key).execAsPipeline())[0],
    multi: async (key: string) => (await operational.multi().get(key).exec())[0],
    typed: async (key: string) =>
      String(await operational.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer }).get(key)),
  };
}

describe('what a client wrote', () => {
  let link: SlowLink;
  beforeAll(async () => {
    link = await slowLink(nexus, 'track', 0);
  });
  afterEach(() => {
    link.delayMs = 0;
  });
  afterAll(async () => {
    await link[Symbol.asyncDispose]();
  });

  it('is said not to be visible where the vault goes before it has handed it on, and is read once it is back', async () => {
    const [client, other] = [
      await clients.open('track', { readYourWrites: true, readYourWritesMaxMs: WAIT_MAX_MS }),
      await clients.open('track'),
    ];
    await readsGoTo(client, 'operational');
    link.delayMs = GONE_MS;
    await client.vault.set('own', 'handed on late');
    await hands.freeze(nexus, 'track', 'vault');
    try {
      const [error] = await allRefused('WRITES_NOT_VISIBLE', GONE_MS, { get: () => client.operational.get('own') });
      expect([error?.exitCode, error?.outcome]).toEqual([3, undefined]);
      expect(await other.operational.get('kept')).toBe('value');
    } finally {
      await hands.thaw(nexus, 'track', 'vault');
      link.delayMs = 0;
    }
    await until(
      async () => (await client.operational.get('own').catch(() => undefined)) === 'handed on late',
      'that it is read',
    );
  });

  it.each([
    ['soon enough', SOON_MS],
    ['too late', SLOW_MS],
  ])('it reads, in each way written and read, where the operational has it %s', async (_, delayMs) => {
    const client = await clients.open('track', {
      readYourWrites: true,
      readYourWritesMaxMs: WAIT_MAX_MS,
      silenceMaxMs: 2_000,
    });
    const [writes, reads] = [await writeWays(client), readWays(client)];
    await readsGoTo(client, 'operational');
    link.delayMs = delayMs;
    for (const [write, doWrite] of Object.entries(writes)) {
      for (const [read, doRead] of Object.entries(reads)) {
        const value = `${write} ${read} ${String(delayMs)}`;
        await doWrite('own', value);
        expect(await doRead('own'), value).toBe(value);
      }
    }
    const graph = client.graph('own graph');
    for (let n = 1; n <= 3; n += 1) {
      await graph.query('MERGE (o:Own) SET o.n = $n', { params: { n } });
      expect((await graph.roQuery('MATCH (o:Own) RETURN o.n AS n')).data).toEqual([{ n }]);
      expect(await client.operational.falkordb.list()).toContain('own graph');
    }
    await graph.delete();
    expect(await client.graphs()).not.toContain('own graph');
    const { readsWaited, readsFromVault } = client.counters;
    expect(readsWaited).toBeGreaterThan(0);
    if (delayMs === SLOW_MS) expect(readsFromVault).toBeGreaterThan(0);
  });

  it('without the barrier it need not see', async () => {
    const client = await clients.open();
    await readsGoTo(client, 'operational');
    link.delayMs = SLOW_MS;
    await client.vault.set('unseen', 'x');
    expect(await client.operational.get('unseen')).toBeNull();
  });

  it('is on the operational once it is synced, however it was written', async () => {
    const client = await clients.open('track', { silenceMaxMs: 2_000 });
    const writes = await writeWays(client);
    link.delayMs = 200;
    for (const [write, doWrite] of Object.entries(writes)) {
      await doWrite('synced', write);
      await client.synced();
      expect(await onOperational('GET', 'synced'), write).toBe(write);
    }
    await client.graph('synced graph').query('CREATE (:Synced)');
    await client.synced();
    expect(await onOperational('GRAPH.LIST')).toContain('synced graph');
    await client.graph('synced graph').delete();
    link.delayMs = SLOW_MS;
    await client.vault.set('synced', 'too late');
    const { error, ms } = await refusalOf(() => client.synced({ timeoutMs: 100 }));
    expect([error.code, ms < 100 + LATE_MS]).toEqual(['NOT_SYNCED', true]);
    await client.synced();
    expect(await onOperational('GET', 'synced')).toBe('too late');
  });

  it('is synced, too, where the vault is started anew meanwhile, and with it another history begins', async () => {
    const client = await clients.open('track', { silenceMaxMs: 5_000 });
    link.delayMs = GONE_MS;
    await client.vault.set('synced', 'before the end');
    const synced = client.synced({ timeoutMs: 30_000 });
    // It has asked the vault by then, and waits for the operational.
    await sleep(SOON_MS);
    await hands.kill(nexus, 'track', 'vault');
    link.delayMs = 0;
    await hands.start(nexus, 'track', 'vault');
    await synced;
    expect(await onOperational('GET', 'synced')).toBe('before the end');
    await readsGoTo(client, 'operational');
  });

  describe('by somebody else, is what a client reads first', () => {
    it('where the operational lags beyond the bound', async () => {
      const writer = await clients.open();
      link.delayMs = LAG_MS;
      await writer.vault.set('first', 'x'.repeat(100_000));
      const client = await clients.open('track', { lagBytesMax: 50_000 });
      const routes = heard(client, 'route');
      expect(await client.operational.strLen('first')).toBe(100_000);
      expect(routes).toMatchObject([{ readsFrom: 'vault', reason: 'lagging' }]);
      link.delayMs = 0;
      await readsGoTo(client, 'operational');
      await client.vault.del('first');
    });

    it('where the operational follows another history', async () => {
      const [host, port] = await masterOf();
      await nexus.admin('track', 'operational', 'REPLICAOF', 'NO', 'ONE');
      await nexus.admin('track', 'operational', 'SET', 'kept', 'of somebody else');
      const client = await clients.open();
      expect(await client.operational.get('kept')).toBe('value');
      await nexus.admin('track', 'operational', 'REPLICAOF', host, port);
      await readsGoTo(client, 'operational');
    });
  });
});

describe('commands', () => {
  it('SELECT is refused everywhere but on what is the caller’s own', async () => {
    const client = await clients.open();
    await allRefused('DATABASE_FIXED', LATE_MS, {
      vault: () => client.vault.select(1),
      operational: () => client.operational.select(1),
      raw: () => client.vault.sendCommand(['select', '1']),
      multi: () => client.vault.multi().select(1).set('k', 'v').exec(),
      pipeline: () => client.operational.multi().select(1).get('k').execAsPipeline(),
    });
    expect(await client.vault.get('kept')).toBe('value');
    const other = await clients.open('track', { database: 1, readYourWrites: true });
    await other.vault.set('elsewhere', '1');
    expect([await other.operational.get('elsewhere'), await other.operational.get('kept')]).toEqual(['1', null]);
    expect(await client.vault.exists('elsewhere')).toBe(0);
    await other.vault.del('elsewhere');
  });

  it('binary values and keys through both sides', async () => {
    const bytes = Buffer.from([0, 255, 13, 10, 128, 0, 42]);
    const client = await clients.open('track', {
      readYourWrites: true,
      commandOptions: { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } },
    });
    await client.vault.set(bytes, bytes);
    await client.vault.hSet('bytes', { field: bytes });
    expect(await client.operational.get(bytes)).toEqual(bytes);
    expect(await client.vault.get(bytes)).toEqual(bytes);
    expect((await client.operational.hGetAll('bytes'))['field']).toEqual(bytes);
    expect(await client.operational.multi().get(bytes).execAsPipeline()).toEqual([bytes]);
    const plain = await clients.open();
    expect(await plain.operational.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer }).get(bytes)).toEqual(bytes);
    await client.vault.del([bytes, 'bytes']);
  });

  it('WATCH: a transaction whose key somebody changed is not done', async () => {
    const client = await clients.open('track', { readYourWrites: true });
    await client.vault.set('watched', '1');
    const { duplicate, pool } = await extrasOf(client);
    await duplicate.watch('watched');
    await client.vault.set('watched', '2');
    await expect(duplicate.multi().set('watched', '3').exec()).rejects.toThrow(WatchError);
    expect(await client.operational.get('watched')).toBe('2');
    await pool.execute(async (member) => {
      await member.watch('watched');
      await member.multi().set('watched', '4').exec();
    });
    expect(await client.operational.get('watched')).toBe('4');
  });

  it('a command that fails in a transaction or a pipeline says so, and the others are done', async () => {
    const client = await clients.open('track', { readYourWrites: true });
    await client.vault.set('text', 'x');
    await expect(client.vault.multi().set('around', '1').incr('text').exec()).rejects.toThrow();
    expect(await client.operational.get('around')).toBe('1');
    await expect(client.vault.multi().set('around', '2').incr('text').execAsPipeline()).rejects.toThrow();
    expect(await client.operational.get('around')).toBe('2');
    await expect(client.operational.lLen('text')).rejects.toThrow('WRONGTYPE');
    await expect(client.graph('bad').query('MATCH (')).rejects.toThrow();
    await client.vault.del(['text', 'around', 'bad']);
  });

  it('blocking ones on a duplicate hold up nobody', async () => {
    const client = await clients.open('track', { readYourWrites: true });
    const { duplicate } = await extrasOf(client);
    const reader = client.operational.duplicate();
    reader.on('error', () => undefined);
    await reader.connect();
    const popped = duplicate.blPop('queue', 10);
    const streamed = reader.xRead({ key: 'stream', id: '$' }, { BLOCK: 10_000 });
    // Longer than a server may be silent.
    await sleep(700);
    for (let count = 0; count < 10; count += 1) {
      await client.vault.set('unheld', String(count));
      expect(await client.operational.get('unheld')).toBe(String(count));
    }
    await client.vault.rPush('queue', 'job');
    await client.vault.xAdd('stream', '*', { n: '1' });
    expect(await popped).toEqual({ key: 'queue', element: 'job' });
    expect(JSON.stringify(await streamed)).toContain('"n":"1"');
    expect(await client.operational.exists('queue')).toBe(0);
    await client.vault.del(['stream', 'unheld']);
  });

  it('publish and subscribe, on either side', async () => {
    const client = await clients.open();
    const [atVault, atOperational] = [client.vault.duplicate(), client.operational.duplicate()];
    const heard: string[] = [];
    for (const [name, subscriber] of [['vault', atVault] as const, ['operational', atOperational] as const]) {
      subscriber.on('error', () => undefined);
      await subscriber.connect();
      await subscriber.subscribe('news', (message) => heard.push(`${name} ${message}`));
    }
    await client.vault.publish('news', 'one');
    await until(() => heard.length === 2, 'both have heard');
    expect(heard.toSorted()).toEqual(['operational one', 'vault one']);
    await hands.kill(nexus, 'track', 'operational');
    await hands.start(nexus, 'track', 'operational');
    heard.length = 0;
    await until(async () => {
      await client.vault.publish('news', 'two');
      return heard.includes('operational two');
    }, 'the subscription is made anew');
    await readsGoTo(client, 'operational');
  });

  it('what would take over a shared connection is refused there, and all else goes on', async () => {
    const client = await clients.open();
    const ignore = (): undefined => undefined;
    for (const shared of [client.vault, client.operational, client.vault.withTypeMapping({})]) {
      await allRefused('CONNECTION_SHARED', LATE_MS, {
        subscribe: () => shared.subscribe('news', ignore),
        pSubscribe: () => shared.pSubscribe('n*', ignore),
        sSubscribe: () => shared.sSubscribe('news', ignore),
        SUBSCRIBE: () => shared.SUBSCRIBE('news', ignore),
        monitor: () => shared.monitor(ignore),
        'raw subscribe': () => shared.sendCommand(['subscribe', 'news']),
        'raw multi': () => shared.sendCommand(['MULTI']),
        'raw reset': () => shared.sendCommand(['RESET']),
        'raw hello': () => shared.sendCommand(['hello', '3']),
        'raw auth': () => shared.sendCommand(['AUTH', 'nobody', 'nothing']),
        'replies left out': () => shared.sendCommand(['client', 'Reply', 'SKIP']),
        'replies left out in a transaction': () => shared.multi().addCommand(['CLIENT', 'REPLY', 'OFF']).exec(),
        'in a pipeline': () => shared.multi().addCommand(['PSUBSCRIBE', 'n*']).execAsPipeline(),
      });
      expect(await shared.get('kept')).toBe('value');
      expect(await shared.multi().get('kept').exec()).toEqual(['value']);
    }
    expect(await client.vault.clientId()).toBeGreaterThan(0);
    const { error } = await refusalOf(() => client.vault.subscribe('news', ignore));
    expect([error.exitCode, error.hint]).toEqual([2, expect.stringContaining('client.vault.duplicate()')]);
  });

  it('10,000 at once, with and without the barrier', async () => {
    for (const readYourWrites of [false, true]) {
      const client = await clients.open('track', { readYourWrites, silenceMaxMs: 5_000 });
      const at = Array.from({ length: 10_000 }, (_, index) => index);
      const written = await Promise.all(at.map((index) => client.vault.hSet('many', String(index), String(index))));
      expect(written).toHaveLength(10_000);
      const read = await Promise.all(at.map((index) => client.operational.hGet('many', String(index))));
      if (readYourWrites) expect(read).toEqual(at.map(String));
      await client.vault.del('many');
    }
  });

  it('more than may be under way are refused, and the client goes on', async () => {
    const client = await clients.open('track', { commandsMax: 100 });
    const outcomes = await Promise.allSettled(Array.from({ length: 5_000 }, () => client.vault.get('kept')));
    const refused = outcomes.filter((one) => one.status === 'rejected').map(({ reason }) => reason as unknown);
    expect(new Set(refused.map((error) => error instanceof Nexus3Error && [error.code, error.outcome].join()))).toEqual(
      new Set(['TOO_MANY_COMMANDS,not-sent']),
    );
    expect(refused.length).toBeGreaterThan(0);
    expect(refused.length).toBeLessThan(5_000);
    expect(await client.vault.get('kept')).toBe('value');
  });
});

describe('a scan', () => {
  const KEYS = 1_000;
  /** What a server gives is below that; the client's mark is above it. */
  const TABLE_MAX = 2 ** 33;
  beforeAll(async () => {
    const made = [
      `redis.call('SET', 'scan:' .. i, i)`,
      ...['a', 'b'].map((name) => `redis.call('HSET', 'hash:${name}', '${name}' .. i, i)`),
      `redis.call('SADD', 'set', 'm' .. i)`,
      `redis.call('ZADD', 'zset', i, 'm' .. i)`,
    ];
    await nexus.admin('track', 'vault', 'EVAL', `for i = 1, ${String(KEYS)} do ${made.join(' ')} end`, '0');
    const client = await clients.open();
    await client.synced();
    await client.close();
  });

  type Cursor = string | Buffer;
  interface Page {
    readonly cursor: Cursor;
    readonly found: readonly unknown[];
  }

  /** One step after another, from wherever it stands, until it is through. */
  class Scan {
    readonly seen = new Set<string>();
    readonly #page: (cursor: Cursor) => Promise<Page>;
    cursor: Cursor = '0';
    isOver = false;

    constructor(page: (cursor: Cursor) => Promise<Page>) {
      this.#page = page;
    }

    async step(times = 1): Promise<this> {
      for (let time = 0; time < times && !this.isOver; time += 1) {
        const { cursor, found } = await this.#page(this.cursor);
        this.cursor = cursor;
        for (const one of found) this.seen.add(String(one));
        this.isOver = String(cursor) === '0';
      }
      return this;
    }

    toEnd(): Promise<this> {
      return this.step(Infinity);
    }
  }

  const ofKeys = ({ operational }: { operational: EnvironmentClient['operational'] }, COUNT = 50): Scan =>
    new Scan(async (from) => {
      const { cursor, keys } = await operational.scan(from, { MATCH: 'scan:*', COUNT });
      return { cursor, found: keys };
    });

  const COUNT = 20;
  const ways: Readonly<Record<string, (client: EnvironmentClient) => (cursor: Cursor) => Promise<Page>>> = {
    fields:
      ({ operational }) =>
      async (from) => {
        const { cursor, entries } = await operational.hScan('hash:a', from, { COUNT });
        return { cursor, found: entries.map(({ field }) => field) };
      },
    'fields without values':
      ({ operational }) =>
      async (from) => {
        const { cursor, fields } = await operational.hScanNoValues('hash:a', from, { COUNT });
        return { cursor, found: fields };
      },
    members:
      ({ operational }) =>
      async (from) => {
        const { cursor, members } = await operational.sScan('set', from, { COUNT });
        return { cursor, found: members };
      },
    'members with scores':
      ({ operational }) =>
      async (from) => {
        const { cursor, members } = await operational.zScan('zset', from, { COUNT });
        return { cursor, found: members.map(({ value }) => value) };
      },
    'as bytes': ({ operational }) => {
      const typed = operational.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
      return async (from) => {
        const { cursor, members } = await typed.sScan('set', from, { COUNT });
        expect(Buffer.isBuffer(cursor)).toBe(true);
        return { cursor, found: members };
      };
    },
    'as words': ({ operational }) => {
      return async (from) => {
        const words = ['sscan', 'set', String(from), 'COUNT', String(COUNT)];
        const asked = [...words];
        const [cursor, found] = await operational.sendCommand<[string, string[]]>(words);
        expect(words).toEqual(asked);
        return { cursor, found };
      };
    },
    'with cursors that are numbers on the way':
      ({ operational }) =>
      async (from) => {
        const { cursor, members } = await operational.sScan('set', String(Number(from)), { COUNT });
        return { cursor, found: members };
      },
    'in pipelines': (client) => async (from) => {
      const [, page] = await client.operational.multi().get('kept').sScan('set', from, { COUNT }).execAsPipeline();
      const { cursor, members } = page as unknown as { cursor: string; members: string[] };
      return { cursor, found: members };
    },
    'in pipelines, as bytes': ({ operational }) => {
      const typed = operational.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
      return async (from) => {
        const [page] = await typed.multi().sScan('set', from, { COUNT }).execAsPipeline();
        const { cursor, members } = page as unknown as { cursor: Buffer; members: Buffer[] };
        expect(Buffer.isBuffer(cursor)).toBe(true);
        return { cursor, found: members };
      };
    },
    'in transactions': (client) => async (from) => {
      const [, page] = await client.operational.multi().get('kept').sScan('set', from, { COUNT }).exec();
      const { cursor, members } = page as unknown as { cursor: string; members: string[] };
      return { cursor, found: members };
    },
    'beside what is of that server alone': (client) => async (from) => {
      const [, page] = await client.operational.multi().ping().sScan('set', from, { COUNT }).execAsPipeline();
      const { cursor, members } = page as unknown as { cursor: string; members: string[] };
      return { cursor, found: members };
    },
  };

  it.each(Object.entries(ways))('sees all: %s', async (_, way) => {
    const scan = await new Scan(way(await clients.open())).toEnd();
    expect(scan.seen.size).toBe(KEYS);
  });

  it('sees all: keys, and what iterates', async () => {
    const client = await clients.open();
    expect((await ofKeys(client).toEnd()).seen.size).toBe(KEYS);
    const iterated = { keys: new Set<string>(), fields: new Set<string>() };
    for await (const keys of client.operational.scanIterator({ MATCH: 'scan:*', COUNT: 100 })) {
      for (const key of keys) iterated.keys.add(key);
    }
    for await (const entries of client.operational.hScanIterator('hash:b', { COUNT: 100 })) {
      for (const { field } of entries) iterated.fields.add(field);
    }
    expect([iterated.keys.size, iterated.fields.size]).toEqual([KEYS, KEYS]);
  });

  it('of two keys at once sees all of both', async () => {
    const { operational } = await clients.open();
    const [a, b] = ['a', 'b'].map(
      (name) =>
        new Scan(async (from) => {
          const { cursor, entries } = await operational.hScan(`hash:${name}`, from, { COUNT: 5 });
          return { cursor, found: entries.map(({ field }) => field) };
        }),
    ) as [Scan, Scan];
    while (!a.isOver || !b.isOver) await Promise.all([a.step(), b.step()]);
    expect([a.seen.size, b.seen.size]).toEqual([KEYS, KEYS]);
  });

  it.each([
    ['is refused when the operational goes', 'kill', 'CURSOR_LOST'],
    ['is refused when the operational is cut', 'cut', 'CURSOR_LOST'],
    ['sees all when the operational comes', 'start', KEYS],
  ] as const)('%s in the middle', async (_, what, expected) => {
    const client = await clients.open();
    if (what === 'start') {
      await hands.kill(nexus, 'track', 'operational');
      await readsGoTo(client, 'vault');
    }
    const scan = await ofKeys(client).step(3);
    if (what === 'kill') {
      await hands.kill(nexus, 'track', 'operational');
      await readsGoTo(client, 'vault');
    } else if (what === 'start') {
      await hands.start(nexus, 'track', 'operational');
      await readsGoTo(client, 'operational');
    } else await nexus.admin('track', 'operational', 'CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    const outcome = await scan.toEnd().then(
      ({ seen }) => seen.size,
      (error: unknown) => (error instanceof Nexus3Error ? error.code : error),
    );
    expect(outcome).toBe(expected);
    if (what === 'kill') await hands.start(nexus, 'track', 'operational');
    await readsGoTo(client, 'operational');
    expect((await ofKeys(client).toEnd()).seen.size).toBe(KEYS);
  });

  it('that was refused goes through when it is begun anew, though another server hands out the same numbers', async () => {
    const client = await clients.open();
    expect((await ofKeys(client, 2).toEnd()).seen.size).toBe(KEYS);
    const scan = await ofKeys(client, 2).step(200);
    await hands.kill(nexus, 'track', 'operational');
    await readsGoTo(client, 'vault');
    await allRefused('CURSOR_LOST', LATE_MS, { goesOn: () => scan.step() });
    expect((await ofKeys(client, 2).toEnd()).seen.size).toBe(KEYS);
    await hands.start(nexus, 'track', 'operational');
    await readsGoTo(client, 'operational');
    expect((await ofKeys(client, 2).toEnd()).seen.size).toBe(KEYS);
    // Of a connection that is no more, whatever has come in its place.
    await allRefused('CURSOR_LOST', LATE_MS, { goesOn: () => scan.step() });
  });

  it('and another one at once, each at its own server, see all', async () => {
    await hands.kill(nexus, 'track', 'operational');
    const client = await clients.open();
    await readsGoTo(client, 'vault');
    const ofVault = await ofKeys(client, 5).step(20);
    await hands.start(nexus, 'track', 'operational');
    await readsGoTo(client, 'operational');
    const ofOperational = ofKeys(client, 5);
    while (!ofVault.isOver || !ofOperational.isOver) await Promise.all([ofVault.step(), ofOperational.step()]);
    expect([ofVault.seen.size, ofOperational.seen.size]).toEqual([KEYS, KEYS]);
  });

  it('goes on with a cursor of its own client alone, and of what reads from the same server', async () => {
    const [client, other] = [await clients.open(), await clients.open()];
    const { cursor: ofVault } = await client.vault.scan('0', { COUNT: 50 });
    const { cursor: ofOther } = await ofKeys(other).step(2);
    const scan = await ofKeys(client).step(2);
    const goOn = (cursor: Cursor) => () => client.operational.scan(cursor);
    await allRefused('CURSOR_LOST', LATE_MS, {
      'that nobody handed out': goOn('12345'),
      'that is none': goOn('x'),
      'of the vault': goOn(ofVault),
      'of another client': goOn(ofOther),
      'beside one of its own': () => client.operational.multi().scan(scan.cursor).scan(ofOther).execAsPipeline(),
    });
    const duplicate = await client.operational.duplicate().connect();
    const bare = String(Number(scan.cursor) % TABLE_MAX);
    expect(await duplicate.scan(String(scan.cursor))).toEqual(await duplicate.scan(bare));
    await duplicate.close();
  });

  it('has its cursor sent to the server as that gave it', async () => {
    const client = await clients.open();
    const { cursor } = await ofKeys(client).step();
    const slower = 'slowlog-log-slower-than';
    const [, usual] = (await nexus.admin('track', 'operational', 'CONFIG', 'GET', slower)) as [string, string];
    await nexus.admin('track', 'operational', 'CONFIG', 'SET', slower, '0');
    await client.operational.scan(cursor);
    await client.operational.multi().scan(cursor).execAsPipeline();
    await client.operational.multi().scan(cursor).ping().exec();
    await nexus.admin('track', 'operational', 'CONFIG', 'SET', slower, usual);
    const done = (await nexus.admin('track', 'operational', 'SLOWLOG', 'GET', '-1')) as [
      number,
      number,
      number,
      string[],
    ][];
    const sent = done.map(([, , , words]) => words).filter(([name]) => name === 'SCAN');
    expect(sent).toEqual(Array.from({ length: 3 }, () => ['SCAN', String(Number(cursor) % TABLE_MAX)]));
  });
});

describe('graphs', () => {
  it('one that somebody made anew, with its labels in another order, is read with the right ones', async () => {
    const client = await clients.open('track', { readYourWrites: true });
    const graph = client.graph('anew');
    const read = async () => {
      const { data } = await graph.roQuery<{
        n: { labels: string[]; properties: Record<string, unknown> };
        type: string;
        r: { relationshipType: string };
      }>('MATCH (n)-[r]->() RETURN n, r ORDER BY n.id');
      return data?.map(({ n, r }) => [n.labels.toSorted(), n.properties, r.relationshipType]);
    };
    await graph.query('CREATE (:A {id: 1, x: "ax"})-[:LIKES]->(:C), (:B {id: 2, y: "by"})-[:KNOWS]->(:C)');
    const before = [
      [['A'], { id: 1, x: 'ax' }, 'LIKES'],
      [['B'], { id: 2, y: 'by' }, 'KNOWS'],
    ];
    expect(await read()).toEqual(before);
    await nexus.admin('track', 'vault', 'GRAPH.DELETE', 'anew');
    const made = 'CREATE (:B {y: "by", id: 2})-[:KNOWS]->(:C), (:A {x: "ax", id: 1})-[:LIKES]->(:C)';
    await nexus.admin('track', 'vault', 'GRAPH.QUERY', 'anew', made);
    await client.vault.set('after', 'that');
    expect(await read()).toEqual(before);
    await nexus.admin('track', 'vault', 'GRAPH.DELETE', 'anew');
    await nexus.admin('track', 'vault', 'GRAPH.QUERY', 'anew', 'CREATE (:D {z: 1, id: 3})-[:OWNS]->(:A {id: 4})');
    await client.vault.set('after', 'that, too');
    expect(await read()).toEqual([[['D'], { id: 3, z: 1 }, 'OWNS']]);
    const rows = await graph.query('MATCH (n:D) RETURN n');
    expect(rows.data).toMatchObject([{ n: { labels: ['D'], properties: { id: 3, z: 1 } } }]);
    await graph.delete();
    await client.vault.del('after');
  });

  it('what writes goes to the vault, what reads to the operational', async () => {
    const client = await clients.open('track', { readYourWrites: true });
    const graph = client.graph('whole');
    await graph.query('CREATE (:Whole {n: 1})');
    await graph.createNodeRangeIndex('Whole', 'n');
    expect(await graph.explain('MATCH (w:Whole) RETURN w')).toEqual(expect.any(Array));
    await expect(graph.roQuery('CREATE (:Whole)')).rejects.toThrow();
    const { readsFromOperational } = client.counters;
    await client.synced();
    expect((await graph.roQuery('MATCH (w:Whole) RETURN count(w) AS n')).data).toEqual([{ n: 1 }]);
    expect(client.counters.readsFromOperational).toBeGreaterThan(readsFromOperational);
    await graph.copy('copied');
    expect((await client.graphs()).toSorted()).toEqual(expect.arrayContaining(['copied', 'whole']));
    await client.graph('copied').delete();
    await graph.delete();
    await expect(client.graph('none').roQuery('RETURN 1')).rejects.toThrow();
  });
});

describe('close', () => {
  it('waits for what is under way, over whichever connection, and lets nothing new in', async () => {
    const client = await clients.open('track', { readYourWrites: true });
    const { duplicate, pool } = await extrasOf(client);
    await nexus.admin('track', 'vault', 'CLIENT', 'PAUSE', String(PAUSED_MS), 'WRITE');
    const begin = performance.now();
    const under = {
      own: client.vault.set('closing:own', 'x'),
      pipeline: client.vault.multi().set('closing:pipeline', 'x').execAsPipeline(),
      duplicate: duplicate.set('closing:duplicate', 'x'),
      multi: duplicate.multi().set('closing:multi', 'x').exec(),
      pool: pool.set('closing:pool', 'x'),
      read: client.operational.get('kept'),
    };
    const closed = client.close();
    const late = await allRefused('CLIENT_CLOSED', PAUSED_MS, {
      own: () => client.vault.set('closing:late', 'x'),
      duplicate: () => duplicate.set('closing:late', 'x'),
      multi: () => duplicate.multi().set('closing:late', 'x').exec(),
      pool: () => pool.set('closing:late', 'x'),
    });
    expect(new Set(late.map(({ outcome }) => outcome))).toEqual(new Set(['not-sent']));
    const outcomes = await Promise.allSettled(Object.values(under));
    expect(outcomes.map(({ status }) => status)).toEqual(outcomes.map(() => 'fulfilled'));
    await closed;
    expect(performance.now() - begin).toBeGreaterThan(PAUSED_MS - 50);
    const names = ['own', 'pipeline', 'duplicate', 'multi', 'pool', 'late'].map((name) => `closing:${name}`);
    expect(await nexus.admin('track', 'vault', 'EXISTS', ...names)).toBe(names.length - 1);
    await allRefused('CLIENT_CLOSED', LATE_MS, {
      duplicate: () => duplicate.connect(),
      'one made before, and never opened': () => client.vault.duplicate().connect(),
      pool: () => client.operational.createPool().connect(),
    });
    await nexus.admin('track', 'vault', 'DEL', ...names);
  });

  it('waits no longer than its second for one that blocks, and says that it may have been done', async () => {
    const client = await clients.open();
    const { duplicate, pool } = await extrasOf(client);
    const blocked = [duplicate.blPop('never', 0), pool.execute((member) => member.blPop('never', 0))];
    await client.vault.ping();
    const begin = performance.now();
    const [outcomes] = await Promise.all([Promise.allSettled(blocked), client.close()]);
    expect(performance.now() - begin).toBeLessThan(1_000 + LATE_MS);
    expect(outcomes).toMatchObject(blocked.map(() => ({ reason: { code: 'CLIENT_CLOSED', outcome: 'unknown' } })));
    expect([duplicate.isOpen, pool.isOpen]).toEqual([false, false]);
  });

  it('in the middle: each call ends, and nothing can be asked any more', async () => {
    const client = await clients.open('track', { readYourWrites: true });
    const { duplicate, pool } = await extrasOf(client);
    const under = [
      ...Array.from({ length: 500 }, (_, index) => client.vault.set(`closing:${String(index % 10)}`, 'x')),
      ...Array.from({ length: 500 }, () => client.operational.get('kept')),
      duplicate.blPop('never', 0),
    ];
    const begin = performance.now();
    const [outcomes] = await Promise.all([Promise.allSettled(under), client.close(), client.close()]);
    expect(performance.now() - begin).toBeLessThan(1_000 + LATE_MS);
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ name: 'Nexus3Error' });
    }
    await allRefused('CLIENT_CLOSED', LATE_MS, {
      set: () => client.vault.set('k', 'v'),
      get: () => client.operational.get('k'),
      graph: () => client.graph('g').roQuery('RETURN 1'),
      multi: () => client.vault.multi().set('k', 'v').exec(),
      synced: () => client.synced(),
    });
    expect([duplicate.isReady, pool.isOpen]).toEqual([false, false]);
  });

  it('lets the process end by itself, whatever it has done', async () => {
    const script = join(nexus.root, 'closes.mjs');
    await writeFile(
      script,
      `import { connect } from ${JSON.stringify(join(DIST, 'compose-client.js'))};
      {
        await using client = await connect('track', { readYourWrites: true });
        const [duplicate, pool] = [client.vault.duplicate(), client.vault.createPool()];
        await duplicate.connect();
        await pool.connect();
        await Promise.all([duplicate.set('a', '1'), pool.set('b', '2'), client.vault.set('c', '3')]);
        const read = await Promise.all(['a', 'b', 'c'].map((key) => client.operational.get(key)));
        await client.graph('ends').query('CREATE (:Ends)');
        await client.graph('ends').delete();
        await client.synced();
        await client.vault.del(['a', 'b', 'c']);
        console.log(read.join(' '));
      }
      const closed = Date.now();
      process.on('exit', () => console.log(Date.now() - closed < 1500 ? 'at once' : 'late'));`
        .replace('await using client', 'const client')
        .replace("console.log(read.join(' '));", "console.log(read.join(' '));\n        await client.close();"),
    );
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [script], {
      env: { ...nexus.env, NEXUS3_CONFIG: nexus.configFile },
      timeout: 30_000,
    });
    expect([stdout, stderr]).toEqual(['1 2 3\nat once\n', '']);
  });

  it('goes on where a listener throws, which is the program’s to hear of', async () => {
    const script = join(nexus.root, 'throws.mjs');
    await writeFile(
      script,
      `import { connect } from ${JSON.stringify(join(DIST, 'compose-client.js'))};
      const client = await connect('track');
      const thrown = [];
      process.on('uncaughtException', ({ message }) => thrown.push(message));
      const back = new Promise((resolve) => client.on('vault', ({ state }) => state === 'up' && resolve()));
      client.on('vault', ({ state }) => { throw new Error(state); });
      await client.vault.sendCommand(['QUIT']);
      await back;
      console.log(await client.vault.get('kept'), thrown.join(' '));
      await client.close();`,
    );
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [script], {
      env: { ...nexus.env, NEXUS3_CONFIG: nexus.configFile },
      timeout: 10_000,
    });
    expect([stdout, stderr]).toEqual(['value down up\n', '']);
  });
});

/** Host and port that the operational copies from. */
async function masterOf(): Promise<readonly [string, string]> {
  const role = (await nexus.admin('track', 'operational', 'ROLE')) as readonly (string | number)[];
  return [String(role[1]), String(role[2])];
}
