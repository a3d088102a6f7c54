/** How an MCP server is reached: started by a host over stdin and stdout, or over HTTP. What its tools do is elsewhere. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PROCESS_HANDS } from '../support/break.js';
import { callTool } from '../support/call-tool.js';
import { ERAS } from '../support/mcp-link.js';
import { connected, HttpServerProcess, bearerToken, ServerProcess, TRANSPORTS } from '../support/mcp-client.js';
import { Nexus } from '../support/nexus.js';
import type { Message } from '../support/raw-mcp.js';
import { ask, INITIALIZE, JSON_HEADERS, RawLines } from '../support/raw-mcp.js';

const CONTROL = { args: ['mcp', 'control'] };

let nexus: Nexus;

beforeAll(async () => {
  nexus = await Nexus.make({ runtime: 'process', environments: { track: 'standard' } });
  const { code, err } = await nexus.run('up');
  expect(code, err).toBe(0);
});
afterAll(async () => {
  await nexus[Symbol.asyncDispose]();
});

describe.each(TRANSPORTS)('over %s', (transport) => {
  it.each(ERAS)('serves a real client of the %s protocol', async (era) => {
    await using session = await connected(nexus, { transport, era }, CONTROL);
    const { tools } = await session.client.listTools();
    expect(tools.map(({ name }) => name)).toContain('status');
    const { structuredContent, isError } = await session.client.callTool({ name: 'status', arguments: {} });
    expect(isError).not.toBe(true);
    expect(JSON.stringify(structuredContent)).toContain('track');
  });
});

describe('a server on stdin and stdout', () => {
  it.each(['stdin', 'SIGTERM', 'SIGINT'] as const)('ends well by %s', async (by) => {
    await using server = new ServerProcess(nexus, CONTROL);
    const talk = new RawLines(server);
    talk.send(INITIALIZE);
    await talk.answer('first');
    if (by === 'stdin') server.child.stdin.end();
    else server.child.kill(by);
    expect(await server.ended()).toBe(0);
    expect(server.err).toBe('');
  });

  it('names what it could serve where it was asked for something else', async () => {
    await using server = new ServerProcess(nexus, { args: ['mcp', 'serve', 'trakc'] });
    expect(await server.ended()).toBe(2);
    expect(server.err).toContain('known: track\n');
  });

  it('ends well before anything was said', async () => {
    await using server = new ServerProcess(nexus, CONTROL);
    server.child.stdin.end();
    expect(await server.ended()).toBe(0);
  });

  it('bears what is no message, and says nothing but the protocol', async () => {
    await using server = new ServerProcess(nexus, CONTROL);
    const talk = new RawLines(server);
    talk.raw('hello?\n\n\r\n{"jsonrpc":"2.0"\n[]\nnull\n42\n"text"\n{}\n\u0000\u0007\n');
    talk.send(INITIALIZE);
    await talk.answer('first');
    talk.send({ jsonrpc: '2.0', method: 'notifications/initialized' });
    talk.send({ jsonrpc: '2.0', id: 1, method: 'no/such', params: {} });
    talk.send({ jsonrpc: '2.0', id: { deep: true }, method: 'tools/list' });
    talk.send({ jsonrpc: '2.0', id: null, method: 'tools/list' });
    talk.send({ jsonrpc: '1.0', id: 2, method: 'tools/list' });
    talk.send({ jsonrpc: '2.0', id: 'not asked', result: {} });
    talk.send({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 'never heard of' } });
    talk.raw(`${'['.repeat(500_000)}${']'.repeat(500_000)}\n`);
    const deep = `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`;
    talk.raw(`{"jsonrpc":"2.0","id":"deep","method":"tools/call","params":{"name":"status","arguments":${deep}}}\n`);
    talk.raw(`{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"no_such_tool"}}\n`);
    talk.raw('\ufffd\n');
    talk.raw(Buffer.from([0xff, 0xfe, 0x0a]));
    talk.send({ jsonrpc: '2.0', id: 'last', method: 'tools/list' });
    expect((await talk.answer('last')).result).toHaveProperty('tools');
    expect((await talk.answer(1)).error?.code).toBe(-32_601);
    expect(JSON.stringify(await talk.answer(3))).toContain('no_such_tool');
    for (const message of talk.messages()) expect(message.jsonrpc).toBe('2.0');
    server.child.stdin.end();
    expect(await server.ended()).toBe(0);
  });

  it('passes over a line of 100 MB, and holds none of it', async () => {
    await using server = new ServerProcess(nexus, CONTROL);
    const talk = new RawLines(server);
    talk.send(INITIALIZE);
    await talk.answer('first');
    const block = Buffer.alloc(1024 * 1024, 'x');
    for (let written = 0; written < 100; written += 1) {
      if (!server.child.stdin.write(block)) await new Promise((resolve) => server.child.stdin.once('drain', resolve));
    }
    talk.raw('\n');
    talk.send({ jsonrpc: '2.0', id: 'after', method: 'tools/list' });
    expect((await talk.answer('after')).result).toHaveProperty('tools');
    expect(server.err).toMatch(/A line of 104857601 bytes was passed over/);
    expect(await peakBytes(server)).toBeLessThan(300 * 1024 * 1024);
  });

  it('ends when nobody reads it any more', async () => {
    await using server = new ServerProcess(nexus, CONTROL);
    const talk = new RawLines(server);
    talk.send(INITIALIZE);
    await talk.answer('first');
    server.child.stdout.destroy();
    talk.send({ jsonrpc: '2.0', id: 1, method: 'tools/list' });
    talk.send({ jsonrpc: '2.0', id: 2, method: 'tools/list' });
    expect(await server.ended()).toBe(0);
  });

  it('reads no more from a client that does not read, and still ends when it is told to', async () => {
    await using server = new ServerProcess(nexus, CONTROL);
    server.child.stdout.pause();
    server.child.stdin.write(`${JSON.stringify(INITIALIZE)}\n`);
    const question = `${JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' })}\n`.repeat(1_000);
    let blocked = false;
    // Every question is answered with many times its length: without a brake, all of it would lie in memory.
    for (let sent = 0; sent < 200 && !blocked; sent += 1) {
      if (server.child.stdin.write(question)) continue;
      blocked = await Promise.race([
        new Promise<false>((resolve) => server.child.stdin.once('drain', () => resolve(false))),
        new Promise<true>((resolve) => setTimeout(() => resolve(true), 3_000)),
      ]);
    }
    expect(blocked).toBe(true);
    expect(await peakBytes(server)).toBeLessThan(300 * 1024 * 1024);
    server.child.kill('SIGTERM');
    expect(await server.ended()).toBe(0);
  });
});

describe('a call over stdin and stdout', () => {
  const graph = 'both-ways';
  const key = 'both:ways';
  const query = 'MATCH (t:Task)-[r]->() RETURN t, r, t.title AS title, [1, {a: 1.5}], null, 9007199254740993';
  const data: readonly (readonly [tool: string, args: object])[] = [
    ['key_set', { key, text: 'värde\n"1"\u2028' }],
    ['environments', {}],
    ['graph_list', {}],
    ['graph_schema', { graph }],
    ['graph_query', { graph, query }],
    ['graph_query', { graph, query: 'UNWIND range(1, 900) AS i RETURN i, "text"', rows: 1_000 }],
    ['graph_query', { graph, query: 'MATCH (n:None) RETURN n' }],
    ['graph_explain', { graph, query }],
    ['key_get', { key }],
    ['key_get', { key: 'no such key' }],
    ['key_scan', { pattern: `${key}*` }],
  ];
  const failing: readonly (readonly [tool: string, args: object])[] = [
    ['key_set', { key }],
    ['graph_list', { environment: 'nowhere' }],
    ['graph_schema', { graph: 'no such graph' }],
    ['graph_query', { graph, query: 'CREATE (:Task)' }],
    ['graph_query', { graph, query: 'MATCH' }],
    ['graph_query', { cursor: 'none' }],
    ['graph_explain', { graph, query: 'MATCH' }],
    ['key_get', { key: '' }],
    ['key_scan', { environment: 'nowhere' }],
  ];

  /** Each call twice: plainly, which is answered directly, and by the SDK, which alone knows of progress. */
  async function compare(
    args: readonly string[],
    calls: readonly (readonly [tool: string, args: unknown])[],
    expected: { readonly direct: boolean; readonly fails: boolean },
  ): Promise<void> {
    await using server = new ServerProcess(nexus, { args });
    const talk = new RawLines(server);
    const raw = (id: string): string => talk.lines.find((line) => line.includes(`"id":"${id}"`)) ?? '';
    talk.send(INITIALIZE);
    await talk.answer('first');
    const answerOf = async (id: string, params: object): Promise<Message> => {
      talk.send({ jsonrpc: '2.0', id, method: 'tools/call', params });
      return talk.answer(id);
    };
    for (const [i, [name, given]] of calls.entries()) {
      const what = `${name} ${JSON.stringify(given)}`;
      const [direct, usual] = [`direct-${String(i)}`, `usual-${String(i)}`];
      const params = { name, arguments: given };
      if (i === 0) await answerOf('before', params);
      const one = await answerOf(direct, params);
      const other = await answerOf(usual, { ...params, _meta: { progressToken: i } });
      expect(timeless(one), what).toEqual(timeless({ ...other, id: direct }));
      const failed = one.error !== undefined || one.result?.['isError'] === true;
      expect(failed, `${what}: ${raw(direct).slice(0, 300)}`).toBe(expected.fails);
      // The SDK writes the members of a result in another order.
      const begins = (id: string): boolean => raw(id).startsWith(`{"jsonrpc":"2.0","id":"${id}","result":`);
      expect([begins(direct), begins(usual)], what).toEqual([expected.direct, false]);
    }
  }

  beforeAll(async () => {
    const made = 'CREATE (:Task {title: "first"})-[:BEFORE {by: 1}]->(:Task {title: "sec\\"ond"})';
    await nexus.admin('track', 'vault', 'GRAPH.QUERY', graph, made);
    await nexus.admin('track', 'vault', 'WAIT', '1', '20000');
  });

  const serve = ['mcp', 'serve', 'track', '--write'];

  it('has the same answer directly and by the SDK: what was found', async () => {
    await compare(serve, data, { direct: true, fails: false });
  });

  it('has the same answer directly and by the SDK: what went wrong', async () => {
    await compare(serve, failing, { direct: true, fails: true });
  });

  it('is refused by the SDK where it is not what the tool takes, or there is no such tool', async () => {
    // That one takes nothing, so nothing can be wrong with it.
    const names = new Set(data.map(([name]) => name).filter((name) => name !== 'environments'));
    const calls = [['no_such_tool', {}], ...[...names].map((name) => [name, { environment: 5 }] as const)] as const;
    await compare(serve, calls, { direct: false, fails: true });
  });

  it('has the same answer of the care server', async () => {
    const [found, failed] = [
      { direct: true, fails: false },
      { direct: true, fails: true },
    ];
    await compare(CONTROL.args, [['backup_list', {}]], found);
    await compare(CONTROL.args, [['check', { environments: ['nowhere'] }]], failed);
  });
});

describe('a server on stdin and stdout that cannot have its passwords', () => {
  const serve = { args: ['mcp', 'serve', 'track', '--write'] };
  const write = { graph: 'seen', query: 'CREATE (:Seen)' };
  const noKey = { NEXUS3_ROOT_KEY_FILE: 'no-such.key' };

  it.each(ERAS)('begins without a root key, and says where one belongs (%s)', async (era) => {
    for (const [options, name] of [
      [serve, 'graph_write'],
      [CONTROL, 'restore_preview'],
    ] as const) {
      await using session = await connected(nexus, { transport: 'stdio', era }, { ...options, env: noKey });
      expect((await session.client.listTools()).tools.map((tool) => tool.name)).toContain(name);
      const { isError, text } = await callTool(session.client, name, name === 'graph_write' ? write : {});
      expect(isError, text).toBe(true);
      expect(text).toMatch(/^ROOT_KEY_MISSING: [^]+\nNext: .*\$NEXUS3_ROOT_KEY_FILE/);
      expect(text).not.toMatch(/\n\s+at /);
    }
    await using care = await connected(nexus, { transport: 'stdio', era }, { ...CONTROL, env: noKey });
    const { data } = await callTool(care.client, 'check', {});
    expect(data).toMatchObject({ ok: false, lockerError: { code: 'ROOT_KEY_MISSING' } });
  });

  it('begins while Locker is down, says so, and goes on when it is back', async () => {
    await PROCESS_HANDS.stop(nexus, 'locker', 'vault');
    await using data = await connected(nexus, { transport: 'stdio', era: 'modern' }, serve);
    await using care = await connected(nexus, { transport: 'stdio', era: 'legacy' }, CONTROL);
    try {
      expect((await data.client.listTools()).tools.map(({ name }) => name)).toContain('graph_write');
      expect((await care.client.listTools()).tools.map(({ name }) => name)).toContain('check');
      // What needs no password goes on.
      expect(await callTool(data.client, 'graph_list', {})).toMatchObject({ isError: false });
      const written = await callTool(data.client, 'graph_write', write);
      expect(written.isError, written.text).toBe(true);
      expect(written.text).toMatch(/^LOCKER_UNREACHABLE: [^]+\nNext: .*nexus3 up locker/);
      const { data: found } = await callTool(care.client, 'check', {});
      expect(found).toMatchObject({
        ok: false,
        lockerError: { code: 'LOCKER_UNREACHABLE', hint: expect.stringContaining('nexus3 up locker') as string },
      });
    } finally {
      await PROCESS_HANDS.start(nexus, 'locker', 'vault');
    }
    const isWell = async (): Promise<boolean> => !(await callTool(data.client, 'graph_write', write)).isError;
    await expect.poll(isWell, { timeout: 20_000 }).toBe(true);
    expect((await callTool(care.client, 'check', {})).data).toMatchObject({ lockerError: null });
  });
});

describe('a data server over HTTP', () => {
  it('writes for whoever shows the token, and for nobody else, whatever else of a session is known', async () => {
    const args = ['mcp', 'serve', 'track', '--write'];
    await using server = await HttpServerProcess.start(nexus, { args });
    const old = await bearerToken(nexus);
    const token = await bearerToken(nexus, '--new');
    await expect.poll(() => status(server, old), { timeout: 5_000 }).toBe(401);
    const [own, authorization] = [`127.0.0.1:${String(server.port)}`, `Bearer ${token}`];
    const headers = { ...JSON_HEADERS, host: own, authorization };
    const begun = await ask(server.port, { headers, body: JSON.stringify(INITIALIZE) });
    const session = { ...headers, 'mcp-session-id': String(begun.headers['mcp-session-id']) };
    const { authorization: _, ...bare } = session;
    const write = async (given: Readonly<Record<string, string>>, key: string): Promise<number> => {
      const call = { name: 'key_set', arguments: { key, text: 'written' } };
      const body = JSON.stringify({ jsonrpc: '2.0', id: key, method: 'tools/call', params: call });
      const answer = await ask(server.port, { headers: given, body });
      if (answer.status !== 200) expect(answer.text).not.toMatch(/written|nexus3-|track/);
      return answer.status;
    };
    const attacks = {
      'no-token': bare,
      'old-token': { ...session, authorization: `Bearer ${old}` },
      'wrong-token': { ...session, authorization: `Bearer ${'x'.repeat(43)}` },
      'token-as-basic': { ...session, authorization: `Basic ${Buffer.from(`nexus3:${token}`).toString('base64')}` },
      'foreign-origin': { ...session, origin: 'https://evil.example' },
      'no-origin': { ...session, origin: 'null' },
      'foreign-host': { ...session, host: 'evil.example' },
    };
    for (const [name, given] of Object.entries(attacks)) {
      expect(await write(given, `by:${name}`), name).toBe(name.includes('token') ? 401 : 403);
      expect(await nexus.admin('track', 'vault', 'KEYS', 'by:*'), name).toEqual([]);
    }
    expect(await write(session, 'by:the-person')).toBe(200);
    expect(await write({ ...session, origin: `http://${own}` }, 'by:its-own-page')).toBe(200);
    const written = (await nexus.admin('track', 'vault', 'KEYS', 'by:*')) as readonly string[];
    expect(written.toSorted()).toEqual(['by:its-own-page', 'by:the-person']);
    for (const secret of [old, token]) expect(server.err).not.toContain(secret);
  });
});

describe('the token', () => {
  it('is made once, handed out under the eyes of the audit, and another one takes its place in a server that runs', async () => {
    await using server = await HttpServerProcess.start(nexus, CONTROL);
    const first = await bearerToken(nexus);
    expect(first).toMatch(/^[\w-]{43}$/);
    expect(await bearerToken(nexus)).toBe(first);
    expect(server.err + (await nexus.run('locker', 'show', 'mcp')).out).not.toContain(first);
    expect((await nexus.run('locker', 'audit')).out).toMatch(/reveal +mcp|reveal +l_[0-9a-f]{4}/);
    expect(await status(server, first)).toBe(200);
    const second = await bearerToken(nexus, '--new');
    expect(second).not.toBe(first);
    await expect.poll(() => status(server, second), { timeout: 5_000 }).toBe(200);
    await expect.poll(() => status(server, first), { timeout: 5_000 }).toBe(401);
    const { code, err } = await nexus.run('locker', 'delete', 'mcp', '--yes');
    expect(code, err).toBe(0);
    await expect.poll(() => status(server, second), { timeout: 5_000 }).toBe(401);
  });
});

/** Without the moment when it was said. */
function timeless(message: Message): unknown {
  return JSON.parse(JSON.stringify(message).replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'now'));
}

async function status(server: HttpServerProcess, token: string): Promise<number> {
  const response = await fetch(server.url, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
    },
    body: JSON.stringify(INITIALIZE),
  });
  await response.text();
  return response.status;
}

/** Of the process's memory, as the kernel counts it: at most so much was ever resident. */
async function peakBytes(server: ServerProcess): Promise<number> {
  const { readFile } = await import('node:fs/promises');
  const text = await readFile(`/proc/${String(server.child.pid)}/status`, 'utf8');
  return Number(/VmHWM:\s+(\d+) kB/.exec(text)?.[1]) * 1024;
}
