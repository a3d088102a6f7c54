/** `graph_query`: Cypher that reads, on the operational. */
import { z } from 'zod';
import { JsonList, jsonListField } from '../json-list.js';
import type { Tool } from '../tool.js';
import type { DataContext } from './context.js';
import { withParameters } from './cypher-parameters.js';
import {
  cutField,
  dataTool,
  environmentField,
  graphField,
  parametersField,
  saying,
  timeoutField,
  truncatedField,
  usage,
} from './fields.js';
import { graphRows } from './graph-read.js';
import type { HeldResult } from './held-results.js';
import { ANSWER_BYTES_MAX, PAGE_DEFAULT, PAGE_MAX, RESULT_BYTES_MAX, ROWS_MAX, RESULT_KEPT_MS } from './limits.js';
import { fitting, rowsText } from './rows-text.js';

const input = z.object({
  environment: environmentField,
  graph: graphField.optional(),
  query: z.string().optional().describe('Cypher that only reads. Hand values over in `parameters`.'),
  parameters: parametersField,
  rows: z.int().min(1).max(PAGE_MAX).default(PAGE_DEFAULT).describe('How many rows one answer may have.'),
  timeoutMs: timeoutField,
  cursor: z
    .string()
    .max(64)
    .optional()
    .describe('`nextCursor` of an answer, for the rows after it; then without `graph`, `query` and `parameters`.'),
});

const rowsField = jsonListField({ items: { type: 'array', items: {} }, isItem: Array.isArray }).describe(
  'Each row in the order of `columns`.',
);

export const rowsOutput = {
  environment: z.string(),
  graph: z.string(),
  columns: z.array(z.string()),
  rows: rowsField,
  truncated: truncatedField,
  cut: cutField,
};
const output = z.object({
  ...rowsOutput,
  nextCursor: z.string().optional().describe('For the rows that follow.'),
});

/** `write`: whether this server also writes, for what it says of a query that would. */
export const graphQuery = ({ write }: { readonly write: boolean }): Tool<DataContext> =>
  dataTool({
    name: 'graph_query',
    title: 'Ask a graph',
    description:
      `Runs a Cypher query that only reads, and gives back its rows. Nodes are {id, labels, properties}, relationships ` +
      `{id, type, source, target, properties}, paths {nodes, relationships}; whole numbers beyond 2^53 are strings. ` +
      `Longer results are cut to ${String(ROWS_MAX)} rows and come in pages: call it again with \`nextCursor\`. The pages are one result, as it ` +
      `was when the query ran, kept for ${String(RESULT_KEPT_MS / 60_000)} minutes. Look at graph_schema first. ` +
      `Queries that write and LOAD CSV are refused.`,
    input,
    output,
    effect: 'read',
    idempotent: true,
    text: rowsText,
    run: async (given, context, { signal }) => {
      if (given.cursor !== undefined) return nextPage(context, given.cursor, given.environment, given.rows);
      const { graph, query, parameters, timeoutMs } = given;
      if (graph === undefined || query === undefined) {
        throw usage('There is neither a query nor a cursor.', 'Give `graph` and `query`; or `cursor` alone.');
      }
      const { name } = context.environment(given.environment);
      return saying({ environment: name, effect: 'read', graph, write }, async () => {
        const text = withParameters(context.queries.limited(query), parameters);
        const opened = await context.opened(name);
        const command = { command: 'GRAPH.RO_QUERY' as const, graph, text, timeoutMs };
        const found = await opened.readGraph((ask) => graphRows(ask, command, ROWS_MAX + 1), { timeoutMs, signal });
        const { rows, cut } = kept(found.rows, found.valuesCut);
        const result = { environment: name, graph, columns: found.columns, rows, cut };
        return page(result, { from: 0, rowsMax: given.rows }, (from) => context.results.keep(result, from));
      });
    },
  });

function nextPage(context: DataContext, cursor: string, environment: string | undefined, rows: number) {
  const { id, from, result } = context.results.at(cursor);
  if (environment !== undefined && environment !== result.environment) {
    throw usage('That cursor is of another environment.', 'Leave `environment` out when there is a cursor.');
  }
  return page(result, { from, rowsMax: rows }, (next) => context.results.cursor(id, next));
}

/** Within the bounds of what is kept. */
function kept(all: readonly string[], valuesCut: number): Pick<HeldResult, 'rows' | 'cut'> {
  const rows = all.slice(0, Math.min(ROWS_MAX, fitting(all, RESULT_BYTES_MAX)));
  const cut: string[] = [];
  if (rows.length < all.length) {
    const here = `the result has more than the ${String(rows.length)} rows that are kept`;
    cut.push(`${here}: narrow it with WHERE or LIMIT, or ask on with ORDER BY … SKIP ${String(rows.length)}`);
  }
  if (valuesCut > 0) cut.push(cutValues(valuesCut));
  return { rows, cut };
}

export function cutValues(count: number): string {
  return `${String(count)} values are cut or left out in their places: return parts of them, such as substring(x, 0, 1000) or x[0..100]`;
}

interface Page {
  readonly from: number;
  readonly rowsMax: number;
}

function page(result: HeldResult, { from, rowsMax }: Page, cursorOf: (from: number) => string) {
  const some = result.rows.slice(from, from + rowsMax);
  const rows = some.slice(0, Math.max(1, fitting(some, ANSWER_BYTES_MAX)));
  const to = from + rows.length;
  const more = to < result.rows.length;
  return {
    environment: result.environment,
    graph: result.graph,
    columns: [...result.columns],
    rows: new JsonList(rows),
    truncated: more || result.cut.length > 0,
    cut: [...result.cut],
    ...(more ? { nextCursor: cursorOf(to) } : {}),
  };
}
