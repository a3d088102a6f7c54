/** `nexus3 mcp serve`, as a client's configuration starts it. */
import type { Estate } from '../estate.js';
import { MAIN } from '../estate.js';
import type { ServerUnderTest } from './session.js';

const ROWS_MAX = 1_000;

export function ourServer(estate: Estate, env: string): ServerUnderTest {
  const all = Object.entries(estate.env).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return {
    title: '`nexus3 mcp serve`',
    command: process.execPath,
    args: [MAIN, '--config', estate.configFile, 'mcp', 'serve', env],
    env: Object.fromEntries(all),
    query: {
      tool: 'graph_query',
      // As many rows as one answer may have.
      input: (graph, query, parameters) => ({ graph, query, parameters, rows: ROWS_MAX }),
      rows: ({ structuredContent }) =>
        (structuredContent as { readonly rows?: readonly unknown[] } | undefined)?.rows?.length ?? 0,
    },
  };
}
