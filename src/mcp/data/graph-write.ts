/** `graph_write`, `graph_explain`, `graph_delete`: on the vault. */
import { z } from 'zod';
import { Nexus3Error } from '../../errors.js';
import { RespCursor } from '../../resp-cursor.js';
import { JsonList } from '../json-list.js';
import { checkQuery, takesAway } from './cypher-guard.js';
import { withParameters } from './cypher-parameters.js';
import { dataTool, environmentField, graphField, parametersField, saying, timeoutField } from './fields.js';
import { cutValues, rowsOutput } from './graph-query.js';
import { graphRows } from './graph-read.js';
import { texts } from './graph-reply.js';
import { ANSWER_BYTES_MAX, PAGE_MAX, QUERY_TIMEOUT_DEFAULT_MS } from './limits.js';
import { fitting } from './rows-text.js';

const STATISTIC = /^(.+): (\d+(?:\.\d+)?)/;
/** Of a query, as much as a person reads. */
const QUESTION_CHARACTERS_MAX = 500;

export const graphWrite = dataTool({
  name: 'graph_write',
  title: 'Change a graph',
  description:
    'Runs a Cypher query that may write, whole or not at all, on the vault. Makes the graph when there is none of that name. Says what was ' +
    'changed in `changes`. Rows that the query returns beyond what one answer holds are left out, and cannot be had by a cursor: ' +
    'read with graph_query, which sees at once what was written here. The person is asked before DELETE, REMOVE or DROP. LOAD CSV is refused.',
  input: z.object({
    environment: environmentField,
    graph: graphField.describe('Name of the graph; it is made when it is not there.'),
    query: z.string().describe('Cypher. Hand values over in `parameters`.'),
    parameters: parametersField,
    timeoutMs: timeoutField,
  }),
  output: z.object({
    ...rowsOutput,
    changes: z.record(z.string(), z.number()).describe('Such as {"Nodes created": 1}; empty: nothing was changed.'),
  }),
  effect: 'destroy',
  idempotent: false,
  question: async ({ environment, graph, query }, context) => {
    if (!takesAway(checkQuery(query))) return undefined;
    const { name } = context.environment(environment);
    return `Run this on the graph ${quoted(graph)} of ${name}? It can take data away: ${query.slice(0, QUESTION_CHARACTERS_MAX)}`;
  },
  run: async ({ environment, graph, query, parameters, timeoutMs }, context, { signal }) => {
    const { name } = context.environment(environment);
    return saying({ environment: name, effect: 'write', graph, write: true }, async () => {
      const text = withParameters(checkQuery(query).text, parameters);
      const opened = await context.opened(name);
      const found = await opened.writeGraph(
        async (ask) => {
          if (!(await opened.endsWrites(ask, graph))) throw cannotEnd(name);
          return graphRows(ask, { command: 'GRAPH.QUERY', graph, text, timeoutMs }, PAGE_MAX + 1);
        },
        { timeoutMs, signal },
      );
      const rows = found.rows.slice(0, Math.min(PAGE_MAX, fitting(found.rows, ANSWER_BYTES_MAX)));
      const cut = found.valuesCut > 0 ? [cutValues(found.valuesCut)] : [];
      const left = rows.length < found.rows.length;
      if (left) cut.push(`only ${String(rows.length)} of the rows are shown: read the others with graph_query`);
      const truncated = cut.length > 0;
      const [columns, changes] = [[...found.columns], changesOf(found.statistics)];
      return { environment: name, graph, columns, rows: new JsonList(rows), truncated, cut, changes };
    });
  },
});

function changesOf(statistics: readonly string[]): Record<string, number> {
  const pairs = statistics.map((line) => STATISTIC.exec(line)).filter((match) => match !== null);
  return Object.fromEntries(
    pairs
      .map(([, what = '', count = '']) => [what, Number(count)] as const)
      .filter(([what]) => !/^(Cached execution|Query internal execution time)$/.test(what)),
  );
}

function cannotEnd(environment: string): Nexus3Error {
  const message = `The vault of ${environment} would not end a write that takes too long, and then answers nobody. So nothing was sent.`;
  return new Nexus3Error('SERVER_REFUSED', message, {
    hint: 'Tell the person: `nexus3 check --fix` renders its configuration anew, with a longest time for queries (settings: queryTimeoutMs).',
  });
}

export const graphExplain = dataTool({
  name: 'graph_explain',
  title: 'Explain a query',
  description:
    'How the engine would run a Cypher query, as lines of its plan, without running it: whether an index is used (Node By Index Scan) or all ' +
    'nodes of a label are looked at. Asks the vault, because the operational does not explain. Names of labels and properties in it may be noted by the engine; no data are changed.',
  input: z.object({
    environment: environmentField,
    graph: graphField,
    query: z.string().describe('Cypher, without EXPLAIN.'),
    parameters: parametersField,
  }),
  output: z.object({ environment: z.string(), graph: z.string(), plan: z.array(z.string()) }),
  effect: 'write',
  idempotent: true,
  run: async ({ environment, graph, query, parameters }, context, { signal }) => {
    const { name } = context.environment(environment);
    return saying({ environment: name, effect: 'read', graph, write: true }, async () => {
      const text = withParameters(checkQuery(query).text, parameters);
      const opened = await context.opened(name);
      const plan = await opened.writeGraph((ask) => ask(['GRAPH.EXPLAIN', graph, text]), {
        timeoutMs: QUERY_TIMEOUT_DEFAULT_MS,
        signal,
      });
      return { environment: name, graph, plan: texts(new RespCursor(plan)) };
    });
  },
});

export const graphDelete = dataTool({
  name: 'graph_delete',
  title: 'Delete a whole graph',
  description:
    'Deletes a graph with all that is in it. It cannot be had back other than from a backup. The person is asked first.',
  input: z.object({ environment: environmentField, graph: graphField }),
  output: z.object({ environment: z.string(), graph: z.string(), deleted: z.boolean() }),
  effect: 'destroy',
  idempotent: true,
  question: async ({ environment, graph }, context) => {
    const { name } = context.environment(environment);
    return `Delete the whole graph ${quoted(graph)} of ${name}, with all that is in it?`;
  },
  run: async ({ environment, graph }, context, { signal }) => {
    const { name } = context.environment(environment);
    return saying({ environment: name, effect: 'write', graph, write: true }, async () => {
      const opened = await context.opened(name);
      const run = { timeoutMs: QUERY_TIMEOUT_DEFAULT_MS, signal };
      await opened.writeGraph((ask) => ask(['GRAPH.DELETE', graph]), run);
      return { environment: name, graph, deleted: true };
    });
  },
});

/** So that a person sees where a name ends, whatever is in it. */
export function quoted(name: string): string {
  return JSON.stringify(name);
}
