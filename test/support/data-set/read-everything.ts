/**
 * Everything that a server holds, read by the commands that every client has, and not by any code of src/: databases,
 * keys, functions, graphs. For two servers that must hold the same.
 */
import { type Contents } from './contents.js';
import { readGraph } from './read-graph.js';
import { readFunctions, readKey } from './read-keys.js';
import type { Door } from './wire.js';
import { bytesOf, listOf, textOf, Wire } from './wire.js';

const SCAN_STEP_KEYS = 1_000;
/** Keys that are asked for side by side. */
const KEYS_AT_ONCE = 250;
/**
 * What a server has besides its data: the graph module keeps telemetry of its own accord, on each side its own; nexus3's
 * write/read test leaves a key that expires.
 */
const NOT_DATA = /^(telemetry\{|nexus3:probe:)/;
const GRAPH_TYPE = 'graphdata';

export interface Reading {
  /** Paths that are left out, for what may rightly differ. */
  readonly without?: RegExp;
}

export async function readEverything(door: Door, { without }: Reading = {}): Promise<Contents> {
  const contents: Contents = new Map();
  await using wire = await Wire.open(door);
  const keyspace = textOf(await wire.ask('INFO', 'keyspace'));
  for (const [, digits] of keyspace.matchAll(/^db(\d+):/gm)) await readDatabase(wire, Number(digits), contents);
  await readFunctions(wire, contents);
  contents.set('graph functions', JSON.stringify(plain(await wire.ask('GRAPH.UDF', 'LIST'))));
  if (without !== undefined) for (const path of [...contents.keys()]) if (without.test(path)) contents.delete(path);
  return contents;
}

async function readDatabase(wire: Wire, db: number, contents: Contents): Promise<void> {
  await wire.select(db);
  const keys = await keysOf(wire);
  for (let from = 0; from < keys.length; from += KEYS_AT_ONCE) {
    await Promise.all(keys.slice(from, from + KEYS_AT_ONCE).map((key) => readOne(wire, db, key, contents)));
  }
  contents.set(`db${String(db)} keys`, String(keys.length));
}

async function readOne(wire: Wire, db: number, key: Buffer, contents: Contents): Promise<void> {
  const isGraph = textOf(await wire.ask('TYPE', key)) === GRAPH_TYPE;
  await (isGraph ? readGraph(wire, db, key, contents) : readKey(wire, db, key, contents));
}

/** A scan may name one twice. */
async function keysOf(wire: Wire): Promise<readonly Buffer[]> {
  const found = new Map<string, Buffer>();
  let cursor = '0';
  do {
    const [next, keys] = listOf(await wire.ask('SCAN', cursor, 'COUNT', SCAN_STEP_KEYS));
    for (const key of listOf(keys).map(bytesOf)) found.set(key.toString('latin1'), key);
    cursor = textOf(next);
  } while (cursor !== '0');
  return [...found].filter(([name]) => !NOT_DATA.test(name)).map(([, key]) => key);
}

function plain(answer: unknown): unknown {
  if (Buffer.isBuffer(answer)) return answer.toString('utf8');
  return Array.isArray(answer) ? answer.map(plain) : answer;
}
