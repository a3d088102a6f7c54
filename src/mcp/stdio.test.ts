/** Both ways a call may go over stdio: directly, and through the SDK. They may differ in nothing but time. */
import { PassThrough } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Nexus3Error } from '../errors.js';
import { JsonList, jsonListField } from './json-list.js';
import { serveOverStdio } from './stdio.js';
import { toolServerFactory } from './tool-server.js';
import type { Tool } from './tool.js';
import { tool } from './tool.js';

interface Context {
  readonly signals: AbortSignal[];
  readonly ends: (() => void)[];
}

const common = { title: 'T', description: 'D', effect: 'read', idempotent: true } as const;
const nothing = z.object({});
const testTool = tool<Context>();

const TOOLS: readonly Tool<Context>[] = [
  testTool({
    ...common,
    name: 'rows',
    input: z.object({ count: z.int().min(0).default(1), left: z.string().optional() }),
    output: z.object({
      rows: jsonListField({ items: { type: 'array', items: {} }, isItem: Array.isArray }),
      more: z.string().optional(),
      after: z.boolean(),
    }),
    run: ({ count }) => {
      const items = Array.from({ length: count }, (_, i) => JSON.stringify([i, 'line\nbreak "ä" \u2028']));
      return Promise.resolve({ rows: new JsonList(items), more: undefined, after: true });
    },
  }),
  testTool({
    ...common,
    name: 'said',
    input: z.object({ text: z.string() }),
    output: z.object({ text: z.string() }),
    text: ({ text }) => `It says\n${text}`,
    run: ({ text }) => Promise.resolve({ text }),
  }),
  testTool({
    ...common,
    name: 'refuses',
    input: nothing,
    output: nothing,
    run: () => Promise.reject(new Nexus3Error('USAGE', 'No.', { evidence: ['so'], hint: 'Do not.' })),
  }),
  testTool({
    ...common,
    name: 'fails',
    input: nothing,
    output: nothing,
    run: () => {
      throw new Error('at once');
    },
  }),
  testTool({
    ...common,
    name: 'waits',
    input: nothing,
    output: nothing,
    run: async (_, { signals, ends }, { signal }) => {
      signals.push(signal);
      await new Promise<void>((resolve) => ends.push(resolve));
      return {};
    },
  }),
  testTool({
    ...common,
    name: 'asks',
    input: nothing,
    output: nothing,
    question: said,
    run: () => Promise.resolve({}),
  }),
];

function said(): Promise<string> {
  return Promise.resolve('Really?');
}

interface Message {
  readonly id?: unknown;
  readonly method?: unknown;
  readonly result?: unknown;
  readonly error?: unknown;
}

let stdin: PassThrough;
let lines: string[];
let logged: string[];
let context: Context;
let end: AbortController;
let served: Promise<void>;

beforeEach(() => {
  const stdout = new PassThrough();
  stdin = new PassThrough();
  [lines, logged] = [[], []];
  let rest = '';
  stdout.on('data', (chunk: Buffer) => {
    const parts = (rest + chunk.toString('utf8')).split('\n');
    rest = parts.pop() ?? '';
    lines.push(...parts);
  });
  context = { signals: [], ends: [] };
  end = new AbortController();
  const factory = toolServerFactory({ name: 'test', version: '1', instructions: '', tools: TOOLS, context });
  const streams = { stdin, stdout, signal: end.signal, log: (line: string) => logged.push(line) };
  served = serveOverStdio({ factory, tools: TOOLS, context }, streams);
});
afterEach(async () => {
  end.abort();
  await served;
});

const send = (message: object): void => {
  stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
};
const initialize = async (): Promise<void> => {
  const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'by hand', version: '1' } };
  send({ id: 'first', method: 'initialize', params });
  await answer('first');
  send({ method: 'notifications/initialized' });
};
const call = (id: unknown, name: string, args: object = {}, more: object = {}): void => {
  send({ id, method: 'tools/call', params: { name, arguments: args, ...more } });
};
const lineOf = (id: unknown): string | undefined => lines.find((line) => (JSON.parse(line) as Message).id === id);

async function answer(id: unknown): Promise<Message> {
  await expect.poll(() => lineOf(id), { interval: 2, timeout: 5_000 }).toBeDefined();
  return JSON.parse(lineOf(id) ?? '') as Message;
}

/** The SDK writes the members of a result in another order. */
const DIRECT = /^\{"jsonrpc":"2\.0","id":[^,]+,"result":/;
const wasDirect = (id: unknown): boolean => DIRECT.test(lineOf(id) ?? '');

describe('a call over stdio', () => {
  it.each<[name: string, args: object]>([
    ['rows', {}],
    ['rows', { count: 0 }],
    ['rows', { count: 300, left: 'x', unknown: 1 }],
    ['said', { text: 'a "b"\n\u0000 ä 😀 \ud800' }],
    ['refuses', {}],
    ['fails', {}],
  ])('is answered directly as by the SDK: %s %o', async (name, args) => {
    await initialize();
    call(1, name, args);
    call('sdk', name, args, { _meta: { progressToken: 'p' } });
    const [direct, usual] = [await answer(1), await answer('sdk')];
    expect([wasDirect(1), wasDirect('sdk')]).toEqual([true, false]);
    expect(direct).toEqual({ ...usual, id: 1 });
    expect(logged).toEqual([]);
  });

  it.each<[why: string, params: object]>([
    ['takes no such input', { name: 'said', arguments: { text: 1 } }],
    ['is of no tool', { name: 'none', arguments: {} }],
    ['is of what every object has', { name: 'constructor', arguments: {} }],
    ['asks a person', { name: 'asks', arguments: {} }],
    ['wants to hear of its progress', { name: 'rows', arguments: {}, _meta: { progressToken: 1 } }],
    ['brings something along', { name: 'rows', arguments: {}, requestState: 'x' }],
    ['is to be a task', { name: 'rows', arguments: {}, task: {} }],
    ['has a list of arguments', { name: 'rows', arguments: [] }],
    ['has null for arguments', { name: 'rows', arguments: null }],
    ['has no name', { arguments: {} }],
  ])('that %s is left to the SDK', async (_, params) => {
    await initialize();
    send({ id: 7, method: 'tools/call', params });
    await answer(7);
    expect(wasDirect(7)).toBe(false);
  });

  it('without arguments is plain', async () => {
    await initialize();
    send({ id: 7, method: 'tools/call', params: { name: 'rows' } });
    expect(await answer(7)).toMatchObject({ result: { structuredContent: { rows: [[0, expect.any(String)]] } } });
    expect(wasDirect(7)).toBe(true);
  });

  it('is answered before the client has begun, too, but not directly', async () => {
    for (const id of [1, 2]) {
      call(id, 'rows');
      await answer(id);
      expect(wasDirect(id)).toBe(false);
    }
    await initialize();
    call(3, 'rows');
    await answer(3);
    expect(wasDirect(3)).toBe(true);
  });

  it('of a client of 2026 is left to the SDK, with its envelope and without', async () => {
    const envelope = {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientInfo': { name: 'by hand', version: '1' },
      'io.modelcontextprotocol/clientCapabilities': {},
    };
    call(1, 'rows', {}, { _meta: envelope });
    expect(await answer(1)).toMatchObject({ result: { structuredContent: { after: true } } });
    send({ id: 2, method: 'initialize', params: {} });
    expect(await answer(2)).toHaveProperty('error');
    call(3, 'rows');
    expect(await answer(3)).toHaveProperty('error');
    expect([wasDirect(1), wasDirect(3)]).toEqual([false, false]);
  });

  it('that is none by the rules of JSON-RPC is refused as ever', async () => {
    await initialize();
    const params = { name: 'waits', arguments: {} };
    for (const id of [null, 1.5, {}, undefined]) send({ id, method: 'tools/call', params });
    send({ jsonrpc: '1.0', id: 8, method: 'tools/call', params });
    send({ id: 9, method: 'tools/call', params, extra: true });
    call('last', 'rows');
    await answer('last');
    expect(context.signals).toHaveLength(0);
  });
});

describe.each([
  ['directly', {}],
  ['by the SDK', { _meta: { progressToken: 'p' } }],
])('a call under way, answered %s', (way, more) => {
  const underWay = async (count: number): Promise<void> => {
    await expect.poll(() => context.signals.length, { interval: 2 }).toBe(count);
  };

  it('is aborted when it is cancelled, and never answered', async () => {
    await initialize();
    call(1, 'waits', {}, more);
    call('1', 'waits', {}, more);
    await underWay(2);
    send({ method: 'notifications/cancelled', params: { requestId: 1, reason: 'enough' } });
    await expect.poll(() => context.signals[0]?.aborted, { interval: 2 }).toBe(true);
    expect(context.signals[0]?.reason).toBe('enough');
    for (const go of context.ends) go();
    await answer('1');
    await pause(20);
    expect(lineOf(1)).toBeUndefined();
    expect(wasDirect('1')).toBe(way === 'directly');
    // Its id is free again, and what was raised for it is raised for no other call.
    call(1, 'rows', {}, more);
    await answer(1);
    expect(wasDirect(1)).toBe(way === 'directly');
    context.ends.length = 0;
    call(2, 'waits', {}, more);
    call(3, 'waits', {}, more);
    await underWay(4);
    expect(context.signals.slice(2).map(({ aborted }) => aborted)).toEqual([false, false]);
    expect(new Set(context.signals.slice(2)).size).toBe(2);
    for (const go of context.ends) go();
    await answer(2);
    await answer(3);
  });

  it('is not touched by what is no cancellation of it', async () => {
    await initialize();
    call(1, 'waits', {}, more);
    await underWay(1);
    send({ method: 'notifications/cancelled', params: { requestId: '1' } });
    send({ method: 'notifications/cancelled', params: {} });
    send({ method: 'notifications/cancelled' });
    send({ jsonrpc: '1.0', method: 'notifications/cancelled', params: { requestId: 1 } });
    send({ id: 5, method: 'ping' });
    await answer(5);
    for (const go of context.ends) go();
    await answer(1);
  });

  it('is aborted when the client goes away, and said to nobody', async () => {
    await initialize();
    call(1, 'waits', {}, more);
    await underWay(1);
    const before = lines.length;
    stdin.end();
    await served;
    expect(context.signals[0]?.aborted).toBe(true);
    for (const go of context.ends) go();
    await pause(20);
    expect(lines).toHaveLength(before);
  });
});

it('a second call of one id goes to the SDK, and both are answered', async () => {
  await initialize();
  call(1, 'waits');
  await expect.poll(() => context.signals.length, { interval: 2 }).toBe(1);
  call(1, 'rows');
  await answer(1);
  expect(wasDirect(1)).toBe(false);
  for (const go of context.ends) go();
  await expect.poll(() => lines.filter((line) => DIRECT.test(line)).length, { interval: 2 }).toBe(1);
});
