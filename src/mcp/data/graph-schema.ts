/** `graph_list` and `graph_schema`: which graphs there are, and what is in one. */
import { z } from 'zod';
import { Nexus3Error } from '../../errors.js';
import { cutField, dataTool, environmentField, graphField, saying, truncatedField } from './fields.js';
import type { Ask } from './graph-lanes.js';
import { graphRows, rowValues } from './graph-read.js';
import {
  GRAPHS_MAX,
  SCHEMA_NAMES_MAX,
  SCHEMA_SAMPLE_DEFAULT,
  SCHEMA_SAMPLE_MAX,
  SCHEMA_TIMEOUT_MS,
  PAGE_MAX,
} from './limits.js';

export const graphList = dataTool({
  name: 'graph_list',
  title: 'List graphs',
  description: 'Names of all graphs of an environment.',
  input: z.object({ environment: environmentField }),
  output: z.object({ environment: z.string(), graphs: z.array(z.string()), truncated: truncatedField }),
  effect: 'read',
  idempotent: true,
  run: async ({ environment }, context) => {
    const { name } = context.environment(environment);
    return saying({ environment: name, effect: 'read', write: false }, async () => {
      const graphs = (await (await context.client(name)).graphs()).toSorted();
      return { environment: name, graphs: graphs.slice(0, GRAPHS_MAX), truncated: graphs.length > GRAPHS_MAX };
    });
  },
});

const property = z.object({
  name: z.string(),
  types: z.array(z.string()).describe('Of the values seen in the sample.'),
  seen: z.int().describe('In how many of the sample.'),
});
const described = { count: z.int(), sampled: z.int(), properties: z.array(property) };
const index = z.object({
  on: z.string(),
  label: z.string(),
  properties: z.array(z.string()),
  kinds: z.unknown(),
  status: z.string(),
});
const constraint = z.object({
  kind: z.string(),
  on: z.string(),
  label: z.string(),
  properties: z.array(z.string()),
  status: z.string(),
});
const output = z.object({
  environment: z.string(),
  graph: z.string(),
  nodes: z.int(),
  relationships: z.int(),
  labels: z.array(z.object({ label: z.string(), ...described })),
  relationshipTypes: z.array(z.object({ type: z.string(), ...described })),
  indexes: z.array(index),
  constraints: z.array(constraint),
  truncated: truncatedField,
  cut: cutField,
});

export const graphSchema = dataTool({
  name: 'graph_schema',
  title: 'Describe a graph',
  description:
    'What is in a graph: labels and relationship types with how many there are, properties with the types of their values ' +
    '(from a sample, so rare ones may be missing), indexes and constraints. Call it before graph_query.',
  input: z.object({
    environment: environmentField,
    graph: graphField,
    sample: z
      .int()
      .min(1)
      .max(SCHEMA_SAMPLE_MAX)
      .default(SCHEMA_SAMPLE_DEFAULT)
      .describe('How many of each label and type are looked at for their properties.'),
  }),
  output,
  effect: 'read',
  idempotent: true,
  run: async ({ environment, graph, sample }, context, { signal }) => {
    const { name } = context.environment(environment);
    return saying({ environment: name, effect: 'read', graph, write: false }, async () => {
      const opened = await context.opened(name);
      await mustBe(graph, opened.client.graphs());
      const run = { timeoutMs: SCHEMA_TIMEOUT_MS, signal };
      const schema = await opened.readGraph((ask) => describeGraph(ask, graph, sample), run);
      return { environment: name, graph, ...schema };
    });
  },
});

/** @throws Nexus3Error GRAPH_UNKNOWN with the names that there are */
async function mustBe(graph: string, names: Promise<readonly string[]>): Promise<void> {
  const known = await names;
  if (known.includes(graph)) return;
  const few = known.toSorted().slice(0, 20);
  throw new Nexus3Error('GRAPH_UNKNOWN', 'There is no graph of that name.', {
    evidence:
      few.length === 0 ? ['there are none'] : [`there are: ${few.map((one) => JSON.stringify(one)).join(', ')}`],
    hint: few.length === 0 ? 'Nothing was written to it yet.' : 'Use one of these; graph_list has all of them.',
  });
}

async function describeGraph(ask: Ask, graph: string, sample: number): Promise<Described> {
  const rows = async (text: string): Promise<readonly unknown[][]> => {
    const command = { command: 'GRAPH.RO_QUERY' as const, graph, text, timeoutMs: SCHEMA_TIMEOUT_MS };
    return rowValues((await graphRows(ask, command, PAGE_MAX)).rows);
  };
  const count = async (text: string): Promise<number> => Number((await rows(text))[0]?.[0] ?? 0);
  const labels = strings(await rows('CALL db.labels()'));
  const types = strings(await rows('CALL db.relationshipTypes()'));
  const cut = [labels.length, types.length].some((length) => length > SCHEMA_NAMES_MAX)
    ? [
        `only ${String(SCHEMA_NAMES_MAX)} labels and types each are described; CALL db.labels() in graph_query lists all`,
      ]
    : [];
  const describe = async (pattern: string) => {
    const all = await count(`MATCH ${pattern} RETURN count(x)`);
    const seen = await rows(
      `MATCH ${pattern} WITH x LIMIT ${String(sample)} UNWIND keys(x) AS k RETURN k, typeOf(x[k]) AS t, count(*) AS c ORDER BY k, c DESC`,
    );
    return { count: all, sampled: Math.min(all, sample), properties: propertiesOf(seen) };
  };
  const described = { labels: [] as Described['labels'], relationshipTypes: [] as Described['relationshipTypes'] };
  for (const label of labels.slice(0, SCHEMA_NAMES_MAX)) {
    described.labels.push({ label, ...(await describe(`(x:${quotedName(label)})`)) });
  }
  for (const type of types.slice(0, SCHEMA_NAMES_MAX)) {
    described.relationshipTypes.push({ type, ...(await describe(`()-[x:${quotedName(type)}]->()`)) });
  }
  return {
    nodes: await count('MATCH (x) RETURN count(x)'),
    relationships: await count('MATCH ()-[x]->() RETURN count(x)'),
    ...described,
    indexes: (
      await rows(
        'CALL db.indexes() YIELD label, properties, types, entitytype, status RETURN entitytype, label, properties, types, status',
      )
    ).map(([on, label, properties, kinds, status]) => ({
      on: String(on),
      label: String(label),
      properties: asStrings(properties),
      kinds,
      status: String(status),
    })),
    constraints: (
      await rows(
        'CALL db.constraints() YIELD type, label, properties, entitytype, status RETURN type, entitytype, label, properties, status',
      )
    ).map(([kind, on, label, properties, status]) => ({
      kind: String(kind),
      on: String(on),
      label: String(label),
      properties: asStrings(properties),
      status: String(status),
    })),
    truncated: cut.length > 0,
    cut,
  };
}

type Described = Omit<z.output<typeof output>, 'environment' | 'graph'>;

function propertiesOf(rows: readonly unknown[][]): z.output<typeof property>[] {
  const found = new Map<string, { types: string[]; seen: number }>();
  for (const [name, type, count] of rows) {
    const one = found.get(String(name)) ?? { types: [], seen: 0 };
    one.types.push(String(type));
    one.seen += Number(count);
    found.set(String(name), one);
  }
  return [...found].map(([name, { types, seen }]) => ({ name, types, seen }));
}

function strings(rows: readonly unknown[][]): string[] {
  return rows.map(([first]) => String(first));
}

function asStrings(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

/** A quoted name has no escapes, and none holds a `. */
function quotedName(name: string): string {
  return `\`${name.replaceAll('`', '')}\``;
}
