/** A graph query on one connection: its rows as values, with the names that its numbers stand for. */
import { isReply } from './failures.js';
import type { Ask } from './graph-lanes.js';
import type { GraphNames, GraphReply } from './graph-reply.js';
import { namesThings, readGraphReply, ValueReader } from './graph-reply.js';

export interface GraphCommand {
  readonly command: 'GRAPH.RO_QUERY' | 'GRAPH.QUERY';
  readonly graph: string;
  /** With its parameters in front. */
  readonly text: string;
  readonly timeoutMs: number;
}

export interface GraphRows {
  readonly columns: readonly string[];
  /** Row by row as it is taken; what is shown of it is counted by `values.cut`. */
  readonly rows: readonly unknown[][];
  readonly statistics: readonly string[];
  readonly valuesCut: number;
}

/** Of a graph's rows no more than `rowsMax` are read as values. */
export async function graphRows(ask: Ask, command: GraphCommand, rowsMax: number): Promise<GraphRows> {
  const reply = await send(ask, command);
  const raw = reply.rows.slice(0, rowsMax);
  // From the same server: numbers of names differ between a vault and its operational.
  const names = namesThings(raw) ? await graphNames(ask, command) : NO_NAMES;
  const values = new ValueReader(names);
  const rows = raw.map((row) => values.row(row));
  return { columns: reply.columns, rows, statistics: reply.statistics, valuesCut: values.cut };
}

const NO_NAMES: GraphNames = { labels: [], relationshipTypes: [], propertyKeys: [] };

async function send(ask: Ask, { command, graph, text, timeoutMs }: GraphCommand): Promise<GraphReply> {
  try {
    return readGraphReply(await ask([command, graph, text, 'TIMEOUT', String(timeoutMs), '--compact']));
  } catch (error) {
    // The operator's own time-out is shorter, and holds without ours. Nothing was run yet.
    if (!isReply(error) || !/cannot exceed the TIMEOUT_MAX/.test(error.message)) throw error;
    return readGraphReply(await ask([command, graph, text, '--compact']));
  }
}

async function graphNames(ask: Ask, { graph, timeoutMs }: GraphCommand): Promise<GraphNames> {
  const column = async (procedure: string): Promise<string[]> => {
    const { rows } = await send(ask, { command: 'GRAPH.RO_QUERY', graph, text: `CALL ${procedure}()`, timeoutMs });
    return rows.map((row) => String(new ValueReader(NO_NAMES).row(row)[0]));
  };
  const [labels, relationshipTypes, propertyKeys] = await Promise.all(
    ['db.labels', 'db.relationshipTypes', 'db.propertyKeys'].map(column),
  );
  return { labels: labels ?? [], relationshipTypes: relationshipTypes ?? [], propertyKeys: propertyKeys ?? [] };
}
