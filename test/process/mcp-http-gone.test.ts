/** Clients over HTTP that cancel a call, or go away in the middle of it: nothing works on for nobody, and no place stays taken. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Bearer } from '../../src/mcp/http/bearer.js';
import { serveOverHttp } from '../../src/mcp/http/http-server.js';
import { REQUESTS_AT_ONCE_MAX } from '../../src/mcp/http/limits.js';
import { toolServerFactory } from '../../src/mcp/tool-server.js';
import { tool } from '../../src/mcp/tool.js';
import { Secret } from '../../src/protocol/secret.js';
import { httpTransport } from '../support/mcp-client.js';
import type { Era } from '../support/mcp-link.js';
import { ERAS, mcpClient } from '../support/mcp-link.js';
import { freePortBlock } from '../support/nexus.js';

/** Far less than what an answer may take, or than a stream is kept alive for. */
const SOON_MS = 5_000;

const context = { waiting: 0, aborted: 0 };
type Counts = typeof context;

const nothing = z.object({});
const TOOLS = [
  tool<Counts>()({
    name: 'wait',
    title: 'Wait',
    description: 'Ends when it is told to.',
    input: nothing,
    output: nothing,
    effect: 'read',
    idempotent: true,
    run: async (_, counts, { signal }) => {
      counts.waiting += 1;
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
      counts.aborted += 1;
      return {};
    },
  }),
  tool<Counts>()({
    name: 'answer',
    title: 'Answer',
    description: 'Answers.',
    input: nothing,
    output: nothing,
    effect: 'read',
    idempotent: true,
    run: () => Promise.resolve({}),
  }),
];

const end = new AbortController();
const log: string[] = [];
let served: Promise<void>;
let url: string;

beforeAll(async () => {
  const source = { version: () => Promise.resolve('1'), read: () => Promise.resolve(new Secret('x'.repeat(43))) };
  const bearer = new Bearer({ source, onFailure: (error) => log.push(String(error)) });
  const port = await freePortBlock(1);
  const factory = toolServerFactory({ name: 'waits', version: '1', instructions: '', tools: TOOLS, context });
  await new Promise<void>((resolve, reject) => {
    served = serveOverHttp(factory, {
      port,
      bearer,
      signal: end.signal,
      log: (line) => log.push(line),
      onListening: (at) => {
        url = at;
        resolve();
      },
    });
    served.catch(reject);
  });
});
afterAll(async () => {
  end.abort();
  await served;
  expect(log).toEqual([]);
});

async function client(era: Era) {
  const made = mcpClient(era);
  await made.connect(httpTransport(url, 'x'.repeat(43)));
  return made;
}

const all = async (what: keyof Counts, count: number): Promise<void> =>
  expect.poll(() => context[what], { timeout: SOON_MS, interval: 5 }).toBe(count);

describe.each(ERAS)('a client of the %s protocol', (era) => {
  it('that goes away has its calls cancelled', async () => {
    Object.assign(context, { waiting: 0, aborted: 0 });
    for (let count = 1; count <= 3; count += 1) {
      const going = await client(era);
      const call = going.callTool({ name: 'wait', arguments: {} }).catch((error: unknown) => error);
      await all('waiting', count);
      await going.close();
      expect(await call).toBeInstanceOf(Error);
      await all('aborted', count);
    }
  });

  it('that cancels more calls than there are places is still answered, and so are others', async () => {
    Object.assign(context, { waiting: 0, aborted: 0 });
    const [one, other] = [await client(era), await client(era)];
    for (let count = 1; count <= REQUESTS_AT_ONCE_MAX + 6; count += 1) {
      const cancel = new AbortController();
      const call = one
        .callTool({ name: 'wait', arguments: {} }, { signal: cancel.signal })
        .catch((error: unknown) => error);
      await all('waiting', count);
      cancel.abort();
      expect(await call).toBeInstanceOf(Error);
      await all('aborted', count);
    }
    for (const asking of [one, other]) {
      expect(await asking.callTool({ name: 'answer', arguments: {} }, { timeout: SOON_MS })).toMatchObject({
        structuredContent: {},
      });
      await asking.close();
    }
  });
});
