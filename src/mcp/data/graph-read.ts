/** A graph query on one connection: its rows as values, with the names that its numbers stand for. */
import { isReply } from './failures.js';
import type { Ask, Integers } from './graph-lanes.js';
import type { GraphNames, GraphReply } from './graph-reply.js';
import { namesThings, readGraphReply, ValueReader } from './graph-reply.js';
import { QUERY_TIMEOUT_MIN_MS } from './limits.js';

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

/**
 * Of a graph's rows no more than `rowsMax` are read as values. Integers as numbers are read several times as fast as those
 * that are exact, so a query that only reads is sent anew when it has shown that it needs the latter.
 */
export async function graphRows(ask: Ask, command: GraphCommand, rowsMax: number): Promise<GraphRows> {
  if (command.command === 'GRAPH.QUERY') return readRows(ask, command, { rowsMax, integers: 'exact' });
  const began = performance.now();
  const quick = await readRows(ask, command, { rowsMax, integers: 'quick' });
  if (!quick.inexact) return quick;
  const timeoutMs = Math.max(QUERY_TIMEOUT_MIN_MS, Math.round(command.timeoutMs - (performance.now() - began)));
  return readRows(ask, { ...command, timeoutMs }, { rowsMax, integers: 'exact' });
}

interface Reading {
  readonly rowsMax: number;
  readonly integers: Integers;
}

async function readRows(
  ask: Ask,
  command: GraphCommand,
  { rowsMax, integers }: Reading,
): Promise<GraphRows & { readonly inexact: boolean }> {
  const reply = await send(ask, command, integers);
  const raw = reply.rows.length > rowsMax ? reply.rows.slice(0, rowsMax) : reply.rows;
  // From the same server: numbers of names differ between a vault and its operational.
  const names = namesThings(raw) ? await graphNames(ask, command) : NO_NAMES;
  const values = new ValueReader(names);
  const rows = raw.map((row) => values.row(row));
  const { cut: valuesCut, inexact } = values;
  return { columns: reply.columns, rows, statistics: reply.statistics, valuesCut, inexact };
}

const NO_NAMES: GraphNames = { labels: [], relationshipTypes: [], propertyKeys: [] };

async function send(
  ask: Ask,
  { command, graph, text, timeoutMs }: GraphCommand,
  integers: Integers,
): Promise<GraphReply> {
  try {
    return readGraphReply(await ask([command, graph, text, 'TIMEOUT', String(timeoutMs), '--compact'], integers));
  } catch (error) {
    // The operator's own time-out is shorter, and holds without ours. Nothing was run yet.
    if (!isReply(error) || !/cannot exceed the TIMEOUT_MAX/.test(error.message)) throw error;
    return readGraphReply(await ask([command, graph, text, '--compact'], integers));
  }
}

async function graphNames(ask: Ask, { graph, timeoutMs }: GraphCommand): Promise<GraphNames> {
  const column = async (procedure: string): Promise<string[]> => {
    const command = { command: 'GRAPH.RO_QUERY' as const, graph, text: `CALL ${procedure}()`, timeoutMs };
    const { rows } = await send(ask, command, 'quick');
    return rows.map((row) => String(new ValueReader(NO_NAMES).row(row)[0]));
  };
  const [labels, relationshipTypes, propertyKeys] = await Promise.all(
    ['db.labels', 'db.relationshipTypes', 'db.propertyKeys'].map(column),
  );
  return { labels: labels ?? [], relationshipTypes: relationshipTypes ?? [], propertyKeys: propertyKeys ?? [] };
}
