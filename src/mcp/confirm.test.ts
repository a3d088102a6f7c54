/** What a person says, and what is done then: with a real client, in both protocol eras. */
import { ProtocolError } from '@modelcontextprotocol/client';
import type { CallToolResult, Client } from '@modelcontextprotocol/client';
import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Person } from '../../test/support/mcp-link.js';
import { ERAS, link, mcpClient, SAYS_YES } from '../../test/support/mcp-link.js';
import type { Question } from './tool.js';
import { tool } from './tool.js';
import { toolServerFactory } from './tool-server.js';

/** A cupboard from which something is taken away. */
class Cupboard {
  readonly taken: string[] = [];
  readonly agreed: (string | undefined)[] = [];
  /** What a yes is about. */
  content = 'full';
}

const take = tool<Cupboard>()({
  name: 'take',
  title: 'Take something away',
  description: 'Takes it away.',
  input: z.object({ what: z.string() }),
  output: z.object({ taken: z.array(z.string()) }),
  effect: 'destroy',
  idempotent: false,
  question: ({ what }, { content }): Promise<Question> =>
    Promise.resolve({ text: `Take ${what} away? The time is ${String(performance.now())}.`, about: content }),
  run: ({ what }, cupboard, { agreed }) => {
    cupboard.taken.push(what);
    cupboard.agreed.push(agreed);
    return Promise.resolve({ taken: [...cupboard.taken] });
  },
});

const look = tool<Cupboard>()({
  name: 'look',
  title: 'Look',
  description: 'Looks.',
  input: z.object({}),
  output: z.object({ taken: z.array(z.string()) }),
  effect: 'read',
  idempotent: true,
  run: (_, { taken }) => Promise.resolve({ taken: [...taken] }),
});

const open: Client[] = [];
afterEach(async () => {
  for (const client of open.splice(0)) await client.close();
});

const ANSWER_TIMEOUT_MS = 300;
const TOO_LONG_MS = 2_500;

async function served(cupboard: Cupboard, client: Client, answerTimeoutMs?: number): Promise<Client> {
  const factory = toolServerFactory({
    name: 'cupboard',
    version: '1.0.0',
    instructions: '',
    tools: [take, look],
    context: cupboard,
    ...(answerTimeoutMs === undefined ? {} : { answerTimeoutMs }),
  });
  open.push(client);
  return link(client, factory);
}

async function taking(client: Client, what = 'jam'): Promise<CallToolResult> {
  return client.callTool({ name: 'take', arguments: { what } });
}

function textOf(result: CallToolResult): string {
  return result.content.map((one) => (one.type === 'text' ? one.text : '')).join('\n');
}

describe.each(ERAS)('in the %s era', (era) => {
  it('a yes: it is done once, and was asked about', async () => {
    const cupboard = new Cupboard();
    const asked: string[] = [];
    const person: Person = async (question) => {
      asked.push(question);
      return SAYS_YES;
    };
    const client = await served(cupboard, mcpClient(era, person));
    expect((await taking(client)).structuredContent).toEqual({ taken: ['jam'] });
    expect(asked).toHaveLength(1);
    expect(asked[0]).toContain('Take jam away?');
    expect(cupboard.agreed).toEqual(['full']);
  });

  it.each<[string, Awaited<ReturnType<Person>>]>([
    ['no', { action: 'accept', content: { confirm: false } }],
    ['decline', { action: 'decline' }],
    ['cancel', { action: 'cancel' }],
    ['a yes without the field', { action: 'accept', content: {} }],
    ['text for a yes', { action: 'accept', content: { confirm: 'true' } }],
    ['a number for a yes', { action: 'accept', content: { confirm: 1 } }],
    ['nothing at all', { action: 'accept' }],
    ['a decline that says yes', { action: 'decline', content: { confirm: true } }],
  ])('%s: nothing is done', async (_, answer) => {
    const cupboard = new Cupboard();
    const client = await served(
      cupboard,
      mcpClient(era, async () => answer),
    );
    const result = await taking(client);
    expect(result.isError).toBe(true);
    expect(textOf(result)).toMatch(/^CONFIRMATION_NEEDED: .*nothing was done/);
    expect(cupboard.taken).toEqual([]);
    expect((await client.callTool({ name: 'look', arguments: {} })).isError).toBeUndefined();
  });

  it('a person who thinks too long: nothing is done, then or later', async () => {
    const cupboard = new Cupboard();
    let answer: (() => void) | undefined;
    const person: Person = () =>
      new Promise((resolve) => {
        answer = () => {
          resolve(SAYS_YES);
        };
        // What is sealed lapses after whole seconds, begun ones not counted.
        setTimeout(answer, TOO_LONG_MS);
      });
    const client = await served(cupboard, mcpClient(era, person), ANSWER_TIMEOUT_MS);

    const result = await taking(client).catch((error: unknown) => error);
    expect(result instanceof ProtocolError || (result as CallToolResult).isError === true).toBe(true);
    answer?.();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(cupboard.taken).toEqual([]);
  });

  it('a host that fails to ask: nothing is done', async () => {
    const cupboard = new Cupboard();
    const client = await served(
      cupboard,
      mcpClient(era, () => Promise.reject(new Error('no window'))),
    );
    const result = await taking(client).catch((error: unknown) => error);
    expect(result instanceof Error || (result as CallToolResult).isError === true).toBe(true);
    expect(cupboard.taken).toEqual([]);
  });

  it('what has changed while the person thought is not done; what only looks different is', async () => {
    const cupboard = new Cupboard();
    const client = await served(
      cupboard,
      mcpClient(era, async () => {
        cupboard.content = 'empty';
        return SAYS_YES;
      }),
    );
    const result = await taking(client);
    expect(textOf(result)).toMatch(/^PLAN_CHANGED: /);
    expect(cupboard.taken).toEqual([]);
    // It is empty already, and stays so.
    expect((await taking(client)).structuredContent).toEqual({ taken: ['jam'] });
  });

  it.each([
    ['cannot ask', {}],
    ['only opens pages', { elicitation: { url: {} } }],
  ])('a host that %s: it is done', async (_, capabilities) => {
    const cupboard = new Cupboard();
    const client = await served(cupboard, mcpClient(era, undefined, capabilities));
    expect((await taking(client)).structuredContent).toEqual({ taken: ['jam'] });
    expect(cupboard.agreed).toEqual(['full']);
  });

  it('a host that says no more than that it can ask is asked', async () => {
    const cupboard = new Cupboard();
    const client = await served(
      cupboard,
      mcpClient(era, async () => ({ action: 'decline' as const }), { elicitation: {} }),
    );
    expect((await taking(client)).isError).toBe(true);
    expect(cupboard.taken).toEqual([]);
  });
});

/** What a client sends that answers the questions by itself. */
describe('an answer that is brought along', () => {
  interface Round {
    readonly resultType?: string;
    readonly requestState?: string;
    readonly isError?: boolean;
    readonly content?: CallToolResult['content'];
  }

  async function byHand(cupboard: Cupboard): Promise<(what: string, more?: object) => Promise<Round>> {
    const client = await served(cupboard, mcpClient('modern', undefined, { elicitation: { form: {} } }));
    return async (what, more = {}) =>
      (await client.request(
        { method: 'tools/call', params: { name: 'take', arguments: { what }, ...more } },
        { allowInputRequired: true },
      )) as Round;
  }

  const YES = { inputResponses: { confirm: SAYS_YES } };

  it('counts once', async () => {
    const cupboard = new Cupboard();
    const call = await byHand(cupboard);
    const { requestState } = await call('jam');
    expect(requestState).toBeTypeOf('string');
    await call('jam', { ...YES, requestState });
    expect(cupboard.taken).toEqual(['jam']);
    const again = await call('jam', { ...YES, requestState });
    expect(again.isError).toBe(true);
    expect(cupboard.taken).toEqual(['jam']);
  });

  it('counts once, also of twenty at the same time', async () => {
    const cupboard = new Cupboard();
    const call = await byHand(cupboard);
    const { requestState } = await call('jam');
    await Promise.all(Array.from({ length: 20 }, () => call('jam', { ...YES, requestState })));
    expect(cupboard.taken).toEqual(['jam']);
  });

  it('is not for another call', async () => {
    const cupboard = new Cupboard();
    const call = await byHand(cupboard);
    const { requestState } = await call('jam');
    expect((await call('honey', { ...YES, requestState })).isError).toBe(true);
    expect(cupboard.taken).toEqual([]);
    // Nor is it any use for the first one now.
    expect((await call('jam', { ...YES, requestState })).isError).toBe(true);
    expect(cupboard.taken).toEqual([]);
  });

  it('without a question, is asked about', async () => {
    const cupboard = new Cupboard();
    const call = await byHand(cupboard);
    expect((await call('jam', YES)).requestState).toBeTypeOf('string');
    expect(cupboard.taken).toEqual([]);
  });

  it.each([
    ['changed', (state: string) => `${state.slice(0, -2)}AA`],
    ['made up', () => `v1.${Buffer.from('{"p":{"id":"x","asked":"y"},"exp":9999999999}').toString('base64url')}.AAAA`],
    ['empty', () => ''],
  ])('with a question that was %s, is refused', async (_, forge) => {
    const cupboard = new Cupboard();
    const call = await byHand(cupboard);
    const { requestState = '' } = await call('jam');
    const result = await call('jam', { ...YES, requestState: forge(requestState) }).catch((error: unknown) => error);
    expect(
      result instanceof ProtocolError || (result as Round).isError === true || 'requestState' in (result as Round),
    ).toBe(true);
    expect(cupboard.taken).toEqual([]);
  });

  it('with a question of another server, is refused', async () => {
    const [mine, other] = [new Cupboard(), new Cupboard()];
    const { requestState } = await (await byHand(other))('jam');
    const call = await byHand(mine);
    await expect(call('jam', { ...YES, requestState })).rejects.toThrow();
    expect(mine.taken).toEqual([]);
  });
});
