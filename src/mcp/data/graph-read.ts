/** A graph query on one connection: its rows as JSON, with the names that its numbers stand for. */
import { isReply } from './failures.js';
import type { Ask } from './graph-lanes.js';
import type { GraphNames, GraphReply } from './graph-reply.js';
import { readGraphReply, texts, ValueReader } from './graph-reply.js';
import { RESULT_BYTES_MAX } from './limits.js';

export interface GraphCommand {
  readonly command: 'GRAPH.RO_QUERY' | 'GRAPH.QUERY';
  readonly graph: string;
  /** With its parameters in front. */
  readonly text: string;
  readonly timeoutMs: number;
}

export interface GraphRows {
  readonly columns: readonly string[];
  /** Each as JSON: a list in the order of `columns`. */
  readonly rows: readonly string[];
  readonly statistics: readonly string[];
  /** Of values that are not shown whole. */
  readonly valuesCut: number;
}

/** Of a graph's rows no more than `rowsMax` are read, nor more than `RESULT_BYTES_MAX` of them and the one beyond. */
export async function graphRows(ask: Ask, command: GraphCommand, rowsMax: number): Promise<GraphRows> {
  const reply = await send(ask, command);
  const rows = readRows(reply, { rowsMax }, NO_NAMES);
  if (!rows.lacksNames) return rows;
  // From the same server: numbers of names differ between a vault and its operational.
  return readRows(reply, { rowsMax }, await graphNames(ask, command));
}

interface Bounds {
  readonly rowsMax: number;
  readonly bytesMax?: number;
}

const NO_NAMES: GraphNames = { labels: [], relationshipTypes: [], propertyKeys: [] };

/** `lacksNames`: names that are not among these; the rest was not read then. */
function readRows(
  { columns, rowCount, cursor: first }: GraphReply,
  { rowsMax, bytesMax = RESULT_BYTES_MAX }: Bounds,
  names: GraphNames,
): GraphRows & { readonly lacksNames: boolean } {
  const cursor = first.copy();
  const values = new ValueReader(cursor, names);
  const count = Math.min(rowCount, rowsMax);
  const rows: string[] = [];
  let bytes = 0;
  while (rows.length < count && bytes <= bytesMax && !(values.lacksNames && names === NO_NAMES)) {
    const row = values.row();
    // Of UTF-8 there are at least as many.
    bytes += row.length;
    rows.push(row);
  }
  cursor.skip(rowCount - rows.length);
  return { columns, rows, statistics: texts(cursor), valuesCut: values.cut, lacksNames: values.lacksNames };
}

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
    const command = { command: 'GRAPH.RO_QUERY' as const, graph, text: `CALL ${procedure}()`, timeoutMs };
    const { rows } = readRows(await send(ask, command), { rowsMax: Infinity, bytesMax: Infinity }, NO_NAMES);
    return rowValues(rows).map(([name]) => String(name));
  };
  const asked = [column('db.labels'), column('db.relationshipTypes'), column('db.propertyKeys')] as const;
  // Also where one fails: nobody else is to ask over this connection while the others are under way.
  await Promise.allSettled(asked);
  const [labels, relationshipTypes, propertyKeys] = await Promise.all(asked);
  return { labels, relationshipTypes, propertyKeys };
}

/** Of rows as JSON. */
export function rowValues(rows: readonly string[]): unknown[][] {
  return rows.map((row) => JSON.parse(row) as unknown[]);
}
