/** Once through every tool of the data server, over whichever transport and on whichever runtime. */
import { expect, it } from 'vitest';
import { callTool } from './call-tool.js';
import type { TransportName } from './mcp-client.js';
import { connected } from './mcp-client.js';
import type { Era } from './mcp-link.js';
import type { Nexus } from './nexus.js';

/** @param nexus with `track`, which is standard and up */
export function dataTour(nexus: () => Nexus, how: { readonly transport: TransportName; readonly era: Era }): void {
  it('gives every tool, and sees at once what it has written', async () => {
    const asked: string[] = [];
    const person = (question: string) => {
      asked.push(question);
      return Promise.resolve({ action: 'accept' as const, content: { confirm: true } });
    };
    const args = ['mcp', 'serve', 'track', '--write'];
    await using session = await connected(nexus(), { ...how, person }, { args });
    const graph = `tour-${how.transport}-${how.era}`;
    const key = `tour:${how.transport}:${how.era}`;
    const calls: readonly (readonly [tool: string, args: object, sees: string])[] = [
      ['environments', {}, 'track'],
      ['graph_write', { graph, query: 'CREATE (:Task {title: $t})', parameters: { t: 'first' } }, ''],
      ['graph_query', { graph, query: 'MATCH (t:Task) RETURN t.title AS title' }, 'first'],
      ['graph_explain', { graph, query: 'MATCH (t:Task) RETURN t' }, 'Task'],
      ['graph_list', {}, graph],
      ['graph_schema', { graph }, 'Task'],
      ['key_set', { key, text: 'value' }, ''],
      ['key_get', { key }, 'value'],
      ['key_scan', { pattern: `${key}*` }, key],
      ['key_delete', { keys: [key] }, ''],
      ['graph_delete', { graph }, ''],
    ];
    const { tools } = await session.client.listTools();
    expect(tools.map(({ name }) => name).toSorted()).toEqual(calls.map(([name]) => name).toSorted());
    for (const [name, given, sees] of calls) {
      const called = await callTool(session.client, name, given);
      expect(called.isError, `${name}: ${called.text}`).toBe(false);
      expect(called.text, name).toContain(sees);
    }
    expect(asked).toEqual([expect.stringContaining(key), expect.stringContaining(graph)]);
    expect((await callTool(session.client, 'key_get', { key })).data).toMatchObject({ exists: false });
    expect((await callTool(session.client, 'graph_list', {})).text).not.toContain(graph);
  });
}
