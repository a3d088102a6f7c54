/** The whole server, as an MCP client sees it, against the real environment; in a graph of its own that is deleted at the end. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from 'nexus3/client';
import { connectOptions, ENVIRONMENT } from '../src/environment.js';
import type { Note } from '../src/note.js';
import { TOOLS } from '../src/tools/index.js';
import type { Started } from './client.js';
import { environmentOf, SERVER, startServer } from './client.js';

const GRAPH = `test-${randomUUID()}`;
const WAIT_TIMEOUT_MS = 20_000;
const WAIT_POLL_MS = 20;

describe('the server', () => {
  let server: Started;
  let other: Started;

  before(async () => {
    [server, other] = await Promise.all([startServer({ MCP_GRAPH: GRAPH }), startServer({ MCP_GRAPH: GRAPH })]);
  });
  after(async () => {
    await Promise.all([server.client.close(), other.client.close()]);
    await using environment = await connect(ENVIRONMENT, connectOptions());
    await environment.graph(GRAPH).delete();
  });

  it('says of each tool what it takes, gives and may do', async () => {
    const { tools } = await server.client.listTools();
    assert.deepEqual(
      tools.map(({ name }) => name),
      TOOLS.map(({ name }) => name),
    );
    for (const tool of tools) {
      assert.equal(typeof tool.outputSchema, 'object', tool.name);
      assert.equal(typeof tool.annotations?.readOnlyHint, 'boolean', tool.name);
    }
  });

  it('finds nothing where nothing was written yet', async () => {
    assert.deepEqual(await server.call('note_find'), { notes: [] });
  });

  it('finds what it has just written, by words and by topic', async () => {
    for (let round = 0; round < 20; round += 1) {
      const topic = `round ${String(round)}`;
      const note = await server.call('note_add', {
        title: `Größe of "it" ${String(round)}`,
        text: 'a\nb',
        topics: [topic],
      });
      assert.deepEqual(await server.call('note_find', { topic }), { notes: [note] });
    }
    const { notes } = (await server.call('note_find', { words: 'GROSS of 7' })) as { notes: Note[] };
    assert.deepEqual(
      notes.map(({ title }) => title),
      ['Größe of "it" 7'],
    );
  });

  it('serves two agents at once: what one writes, the other one finds', async () => {
    const agents = [server, other];
    await Promise.all(
      agents.flatMap((agent) =>
        Array.from({ length: 10 }, (_, index) =>
          agent.call('note_add', { title: `shared ${String(index)}`, topics: ['shared'] }),
        ),
      ),
    );
    const shared = async (agent: Started): Promise<number> => {
      const { notes } = (await agent.call('note_find', { topic: 'shared', limit: 50 })) as { notes: Note[] };
      return notes.length;
    };
    // An agent sees what it wrote at once; what another one wrote, when it has reached the operational.
    for (const agent of agents) await until(async () => (await shared(agent)) === 20);
  });

  it('gives long lists a page at a time, each note once', async () => {
    const seen: string[] = [];
    let cursor: unknown;
    do {
      const page = await server.call('note_find', { limit: 7, ...(cursor === undefined ? {} : { cursor }) });
      seen.push(...(page['notes'] as Note[]).map(({ id }) => id));
      cursor = page['nextCursor'];
    } while (cursor !== undefined);
    assert.equal(seen.length, 40);
    assert.equal(new Set(seen).size, 40);
  });

  it('removes a note for good, and says so when there is none', async () => {
    const { id } = await server.call('note_add', { title: 'to go', topics: ['going'] });
    assert.deepEqual(await server.call('note_remove', { id }), { removed: true });
    assert.deepEqual(await server.call('note_find', { topic: 'going' }), { notes: [] });
    assert.deepEqual(await server.call('note_remove', { id }), { removed: false });
  });

  it('says what is wrong with what it is given, and keeps values apart from queries', async () => {
    assert.match(await server.refusal('note_add', { title: '' }), /title/);
    assert.match(await server.refusal('note_add', { title: 'a\u0000b' }), /NUL/);
    assert.match(await server.refusal('note_find', { cursor: 'no' }), /Next: Leave `cursor` out/);
    const title = `"}) MATCH (n) DETACH DELETE n // \\" ' \``;
    const note = await server.call('note_add', { title, topics: [title.slice(0, 20)] });
    assert.deepEqual(await server.call('note_find', { topic: title.slice(0, 20) }), { notes: [note] });
    for (const words of ['"', '(', '@title:x', '-', '*', '|']) await server.call('note_find', { words });
  });

  it('says what to do when its environment cannot be had, and goes on serving', async () => {
    await using lost = await startServer({ NEXUS3_CONFIG: '/nowhere/nexus3.yaml', NEXUS3_TOKEN_FILE: '' });
    assert.match(await lost.refusal('note_find'), /CONFIG_NOT_FOUND[^]*Next: /);
    assert.match(await lost.refusal('note_find'), /CONFIG_NOT_FOUND/);
  });

  it('ends by itself when its client goes away', async () => {
    const env = environmentOf({ MCP_GRAPH: GRAPH });
    const child = spawn(process.execPath, [SERVER], { env, stdio: ['pipe', 'pipe', 'ignore'] });
    const send = (message: object): boolean => child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
    const clientInfo = { name: 'test', version: '0.1.0' };
    send({ id: 1, method: 'initialize', params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo } });
    send({ method: 'notifications/initialized' });
    send({ id: 2, method: 'tools/call', params: { name: 'note_find', arguments: {} } });
    const exit = once(child, 'exit', { signal: AbortSignal.timeout(WAIT_TIMEOUT_MS) });
    try {
      for await (const line of createInterface({ input: child.stdout })) {
        if ((JSON.parse(line) as { id?: number }).id === 2) break;
      }
      child.stdin.end();
      assert.deepEqual(await exit, [0, null]);
    } finally {
      child.kill('SIGKILL');
    }
  });
});

async function until(isSo: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + WAIT_TIMEOUT_MS;
  while (!(await isSo())) {
    assert.ok(Date.now() < deadline, 'it did not come to that in time');
    await sleep(WAIT_POLL_MS);
  }
}
