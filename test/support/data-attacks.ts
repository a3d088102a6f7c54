/**
 * What somebody may try on the data server, over whichever transport. After each of it: nothing was written, nothing was
 * said that is a secret, and the server answers the next call.
 */
import type { Client } from '@modelcontextprotocol/client';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Called } from './call-tool.js';
import { callTool } from './call-tool.js';
import { thousandCalls } from './data-attack-tour.js';
import { LOADS, NOT_LOADS } from './cypher-loads.js';
import type { Nexus } from './nexus.js';
import { storeDigest } from './store-digest.js';

export interface Attacked {
  readonly nexus: Nexus;
  /** Serves `track` alone, with --write. The attacks that must be refused in any case are made here. */
  readonly client: Client;
  /** Of the process that serves, in bytes. */
  readonly memory: () => Promise<number> | number;
}

const WRITES: readonly string[] = [
  'CREATE (:Evil)',
  'MERGE (:Evil)',
  'MATCH (n) DELETE n',
  'MATCH (n) DETACH DELETE n',
  'MATCH (n) SET n.evil = 1',
  'MATCH (n) REMOVE n.n',
  'MATCH (n) SET n:Evil',
  'MATCH (n:N) FOREACH (i IN [1] | CREATE (:Evil))',
  'CALL { CREATE (:Evil) } RETURN 1',
  'MATCH (n) CALL { WITH n SET n.evil = 1 } RETURN n',
  'UNWIND [1] AS i CREATE (:Evil {i: i}) RETURN i',
  'RETURN 1 AS a UNION CREATE (:Evil) RETURN 1 AS a',
  'CREATE INDEX FOR (n:N) ON (n.n)',
  'DROP INDEX FOR (n:N) ON (n.n)',
  'CALL db.idx.fulltext.createNodeIndex("N", "n")',
  'CALL db.idx.fulltext.drop("N")',
  'CALL db.idx.vector.createNodeIndex("N", "n", 2, "euclidean")',
  'RETURN 1; CREATE (:Evil)',
  'CREATE (:Evil); RETURN 1',
  'RETURN 1;;MATCH (n) DELETE n',
  'CYPHER a=1 CREATE (:Evil)',
  'a="x" CREATE (:Evil)',
  'EXPLAIN CREATE (:Evil)',
  'PROFILE CREATE (:Evil)',
  'cypher x=1 profile CREATE (:Evil)',
  '/**/CREATE/**/(:Evil)',
  'CREATE (:Evil) // RETURN 1',
];

/** The engine's parser would not come to an end within a lifetime, and no time-out ends it. */
const PARSE_BOMBS: readonly string[] = [
  `RETURN ${'['.repeat(40)}${']'.repeat(40)}`,
  `RETURN ${'('.repeat(40)}1${')'.repeat(40)}`,
  `RETURN ${'{a:'.repeat(40)}1${'}'.repeat(40)} AS m`,
  `RETURN ${'abs('.repeat(40)}1${')'.repeat(40)}`,
  `RETURN ${'NOT '.repeat(60)}true`,
  `RETURN ${'- '.repeat(60)}1`,
  `RETURN ${'NOT ('.repeat(25)}true${')'.repeat(25)}`,
  `RETURN ${'CASE WHEN true THEN '.repeat(30)}1${' END'.repeat(30)}`,
  `RETURN ${'[x IN '.repeat(40)}[1]${']'.repeat(40)}`,
  `MATCH ()${'-[*1..2]-()'.repeat(1_000)} RETURN 1`,
  `RETURN ${'1+'.repeat(100_000)}1`,
];

/** A name that every process here has in its environment or its files, and that no agent has a use for. */
const NEVER_SAID = /\n\s+at .*:\d+|node_modules|\/dist\/|\.ts:\d|NEXUS3_ROOT_KEY/;

export function dataAttacks(attacked: () => Attacked): void {
  const said: string[] = [];
  let before: readonly string[];
  const call = async (name: string, args: object): Promise<Called> => {
    const called = await callTool(attacked().client, name, args);
    said.push(called.text);
    return called;
  };
  const query = (text: string, more: object = {}): Promise<Called> =>
    call('graph_query', { graph: 'g', query: text, ...more });
  const answersNext = async (): Promise<void> => {
    const { data, text } = await query('MATCH (n:N) RETURN count(n) AS c');
    expect(data?.['rows'], text).toEqual([[3]]);
    expect((await call('key_get', { key: 'k' })).data).toMatchObject({ value: 'v' });
  };

  beforeAll(async () => {
    const { nexus } = attacked();
    const admin = (...args: string[]) => nexus.admin('track', 'vault', ...args);
    await admin('GRAPH.QUERY', 'g', 'UNWIND range(1, 3) AS n CREATE (:N {n: n})');
    await admin('SET', 'k', 'v');
    await admin('SETRANGE', 'large', String(50_000_000), 'x');
    const fill = "for i = 1, 1000000 do redis.call('HSET', KEYS[1], 'field' .. i, i) end";
    await admin('EVAL', fill, '1', 'fields');
    const big =
      "local big = string.rep('x', 50000000) redis.call('HSET', 'bigfield', 'small', 'y', 'f', big) redis.call('RPUSH', 'biglist', big, 'small') redis.call('SADD', 'bigset', big)";
    await admin('EVAL', big, '0');
    await admin('SET', 'a'.repeat(60_000), 'long name');
    await admin('WAIT', '1', '20000');
    before = await storeDigest(nexus, 'track');
  });

  afterEach(async () => {
    await answersNext();
    expect(await storeDigest(attacked().nexus, 'track')).toEqual(before);
    const secrets = [await attacked().nexus.password('track', 'default'), attacked().nexus.root];
    for (const text of said.splice(0)) {
      expect(text).not.toMatch(NEVER_SAID);
      for (const secret of secrets) expect(text).not.toContain(secret);
    }
  });

  describe('Cypher', () => {
    it('that writes is refused by the tool that reads', async () => {
      for (const text of WRITES) {
        const { isError, text: answer } = await query(text);
        expect(isError, `${text}: ${answer}`).toBe(true);
        expect(answer, text).toMatch(/^(QUERY_REFUSED|QUERY_INVALID|SERVER_REFUSED): /);
      }
    });

    it('with LOAD CSV is refused before it is sent, in every tool and spelling', async () => {
      let connections = 0;
      const server = createServer((socket) => {
        connections += 1;
        socket.destroy();
      }).listen(0, '127.0.0.1');
      await once(server, 'listening');
      const address = server.address();
      const url = `https://127.0.0.1:${String(typeof address === 'object' ? address?.port : 0)}/x.csv`;
      // The engine does go there where nothing stops it: what follows could fail.
      await attacked().nexus.anonymous(
        'track',
        'operational',
        'GRAPH.RO_QUERY',
        'g',
        `LOAD CSV FROM '${url}' AS r RETURN r`,
      );
      expect(connections).toBe(1);
      for (const text of LOADS) {
        const filled = text.replaceAll('$url', `'${url}'`);
        for (const tool of ['graph_query', 'graph_write', 'graph_explain']) {
          const called = await call(tool, { graph: 'g', query: filled });
          expect(called.text, `${tool} ${text}`).toMatch(/^QUERY_REFUSED: /);
        }
      }
      expect(connections).toBe(1);
      server.close();
      for (const text of NOT_LOADS) expect((await query(text)).isError, text).toBe(false);
    });

    it('that no parser comes to the end of is refused before it is sent', async () => {
      for (const text of PARSE_BOMBS) {
        for (const tool of ['graph_query', 'graph_write', 'graph_explain']) {
          expect((await call(tool, { graph: 'g', query: text })).text, text.slice(0, 60)).toMatch(/^QUERY_REFUSED: /);
        }
      }
    });

    it('in parameters stays a value, or is refused', async () => {
      const strings = [
        '"',
        '\\',
        '\\"',
        '" CREATE (:Evil) //',
        "'",
        '\n',
        '`',
        '${x}',
        '\\u0022',
        'é😀',
        '\u2028',
        "\\' OR 1=1",
        'LOAD CSV',
      ];
      for (const value of strings) {
        const map = { list: [value, { nested: value }] };
        const { data, text } = await query('RETURN $value AS v, $map AS m', { parameters: { value, map } });
        expect(data?.['rows'], text).toEqual([[value, map]]);
      }
      for (const name of ['a=1 CREATE (:Evil) RETURN $a //', 'a b', '', '1', 'a"', 'CYPHER', '`a`', 'é', 'a\0']) {
        expect((await query('RETURN 1', { parameters: { [name]: 1 } })).text, name).toMatch(/QUERY_REFUSED/);
      }
      for (const key of ['a:1}) CREATE (:Evil) //', '`', 'a`b', '', 'a\0b']) {
        const { text, data } = await query('RETURN $m AS m', { parameters: { m: { [key]: 1 } } });
        if (/[`\0]|^$/.test(key)) expect(text, key).toMatch(/QUERY_REFUSED/);
        else expect(data?.['rows']).toEqual([[{ [key]: 1 }]]);
      }
      let deep: unknown = 1;
      for (let level = 0; level < 500; level += 1) deep = level % 2 === 0 ? [deep] : { deep };
      for (const value of [deep, 'a\0b', '\ud800', 2 ** 60, 'x'.repeat(2_000_000)]) {
        expect((await query('RETURN $v', { parameters: { v: value } })).text.slice(0, 200)).toMatch(/QUERY_REFUSED/);
      }
    });

    it('without end is ended, also where it writes', async () => {
      const endless = [
        'MATCH (a), (b), (c), (d), (e), (f), (g), (h), (i), (j), (k), (l), (m), (n), (o), (p), (q), (r) RETURN count(*)',
        'UNWIND range(1, 200000000) AS i WITH i WHERE i < 0 RETURN count(i)',
        'UNWIND range(1, 10000) AS a UNWIND range(1, 10000) AS b UNWIND range(1, 10000) AS c RETURN count(*)',
      ];
      for (const text of endless) {
        const begun = performance.now();
        expect((await query(text, { timeoutMs: 500 })).text, text).toMatch(/^QUERY_TIMED_OUT: /);
        expect(performance.now() - begun).toBeLessThan(10_000);
        if (text.includes('200000000')) await stillRuns();
      }
      const writes = `${endless[0]?.replace('RETURN count(*)', '') ?? ''} CREATE (:N {n: 4})`;
      const written = await call('graph_write', { graph: 'g', query: writes, timeoutMs: 500 });
      expect(written.text).toMatch(/^QUERY_TIMED_OUT: [^]*Nothing was changed/);
    });

    it('that gives back too much is cut, and memory stays bounded', async () => {
      const start = await attacked().memory();
      const doubled = (times: number): string => `reduce(s = '0123456789', x IN range(1, ${String(times)}) | s + s)`;
      const lines = await query(`UNWIND range(1, 1000) AS i RETURN ${doubled(13)} + i AS s`);
      expect(lines.text).toMatch(/^REPLY_TOO_LARGE: /);
      expect((await query(`RETURN ${doubled(23)} AS s`, { timeoutMs: 60_000 })).text).toMatch(/^REPLY_TOO_LARGE: /);
      expect((await query('RETURN range(1, 3000000) AS s')).text).toMatch(/^REPLY_TOO_LARGE: /);
      const rows = await query('UNWIND range(1, 1000000) AS i RETURN i', { rows: 1000 });
      expect(rows.data).toMatchObject({ truncated: true, cut: [expect.stringContaining('10000 rows') as unknown] });
      const one = await query(`RETURN ${doubled(15)} AS s, 1 AS n`);
      expect(one.text.length).toBeLessThan(100_000);
      expect(one.data).toMatchObject({
        truncated: true,
        rows: [[expect.stringContaining('327680 bytes') as unknown, 1]],
      });
      const long = await query('RETURN range(1, 100000) AS l');
      expect(long.data).toMatchObject({ truncated: true });
      expect(long.text.length).toBeLessThan(300_000);
      expect((await attacked().memory()) - start).toBeLessThan(600_000_000);
    });

    it('whose names are long is cut, though they come as numbers; a write that gives back too much is not to be repeated', async () => {
      const start = await attacked().memory();
      const long = (name: string, text: string, more: object = {}): Promise<Called> =>
        call(name, { graph: 'long', query: text, timeoutMs: 60_000, ...more });
      const names = ['a', 'b', 'c'].map((letter) => `n.\`${letter.repeat(15_000)}\` = 1`);
      const made = await long('graph_write', `UNWIND range(1, 10000) AS i CREATE (n:L) SET ${names.join(', ')}`);
      expect(made.data, made.text).toMatchObject({ changes: { 'Properties set': 30_000 } });
      const found = await long('graph_query', 'MATCH (n:L) RETURN n, n AS m, n AS o', { rows: 1_000 });
      expect(found.data, found.text.slice(0, 300)).toMatchObject({ truncated: true });
      expect((await attacked().memory()) - start).toBeLessThan(300_000_000);
      const large = await long('graph_write', `UNWIND range(1, 300000) AS i CREATE (n:M) RETURN '${'x'.repeat(70)}'`);
      expect(large.text).toMatch(/^REPLY_TOO_LARGE: The write was done[^]*Do not run it again/);
      expect((await long('graph_query', 'MATCH (n:M) RETURN count(n)')).data).toMatchObject({ rows: [[300_000]] });
      await attacked().nexus.admin('track', 'vault', 'GRAPH.DELETE', 'long');
    });

    it('that gives back what lies too deep harms no other call', async () => {
      // node-redis cannot read it, and would hand the reply after it to the wrong call.
      const deep = [100, 10_000].map((levels) =>
        query(`RETURN reduce(a = [], x IN range(1, ${String(levels)}) | [a]) AS a`, { timeoutMs: 60_000 }),
      );
      const others = Array.from({ length: 50 }, (_, i) => query('RETURN $i AS i', { parameters: { i } }));
      for (const { data, text } of await Promise.all(deep)) {
        expect(data, text).toMatchObject({ truncated: true });
        expect(text).toContain('left out: deeper than 32 levels');
      }
      for (const [i, other] of (await Promise.all(others)).entries())
        expect(other.data?.['rows'], other.text).toEqual([[i]]);
    });
  });

  describe('keys', () => {
    it('with odd names are names, or are refused', async () => {
      for (const key of ['a\nb', 'a\r\nSET k evil\r\n', 'a\0b', ' ', '*', '"', 'é😀', '__proto__', 'x'.repeat(1_024)]) {
        const { data, text } = await call('key_get', { key });
        expect(data, `${JSON.stringify(key)} ${text}`).toMatchObject({ exists: false, type: 'none' });
      }
      for (const key of ['', '\ud800', 'x'.repeat(1_025), 'é'.repeat(513)]) {
        for (const [name, more] of Object.entries({
          key_get: { key },
          key_set: { key, text: '1' },
          key_delete: { keys: [key] },
        })) {
          expect((await call(name, more)).text.slice(0, 300)).toMatch(/^USAGE: /);
        }
      }
      const invalid = Buffer.from([0xff, 0x00, 0x0a]).toString('base64');
      expect((await call('key_get', { keyBase64: invalid })).data).toMatchObject({
        key: { base64: invalid },
        exists: false,
      });
      for (const wrong of [
        { keyBase64: '!!' },
        { key: 1 },
        {},
        { key: 'a', keyBase64: 'YQ==' },
        { key: 'a', cursor: '1 2' },
      ]) {
        expect((await call('key_get', wrong)).isError, JSON.stringify(wrong)).toBe(true);
      }
    });

    it('are not found for ever', async () => {
      const begun = performance.now();
      for (const pattern of [
        'a*'.repeat(50),
        '*'.repeat(200_000),
        '['.repeat(256),
        '\\',
        '[^',
        'x'.repeat(300),
        '\ud800',
        `${'a*'.repeat(7)}b`,
      ]) {
        await call('key_scan', { pattern });
      }
      expect(performance.now() - begun).toBeLessThan(20_000);
      for (const wrong of [{ cursor: '-1' }, { cursor: 'x' }, { count: 0 }, { count: 1e9 }, { type: 'x' }]) {
        expect((await call('key_scan', wrong)).isError, JSON.stringify(wrong)).toBe(true);
      }
    });

    it('that hold too much are shown in parts, and memory stays bounded', async () => {
      const start = await attacked().memory();
      const bounded = async (args: object): Promise<Called['data']> => {
        const { data, text } = await call('key_get', args);
        expect(text.length, text.slice(0, 200)).toBeLessThan(400_000);
        return data;
      };
      expect(await bounded({ key: 'large' })).toMatchObject({ length: 50_000_001, truncated: true });
      expect(await bounded({ key: 'large', cursor: 'string.49999990' })).toMatchObject({ truncated: false });
      expect(await bounded({ key: 'fields', count: 1_000 })).toMatchObject({ length: 1_000_000, truncated: true });
      const field = await bounded({ key: 'bigfield' });
      expect(field?.['fields']).toContainEqual({ field: 'f', value: { bytes: 50_000_000 } });
      expect(await bounded({ key: 'biglist' })).toMatchObject({
        length: 2,
        truncated: true,
        elements: [{ bytes: 50_000_000 }, 'small'],
      });
      expect(await bounded({ key: 'bigset' })).toMatchObject({ elements: [{ bytes: 50_000_000 }], truncated: true });
      expect((await attacked().memory()) - start).toBeLessThan(600_000_000);
    });
  });

  it('a thousand calls at once are all answered, each with its own, or told to come back', () =>
    thousandCalls(attacked().client));

  it('input of any other shape is refused', async () => {
    for (const [name, args] of [
      ['graph_query', { graph: 'g' }],
      ['graph_query', { graph: ['g'], query: 'RETURN 1' }],
      ['graph_query', { graph: 'g', query: { $ne: 1 } }],
      ['graph_query', { graph: 'x'.repeat(100_000), query: 'RETURN 1' }],
      ['graph_query', { graph: 'k', query: 'RETURN 1' }],
      ['graph_query', { graph: 'g', query: 'RETURN 1', timeoutMs: 1e9 }],
      ['graph_query', { graph: 'g', query: 'RETURN 1', parameters: [1] }],
      ['graph_query', { graph: 'g\r\nFLUSHALL\r\n', query: 'RETURN 1' }],
      ['graph_query', { environment: '../locker', graph: 'g', query: 'RETURN 1' }],
      ['graph_schema', { graph: '`' }],
      ['graph_write', { graph: 'k', query: 'CREATE (:Evil)' }],
      ['key_set', { key: 'g', text: 'overwritten' }],
      ['key_set', { key: 'k', fields: { a: 'b' } }],
      ['key_set', { key: 'k', text: 'a', base64: 'YQ==' }],
      ['key_set', { key: 'k', text: 'x'.repeat(1_100_000) }],
      ['key_delete', { keys: ['g'] }],
      ['key_delete', {}],
      ['nosuch', {}],
      ['__proto__', {}],
    ] as const) {
      const called = await call(name, args);
      expect(called.isError, `${name} ${JSON.stringify(args).slice(0, 100)}: ${called.text}`).toBe(true);
    }
  });

  /**
   * Until the engine has ended what it cannot be made to end: it looks at the time between rows only. That takes one of its
   * threads, of which it has one for each core, and what comes later would wait for the others.
   */
  async function stillRuns(): Promise<void> {
    const until = Date.now() + 90_000;
    const running = async (): Promise<boolean> =>
      JSON.stringify(await attacked().nexus.admin('track', 'operational', 'GRAPH.INFO', 'RunningQueries')).includes(
        'Received at',
      );
    while (Date.now() < until && (await running())) await new Promise((done) => setTimeout(done, 250));
    expect(await running()).toBe(false);
  }
}
