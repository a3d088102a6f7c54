/** The data server's tools, each through a real MCP client against real servers. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PROCESS_HANDS, until } from '../support/break.js';
import type { Called } from '../support/call-tool.js';
import { callTool } from '../support/call-tool.js';
import type { ServedClient } from '../support/data-server.js';
import { serveData } from '../support/data-server.js';
import { Nexus } from '../support/nexus.js';
import { slowLink } from '../support/slow-link.js';

/** Longer than a write waits for the operational. */
const SLOW_LINK_MS = 600;

let nexus: Nexus;
let reading: ServedClient;
let writing: ServedClient;

beforeAll(async () => {
  nexus = await Nexus.make({ runtime: 'process', environments: { track: 'standard', sealed: 'secure' } });
  await nexus.report(0, 'up');
  reading = await serveData(nexus, { write: false, environments: ['track'] });
  writing = await serveData(nexus, { write: true, environments: ['track', 'sealed'] });
});

afterAll(async () => {
  await reading[Symbol.asyncDispose]();
  await writing[Symbol.asyncDispose]();
  await nexus[Symbol.asyncDispose]();
});

const read = (name: string, args: object): Promise<Called> => callTool(reading.client, name, args);
const write = (name: string, args: object, environment = 'track'): Promise<Called> =>
  callTool(writing.client, name, { environment, ...args });

describe('the tools', () => {
  it('that write do not appear without --write, and all say what they may do', async () => {
    const names = async ({ client }: ServedClient) => (await client.listTools()).tools.map(({ name }) => name);
    const readers = ['environments', 'graph_list', 'graph_schema', 'graph_query', 'key_get', 'key_scan'];
    expect(await names(reading)).toEqual(readers);
    const writers = ['graph_write', 'graph_explain', 'key_set', 'key_delete', 'graph_delete'];
    expect(await names(writing)).toEqual([...readers, ...writers]);
    const { tools } = await writing.client.listTools();
    expect(tools.filter(({ annotations }) => annotations?.readOnlyHint === true).map(({ name }) => name)).toEqual(
      readers,
    );
    expect(tools.every(({ outputSchema }) => outputSchema !== undefined)).toBe(true);
    expect((await read('key_set', { key: 'a', text: 'b' })).isError).toBe(true);
  });

  it('name environments', async () => {
    expect((await read('environments', {})).data).toEqual({
      environments: [{ name: 'track', kind: 'standard', connected: false }],
      writes: false,
    });
    const unknown = await write('graph_list', {}, 'nowhere');
    expect(unknown.text).toBe(
      'ENVIRONMENT_UNKNOWN: This server serves no such environment.\nNext: Call it again with `environment` as one of: track, sealed.',
    );
    expect((await callTool(writing.client, 'graph_list', {})).text).toContain('more than one environment');
  });
});

describe('graphs', () => {
  it('are written, and read at once after that', async () => {
    for (let round = 0; round < 50; round += 1) {
      const graph = `ryw${String(round % 3)}`;
      const written = await write('graph_write', {
        graph,
        query: 'MERGE (c:Counter) SET c.n = $n',
        parameters: { n: round },
      });
      expect(written.text).not.toContain('Next:');
      const seen = await write('graph_query', { graph, query: 'MATCH (c:Counter) RETURN c.n AS n' });
      expect(seen.data).toMatchObject({ columns: ['n'], rows: [[round]] });
    }
  });

  it('are read as written where replication takes long, and so are keys', async () => {
    await using _link = await slowLink(nexus, 'track', SLOW_LINK_MS);
    // The operational is behind: what is read there is what was there before.
    await write('key_set', { key: 'slow', text: 'old' });
    expect(await nexus.anonymous('track', 'operational', 'EXISTS', 'slow')).toBe(0);
    for (let round = 0; round < 3; round += 1) {
      const query = 'MERGE (c:Counter) SET c.n = $n';
      await write('graph_write', { graph: 'slow-graph', query, parameters: { n: round } });
      const seen = await write('graph_query', { graph: 'slow-graph', query: 'MATCH (c:Counter) RETURN c.n AS n' });
      expect(seen.data?.['rows'], seen.text).toEqual([[round]]);
      await write('key_set', { key: 'slow', text: String(round) });
      expect((await write('key_get', { key: 'slow' })).data).toMatchObject({ value: String(round) });
    }
    await write('graph_write', { graph: 'slow-new', query: 'CREATE (:New)' });
    expect((await write('graph_list', {})).data?.['graphs']).toContain('slow-new');
    expect((await write('graph_schema', { graph: 'slow-new' })).data).toMatchObject({ nodes: 1 });
    expect((await write('key_get', { key: 'slow-new' })).data).toMatchObject({ type: 'graphdata' });
    await write('graph_delete', { graph: 'slow-new' });
    expect((await write('graph_list', {})).data?.['graphs']).not.toContain('slow-new');
    await write('key_set', { key: 'slow-key', text: 'new' });
    expect((await write('key_scan', { pattern: 'slow-key' })).data).toMatchObject({ keys: ['slow-key'] });
    await write('key_delete', { keys: ['slow-key', 'slow'] });
    expect((await write('key_get', { key: 'slow-key' })).data).toMatchObject({ exists: false });
    await write('graph_delete', { graph: 'slow-graph' });
  });

  it('give all types of values, exactly', async () => {
    const create =
      'CREATE (a:Person {name: $name, big: $big, at: point({latitude: 1.5, longitude: 2.5})})-[:KNOWS {since: 2020}]->(b:Person:Admin {name: "B"})';
    const parameters = { name: 'A "quoted" \\ name\n', big: 2 ** 52 };
    expect((await write('graph_write', { graph: 'types', query: create, parameters })).data).toMatchObject({
      changes: { 'Labels added': 2, 'Nodes created': 2, 'Properties set': 5, 'Relationships created': 1 },
    });
    const path = await write('graph_query', {
      graph: 'types',
      query: 'MATCH p=(a:Person)-[r]->(b) RETURN a, r, p, b.name',
    });
    const a = { id: 0, labels: ['Person'], properties: { ...parameters, at: { latitude: 1.5, longitude: 2.5 } } };
    const b = { id: 1, labels: ['Person', 'Admin'], properties: { name: 'B' } };
    const r = { id: 0, type: 'KNOWS', source: 0, target: 1, properties: { since: 2020 } };
    expect(path.data).toMatchObject({
      columns: ['a', 'r', 'p', 'b.name'],
      rows: [[a, r, { nodes: [a, b], relationships: [r] }, 'B']],
      truncated: false,
    });
    const scalars = await write('graph_query', {
      graph: 'types',
      query:
        'RETURN 9007199254740993 AS a, 1.5 AS b, 1.0/0 AS c, null AS d, [1,[2]] AS e, {x: {`__proto__`: 1}} AS f, true AS g, ' +
        'date("2024-01-02") AS h, localdatetime("2024-01-02T10:11:12") AS i, localtime("10:11:12") AS j, vecf32([1,2.5]) AS k, duration({hours: 2}) AS l',
    });
    expect(JSON.stringify(scalars.data?.['rows'])).toBe(
      '[["9007199254740993",1.5,"Infinity",null,[1,[2]],{"x":{"__proto__":1}},true,"2024-01-02","2024-01-02T10:11:12","10:11:12",[1,2.5],{"seconds":7200}]]',
    );
  });

  it('are described', async () => {
    await write('graph_write', { graph: 'types', query: 'CREATE INDEX FOR (p:Person) ON (p.name)' });
    await write('graph_write', { graph: 'types', query: 'CREATE (:`odd label`)' });
    const { data } = await write('graph_schema', { graph: 'types' });
    expect(data).toMatchObject({
      nodes: 3,
      relationships: 1,
      labels: [
        {
          label: 'Person',
          count: 2,
          sampled: 2,
          properties: [
            { name: 'at', types: ['Point'], seen: 1 },
            { name: 'big', types: ['Integer'], seen: 1 },
            { name: 'name', types: ['String'], seen: 2 },
          ],
        },
        { label: 'Admin', count: 1 },
        { label: 'odd label', count: 1, properties: [] },
      ],
      relationshipTypes: [{ type: 'KNOWS', count: 1, properties: [{ name: 'since', types: ['Integer'], seen: 1 }] }],
      indexes: [{ on: 'NODE', label: 'Person', properties: ['name'] }],
      truncated: false,
    });
    expect((await write('graph_list', {})).data).toMatchObject({ graphs: ['ryw0', 'ryw1', 'ryw2', 'types'] });
    const unknown = await write('graph_schema', { graph: 'tpyes' });
    expect(unknown.text).toContain('there are: "ryw0", "ryw1", "ryw2", "types"');
  });

  it('come in pages that are one result', async () => {
    await write('graph_write', { graph: 'pages', query: 'UNWIND range(1, 250) AS n CREATE (:N {n: n})' });
    const first = await write('graph_query', { graph: 'pages', query: 'MATCH (n:N) RETURN n.n ORDER BY n.n' });
    expect(first.data).toMatchObject({ truncated: true, cut: [] });
    await write('graph_write', { graph: 'pages', query: 'MATCH (n:N) DELETE n' });
    const rows = [first.data?.['rows']];
    let cursor = first.data?.['nextCursor'];
    while (cursor !== undefined) {
      const next = await write('graph_query', { cursor });
      rows.push(next.data?.['rows']);
      cursor = next.data?.['nextCursor'];
    }
    expect(rows.flat()).toEqual(Array.from({ length: 250 }, (_, at) => [at + 1]));
    expect((await write('graph_query', { cursor: 'AAAAAAAAAAAAAAAAAAAAAA.5' })).text).toContain('CURSOR_UNKNOWN');
  });

  it('explain without doing, on the vault', async () => {
    const before = await write('graph_query', { graph: 'types', query: 'MATCH (n) RETURN count(n)' });
    for (const query of ['MATCH (n) DELETE n', 'CREATE (:New {p: 1})', 'MATCH (p:Person {name: $name}) RETURN p']) {
      const explained = await write('graph_explain', { graph: 'types', query, parameters: { name: 'A' } });
      expect(explained.data?.['plan']).not.toHaveLength(0);
    }
    const after = await write('graph_query', { graph: 'types', query: 'MATCH (n) RETURN count(n)' });
    expect(after.data?.['rows']).toEqual(before.data?.['rows']);
  });

  it('say what is wrong with a query, and what to do', async () => {
    const said = async (query: string, tool = 'graph_query') => (await write(tool, { graph: 'types', query })).text;
    expect(await said('MATCH (n) RETRUN n')).toMatch(/^QUERY_INVALID: .*\n.*Invalid input 'R'.*\nNext: /);
    expect(await said('RETURN $x')).toMatch(/QUERY_INVALID[^]*Missing parameters/);
    expect(await said('CREATE (:X)')).toMatch(/QUERY_REFUSED[^]*Use graph_write/);
    const readOnly = await read('graph_query', { graph: 'types', query: 'CREATE (:X)' });
    expect(readOnly.text).toMatch(/QUERY_REFUSED[^]*This server only reads/);
    const unknown = await read('graph_query', { graph: 'nosuch', query: 'RETURN 1' });
    expect(unknown.text).toMatch(/GRAPH_UNKNOWN[^]*graph_list/);
    expect(await said('MATCH (a), (b), (c), (d), (e) RETURN count(*)', 'graph_write')).not.toContain('at ');
  });

  it('are deleted when the person agrees', async () => {
    await write('graph_write', { graph: 'doomed', query: 'CREATE (:N)' });
    const asked: string[] = [];
    let agree = false;
    await using person = await serveData(nexus, {
      write: true,
      environments: ['track'],
      answer: (question) => {
        asked.push(question);
        return agree;
      },
    });
    const ask = (name: string, args: object) => callTool(person.client, name, { graph: 'doomed', ...args });
    expect((await ask('graph_delete', {})).text).toContain('did not agree');
    expect((await ask('graph_write', { query: 'MATCH (n) DETACH DELETE n' })).text).toContain('did not agree');
    expect((await ask('graph_query', { query: 'MATCH (n) RETURN count(n)' })).data?.['rows']).toEqual([[1]]);
    agree = true;
    expect((await ask('graph_delete', {})).data).toMatchObject({ deleted: true });
    expect((await ask('graph_query', { query: 'RETURN 1' })).text).toContain('GRAPH_UNKNOWN');
    expect(asked).toEqual([
      'Delete the whole graph "doomed" of track, with all that is in it?',
      'Run this on the graph "doomed" of track? It can take data away: MATCH (n) DETACH DELETE n',
      'Delete the whole graph "doomed" of track, with all that is in it?',
    ]);
  });

  it('work in a secure environment, too', async () => {
    expect((await write('graph_write', { graph: 's', query: 'CREATE (:S {x: 1})' }, 'sealed')).text).not.toContain(
      'Next',
    );
    expect(
      (await write('graph_query', { graph: 's', query: 'MATCH (s) RETURN s.x' }, 'sealed')).data?.['rows'],
    ).toEqual([[1]]);
    expect((await write('key_set', { key: 'k', text: 'v' }, 'sealed')).data).toMatchObject({ written: true });
    expect((await write('key_get', { key: 'k' }, 'sealed')).data).toMatchObject({ value: 'v' });
  });
});

describe('keys', () => {
  it('are set and read at once after that, as text and as bytes', async () => {
    for (let round = 0; round < 50; round += 1) {
      expect((await write('key_set', { key: 'ryw', text: String(round) })).data).toMatchObject({ written: true });
      expect((await write('key_get', { key: 'ryw' })).data).toMatchObject({
        value: String(round),
        type: 'string',
        ttlSeconds: null,
      });
    }
    const base64 = Buffer.from([0, 255, 1, 254]).toString('base64');
    await write('key_set', { keyBase64: base64, base64, ttlSeconds: 100 });
    const { data } = await write('key_get', { keyBase64: base64 });
    expect(data).toMatchObject({ key: { base64 }, value: { base64 }, length: 4 });
    expect(Number(data?.['ttlSeconds'])).toBeGreaterThan(90);
    expect((await write('key_set', { key: 'ryw', text: 'x', onlyIf: 'absent' })).data).toMatchObject({
      written: false,
    });
    expect((await write('key_set', { key: 'new', text: 'x', onlyIf: 'absent' })).data).toMatchObject({
      written: true,
      created: true,
    });
    expect((await write('key_set', { key: 'h', fields: { a: '1', b: 'é' } })).data).toMatchObject({ written: true });
    expect((await write('key_get', { key: 'h' })).data).toMatchObject({
      type: 'hash',
      length: 2,
      fields: [
        { field: 'a', value: '1' },
        { field: 'b', value: 'é' },
      ],
    });
    expect((await write('key_set', { key: 'h', text: 'x' })).text).toMatch(/KEY_WRONG_TYPE: That key holds a hash/);
    expect((await write('key_set', { key: 'types', text: 'x' })).text).toMatch(/KEY_WRONG_TYPE[^]*graph_write/);
    expect((await write('key_delete', { keys: ['types', 'h'] })).text).toMatch(/KEY_WRONG_TYPE[^]*graph_delete/);
    expect((await write('key_delete', { keys: ['h', 'nosuch'] })).data).toMatchObject({ deleted: 1 });
    expect((await write('key_get', { key: 'h' })).data).toMatchObject({ exists: false, type: 'none' });
  });

  it('of every type are read in pages', async () => {
    const numbers = Array.from({ length: 250 }, (_, at) => String(at));
    const admin = (...args: string[]) => nexus.admin('track', 'vault', ...args);
    await admin('RPUSH', 'list', ...numbers);
    await admin('SADD', 'set', ...numbers.map((n) => `member ${n}`));
    await admin('ZADD', 'zset', ...numbers.flatMap((n) => [n, `member ${n}`]));
    await admin('HSET', 'hash', ...numbers.flatMap((n) => [`field ${n}`, `value ${n}`]));
    for (const n of numbers) await admin('XADD', 'stream', `1-${String(Number(n) + 1)}`, 'n', n);
    await admin('SET', 'long', 'é'.repeat(100_000));
    expect((await write('key_get', { key: 'list' })).data).toMatchObject({ length: 250, truncated: true });
    const all = async (key: string, part: string): Promise<unknown[]> => {
      const found: unknown[] = [];
      let cursor: unknown;
      do {
        const { data, text } = await write('key_get', { key, ...(cursor === undefined ? {} : { cursor }) });
        expect(data, text).toBeDefined();
        const value = data?.[part];
        found.push(...(Array.isArray(value) ? (value as unknown[]) : [value]));
        cursor = data?.['nextCursor'];
      } while (cursor !== undefined);
      return found;
    };
    expect(await all('list', 'elements')).toEqual(numbers);
    expect((await all('set', 'elements')).toSorted()).toEqual(numbers.map((n) => `member ${n}`).toSorted());
    expect(await all('zset', 'members')).toEqual(numbers.map((n) => ({ member: `member ${n}`, score: Number(n) })));
    const fields = numbers.map((n) => ({ field: `field ${n}`, value: `value ${n}` }));
    expect(new Set((await all('hash', 'fields')).map((one) => JSON.stringify(one)))).toEqual(
      new Set(fields.map((one) => JSON.stringify(one))),
    );
    expect(await all('stream', 'entries')).toEqual(
      numbers.map((n) => ({ id: `1-${String(Number(n) + 1)}`, fields: [{ field: 'n', value: n }] })),
    );
    expect((await all('long', 'value')).join('')).toBe('é'.repeat(100_000));
    expect((await write('key_get', { key: 'types' })).data).toMatchObject({
      type: 'graphdata',
      note: expect.stringContaining('graph_query') as unknown,
    });
  });

  it('are found by pattern and type', async () => {
    const found: unknown[] = [];
    let cursor: unknown;
    do {
      const { data } = await write('key_scan', {
        pattern: '*e*',
        type: 'set',
        ...(cursor === undefined ? {} : { cursor }),
      });
      found.push(...(data?.['keys'] as unknown[]));
      cursor = data?.['nextCursor'];
    } while (cursor !== undefined);
    expect(found).toEqual(['set']);
    const graphs = await write('key_scan', { type: 'graphdata', count: 1000 });
    expect(graphs.data?.['keys']).toContain('types');
  });
});

describe('a vault that is down', () => {
  it('is said, and that nothing was written: no connection for it came to be', async () => {
    const query = 'CREATE (:Late)';
    expect((await write('graph_write', { graph: 'late', query: 'CREATE (:Early)' })).isError).toBe(false);
    await PROCESS_HANDS.kill(nexus, 'track', 'vault');
    // A connection whose end has not been noticed yet may be written to, and then it is not known.
    const said = /^VAULT_UNREACHABLE: .*\n {2}it was not sent, so it has not been done/;
    await until(async () => said.test((await write('graph_write', { graph: 'late', query })).text), 'that it is said');
    expect((await write('graph_explain', { graph: 'late', query })).text).toMatch(/^ENVIRONMENT_UNREACHABLE: /);
    await PROCESS_HANDS.start(nexus, 'track', 'vault');
    await until(async () => !(await write('graph_write', { graph: 'late', query: 'RETURN 1' })).isError, 'it is back');
    const { data } = await write('graph_query', { graph: 'late', query: 'MATCH (n) RETURN labels(n)' });
    expect(data).toMatchObject({ rows: [[['Early']]] });
  });
});
