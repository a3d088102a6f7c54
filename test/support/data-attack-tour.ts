/** One attack of each class on the data server, over whichever transport; data-attacks.ts has all of each. */
import { EventEmitter } from 'node:events';
import type { Client } from '@modelcontextprotocol/client';
import { expect, it } from 'vitest';
import type { Called } from './call-tool.js';
import { callTool } from './call-tool.js';
import type { Nexus } from './nexus.js';
import { storeDigest } from './store-digest.js';

const PARALLEL_CALLS = 1_000;
/** Over HTTP a request waits for so long, and no longer. */
const TOO_MANY = /too many calls/i;

const LARGE_BYTES = 20_000_000;

const REFUSED: readonly (readonly [tool: string, args: object, says: RegExp])[] = [
  ['graph_query', { query: 'CREATE (:Evil)' }, /^QUERY_REFUSED: /],
  ['graph_query', { query: 'CALL { CREATE (:Evil) } RETURN 1' }, /^(QUERY_REFUSED|QUERY_INVALID): /],
  ['graph_query', { query: 'CALL db.idx.fulltext.createNodeIndex("N", "n")' }, /^(QUERY_REFUSED|QUERY_INVALID): /],
  ['graph_query', { query: "LOAD/**/CSV FROM 'https://127.0.0.1:1/x' AS r RETURN r" }, /^QUERY_REFUSED: /],
  ['graph_write', { query: "LOAD CSV FROM 'file:///x.csv' AS r CREATE (:Evil)" }, /^QUERY_REFUSED: /],
  ['graph_query', { query: `RETURN ${'['.repeat(40)}${']'.repeat(40)}` }, /^QUERY_REFUSED: /],
  ['graph_query', { query: 'RETURN 1', parameters: { 'a=1 CREATE (:Evil) //': 1 } }, /QUERY_REFUSED/],
  [
    'graph_query',
    { query: `UNWIND range(1, 1000) AS i RETURN reduce(s = '0123456789', x IN range(1, 13) | s + s) + i AS s` },
    /^REPLY_TOO_LARGE: /,
  ],
  [
    'graph_query',
    {
      query: `MATCH ${Array.from({ length: 18 }, (_, i) => `(n${String(i)})`).join(', ')} RETURN count(*)`,
      timeoutMs: 300,
    },
    /^QUERY_TIMED_OUT: /,
  ],
  // Of a label that is there: the engine keeps the name of a new one, also of a write that fails.
  [
    'graph_write',
    {
      query: `MATCH ${Array.from({ length: 18 }, (_, i) => `(n${String(i)})`).join(', ')} CREATE (:N)`,
      timeoutMs: 300,
    },
    /^QUERY_TIMED_OUT: [^]*Nothing was changed/,
  ],
  ['graph_query', { query: 'RETURN $v', parameters: { v: nested() } }, /QUERY_REFUSED/],
  ['graph_query', { query: 'RETURN $v', parameters: { v: 'x'.repeat(2_000_000) } }, /QUERY_REFUSED/],
  ['key_set', { key: '', text: 'evil' }, /^USAGE: /],
  ['key_set', { key: 'attacked', text: 'x'.repeat(1_100_000) }, /./],
  ['key_delete', { keys: ['x'.repeat(1_025)] }, /^USAGE: /],
  ['key_set', { key: 'attacked', fields: { a: 'b' } }, /./],
];

/** @param attacked serves `track` alone, with --write */
export function dataAttackTour(attacked: () => { readonly nexus: Nexus; readonly client: Client }): void {
  it('bears one attack of each class: nothing is written or told, and the next call is answered', async () => {
    const { nexus, client } = attacked();
    await nexus.admin('track', 'vault', 'GRAPH.QUERY', 'g', 'UNWIND range(1, 3) AS n CREATE (:N {n: n})');
    await nexus.admin('track', 'vault', 'SET', 'k', 'v');
    await nexus.admin('track', 'vault', 'SET', 'attacked', 'v');
    await nexus.admin('track', 'vault', 'SETRANGE', 'large', String(LARGE_BYTES - 1), 'x');
    await nexus.admin('track', 'vault', 'WAIT', '1', '20000');
    const before = await storeDigest(nexus, 'track');
    const said: string[] = [];
    const call = async (name: string, args: object): Promise<Called> => {
      const called = await callTool(client, name, name.startsWith('graph') ? { graph: 'g', ...args } : args);
      said.push(called.text);
      return called;
    };
    const answersNext = async (): Promise<void> => {
      const { data, text } = await call('graph_query', { query: 'MATCH (n:N) RETURN count(n)' });
      expect(data?.['rows'], text).toEqual([[3]]);
    };
    for (const [name, args, says] of REFUSED) {
      const { isError, text } = await call(name, args);
      expect(isError, text.slice(0, 300)).toBe(true);
      expect(text, JSON.stringify(args).slice(0, 200)).toMatch(says);
      await answersNext();
    }
    for (const key of ['a\nb', 'a\r\nSET k evil\r\n', 'a\0b']) {
      expect((await call('key_get', { key })).data).toMatchObject({ exists: false });
      // It is a name like any other: that key is written, no other, and it goes again.
      expect((await call('key_set', { key, text: 'odd' })).data).toMatchObject({ written: true });
      expect((await call('key_get', { key })).data).toMatchObject({ value: 'odd' });
      expect((await call('key_delete', { keys: [key] })).data).toMatchObject({ deleted: 1 });
    }
    const deep = await call('graph_query', { query: 'RETURN reduce(a = [], x IN range(1, 5000) | [a]) AS a' });
    expect(deep.data, deep.text).toMatchObject({ truncated: true });
    expect(deep.text).toContain('left out: deeper than 32 levels');
    await answersNext();
    const large = await call('key_get', { key: 'large' });
    expect(large.data).toMatchObject({ length: LARGE_BYTES, truncated: true });
    expect(large.text.length).toBeLessThan(400_000);
    const many = await call('graph_query', { query: 'UNWIND range(1, 100000) AS i RETURN i', rows: 1_000 });
    expect(many.data).toMatchObject({ truncated: true });
    await thousandCalls(client);
    await answersNext();
    expect(await storeDigest(nexus, 'track')).toEqual(before);
    for (const secret of [await nexus.password('track'), nexus.root, '/dist/']) {
      for (const text of said) expect(text).not.toContain(secret);
    }
  });
}

/** Each is answered with its own, or told to come back. Of the graph `g` with three nodes, and the key `k`. */
export async function thousandCalls(client: Client): Promise<void> {
  // The client's own transport waits once for each message that its server has not read yet.
  const listenersMax = EventEmitter.defaultMaxListeners;
  EventEmitter.defaultMaxListeners = PARALLEL_CALLS + 10;
  try {
    const calls = Array.from({ length: PARALLEL_CALLS }, (_, i) =>
      i % 4 === 3
        ? callTool(client, 'key_get', { key: 'k' })
        : callTool(client, 'graph_query', {
            graph: 'g',
            query: 'MATCH (n:N) RETURN count(n), $i',
            parameters: { i },
          }),
    );
    let told = 0;
    for (const [i, called] of (await Promise.all(calls)).entries()) {
      if (called.isError && TOO_MANY.test(called.text)) told += 1;
      else if (i % 4 === 3) expect(called.data, called.text).toMatchObject({ value: 'v' });
      else expect(called.data?.['rows'], called.text).toEqual([[3, i]]);
    }
    expect(told).toBeLessThan(PARALLEL_CALLS / 2);
  } finally {
    EventEmitter.defaultMaxListeners = listenersMax;
  }
}

/** Deeper than any agent's values. */
function nested(): unknown {
  let deep: unknown = 1;
  for (let level = 0; level < 500; level += 1) deep = [deep];
  return deep;
}
