/** What a server holds, counted so that a vault and its operational can be compared. */
import type { DatabaseCounts, GraphCounts, KeyCounts } from './observation.js';
import type { Connection } from './connection.js';
import { parseInfo, readKeyspace } from './parse-info.js';
import { expectInteger, expectList, expectOk, expectText, isList, ReplyError, textOf } from './replies.js';

/** How long one count of a graph may take, in milliseconds. */
const GRAPH_COUNT_TIMEOUT_MS = 60_000;
/** How long a graph may take to say what it still enforces, in milliseconds: it counts nothing. */
const GRAPH_ENFORCES_TIMEOUT_MS = 5_000;
/** Of a graph that was deleted since it was listed. */
const GONE = 'ERR Invalid graph operation on empty key';
/** How many keys a server looks at in one step of a scan. */
const SCAN_STEP_KEYS = 5_000;
/** How many steps a scan may take: at the step's size, ten thousand million keys. */
const SCAN_STEPS_MAX = 2_000_000;
/** The graph module keeps these of its own accord, on each side its own. */
const TELEMETRY_PATTERN = 'telemetry{*}';

/** Keys of all databases, less the graph module's own `telemetry{…}` keys. @throws Nexus3Error */
export async function countKeys(connection: Connection): Promise<KeyCounts> {
  const databases = await countDatabases(connection);
  const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);
  return { keys: sum(databases.map(({ keys }) => keys)), expiring: sum(databases.map(({ expiring }) => expiring)) };
}

/** Those that hold any key, less the graph module's own `telemetry{…}` keys. @throws Nexus3Error */
export async function countDatabases(connection: Connection): Promise<readonly DatabaseCounts[]> {
  const counts: DatabaseCounts[] = [];
  for (const { db, keys, expires, fieldsExpire } of await keyspaceOf(connection)) {
    await select(connection, db);
    const data = keys - (await countTelemetry(connection));
    if (data > 0) counts.push({ db, keys: data, expiring: Math.min(data, expires + fieldsExpire) });
  }
  await select(connection, 0);
  return counts;
}

async function keyspaceOf(connection: Connection): Promise<ReturnType<typeof readKeyspace>> {
  const info = expectText(await connection.send(['INFO', 'keyspace']), 'INFO keyspace');
  return readKeyspace(parseInfo(info));
}

async function select(connection: Connection, db: number): Promise<void> {
  expectOk(await connection.send(['SELECT', String(db)]), 'SELECT');
}

async function countTelemetry(connection: Connection): Promise<number> {
  const found = new Set<string>();
  let cursor = '0';
  for (let step = 0; step < SCAN_STEPS_MAX; step += 1) {
    const command = ['SCAN', cursor, 'MATCH', TELEMETRY_PATTERN, 'COUNT', String(SCAN_STEP_KEYS), 'TYPE', 'stream'];
    const [next, keys] = expectList(await connection.send(command), 'SCAN');
    for (const key of expectList(keys, 'SCAN')) found.add(expectText(key, 'SCAN'));
    cursor = expectText(next, 'SCAN');
    if (cursor === '0') break;
  }
  return found.size;
}

const COUNTS = {
  nodes: 'MATCH (n) RETURN count(n)',
  edges: 'MATCH ()-[e]->() RETURN count(e)',
  labels: 'CALL db.labels() YIELD label RETURN count(label)',
  indexes: 'CALL db.indexes() YIELD label RETURN count(label)',
  // One that failed is only a note of the module's, on the server that tried; see `graphsEnforcing` of one that is pending.
  constraints: countConstraints('OPERATIONAL'),
} as const;

function countConstraints(status: 'OPERATIONAL' | 'UNDER CONSTRUCTION'): string {
  return `CALL db.constraints() YIELD status WITH status WHERE status = '${status}' RETURN count(status)`;
}

/**
 * Every graph, by name; one in a database other than 0 is named `db1/NAME`.
 * @throws Nexus3Error
 */
export async function countGraphs(connection: Connection): Promise<readonly GraphCounts[]> {
  const graphs = await ofEachGraph(connection, (key, name) => countGraph(connection, key, name));
  return graphs.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/**
 * Names of the graphs of which a constraint is still being enforced. It is not in force, and in no snapshot that is taken
 * meanwhile (measured, FalkorDB 4.16.3).
 * @throws Nexus3Error
 */
export async function graphsEnforcing(connection: Connection): Promise<readonly string[]> {
  const pending = countConstraints('UNDER CONSTRUCTION');
  return ofEachGraph(connection, async (key, name) => {
    const count = await countIn(connection, key, pending, GRAPH_ENFORCES_TIMEOUT_MS);
    return count === undefined || count === 0 ? undefined : name;
  });
}

/**
 * GRAPH.LIST names the graphs of all databases, so each database is asked which of them it has.
 * @param ask undefined: nothing to tell, as of one that is gone meanwhile
 */
async function ofEachGraph<T>(
  connection: Connection,
  ask: (key: string, name: string) => Promise<T | undefined>,
): Promise<T[]> {
  const list = await connection.send(['GRAPH.LIST']);
  if (list instanceof ReplyError && list.text.startsWith('ERR unknown command')) return [];
  const names = expectList(list, 'GRAPH.LIST').map((name) => expectText(name, 'GRAPH.LIST'));
  const answers: T[] = [];
  for (const { db } of names.length === 0 ? [] : await keyspaceOf(connection)) {
    await select(connection, db);
    const types = await connection.pipeline(names.map((name) => ['TYPE', name]));
    for (const name of names.filter((_, index) => textOf(types[index]) === 'graphdata')) {
      const answer = await ask(name, db === 0 ? name : `db${String(db)}/${name}`);
      if (answer !== undefined) answers.push(answer);
    }
  }
  await select(connection, 0);
  return answers;
}

/** Undefined: it is gone. */
async function countIn(
  connection: Connection,
  key: string,
  query: string,
  timeoutMs: number,
): Promise<number | undefined> {
  const reply = await connection.send(['GRAPH.RO_QUERY', key, query], { timeoutMs });
  if (reply instanceof ReplyError && reply.text.startsWith(GONE)) return undefined;
  // [header, rows, statistics]; one row of one number.
  const [row] = expectList(expectList(reply, 'GRAPH.RO_QUERY')[1], 'GRAPH.RO_QUERY');
  return expectInteger(isList(row) ? row[0] : undefined, 'GRAPH.RO_QUERY');
}

async function countGraph(connection: Connection, key: string, name: string): Promise<GraphCounts | undefined> {
  const count = (query: string): Promise<number | undefined> => countIn(connection, key, query, GRAPH_COUNT_TIMEOUT_MS);
  const [nodes, edges, labels, indexes, constraints] = await Promise.all([
    count(COUNTS.nodes),
    count(COUNTS.edges),
    count(COUNTS.labels),
    count(COUNTS.indexes),
    count(COUNTS.constraints),
  ]);
  if (
    nodes === undefined ||
    edges === undefined ||
    labels === undefined ||
    indexes === undefined ||
    constraints === undefined
  ) {
    return undefined;
  }
  return { name, nodes, edges, labels, indexes, constraints };
}
