/**
 * Graphs with everything that FalkorDB keeps: labels and edges, all types of properties, range, full-text and vector
 * indexes of nodes and of edges, unique and mandatory constraints, ids that were deleted, and a function of its own.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Chance } from './chance.js';
import { listOf, textOf, type Answer, type Wire } from './wire.js';

/** In database 0, unless it is this one. */
export const GRAPH_IN_ANOTHER_DATABASE = { db: 1, name: 'graph:elsewhere' } as const;
const DIMENSION = 8;
const NODE_BYTES = 420;
const NODES_A_QUERY = 500;
const READY_POLL_MS = 20;
const READY_TIMEOUT_MS = 120_000;

const ALL_PROPERTIES = `{id: 1, whole: 9223372036854775807, less: -1, part: 0.1, large: 1.5e300, zero: -0.0, yes: true, no: false,
  text: 'Grüße, "世界"\\n\\'quoted\\'', empty: '', list: [1, 'two', 2.5, true, [3, ['four']]], place: point({latitude: 48.2, longitude: 16.37}),
  day: date('2026-01-08'), clock: localtime('12:30:01'), moment: localdatetime('2026-01-08T12:30:01'), span: duration('P1Y2M3DT4H5M6S'),
  vector: vecf32([1, -0.5, 0.25])}`;

const SMALL = [
  `CREATE (:Everything ${ALL_PROPERTIES})`,
  'CREATE (), (:Alone), (:One:Two:Three {name: "of three labels"})',
  'UNWIND range(1, 60) AS i CREATE (:Person {id: i, name: "person " + toString(i), born: date("1990-01-01")})',
  `MATCH (a:Person), (b:Person) WHERE b.id = a.id + 1 OR b.id = a.id * 2
     CREATE (a)-[:KNOWS {since: 1990 + a.id, how: "met in school", v: vecf32([a.id, b.id])}]->(b)`,
  // Two of one type between the same, one back, one to itself.
  'MATCH (a:Person {id: 1}), (b:Person {id: 2}) CREATE (a)-[:KNOWS {since: 1}]->(b), (b)-[:OWES {amount: 2.5}]->(a), (a)-[:IS]->(a)',
  'MATCH (p:Person) WHERE p.id IN [5, 6, 17, 30] DETACH DELETE p',
  'MATCH (:Person {id: 40})-[r:KNOWS]->() DELETE r',
  'MATCH (p:Person {id: 50}) SET p.name = NULL, p:Renamed, p.nick = "ü"',
  'CREATE (:Person {id: 1000, name: "takes the place of a deleted one"})',
] as const;

const INDEXES = [
  'CREATE INDEX FOR (p:Person) ON (p.id, p.name)',
  'CREATE INDEX FOR ()-[k:KNOWS]-() ON (k.since)',
  "CALL db.idx.fulltext.createNodeIndex({label: 'Person', language: 'german', stopwords: ['und', 'oder']}, {field: 'nick', weight: 2.0})",
  'CREATE FULLTEXT INDEX FOR (p:Person) ON (p.name)',
  'CREATE FULLTEXT INDEX FOR ()-[k:KNOWS]-() ON (k.how)',
  "CREATE VECTOR INDEX FOR (e:Everything) ON (e.vector) OPTIONS {dimension: 3, similarityFunction: 'euclidean'}",
  "CREATE VECTOR INDEX FOR ()-[k:KNOWS]->() ON (k.v) OPTIONS {dimension: 2, similarityFunction: 'cosine'}",
] as const;

const CONSTRAINTS = [
  ['UNIQUE', 'NODE', 'Person', 'id'],
  ['MANDATORY', 'NODE', 'Person', 'id'],
  ['MANDATORY', 'RELATIONSHIP', 'KNOWS', 'since'],
] as const;

const OF_MANY = [
  'CREATE INDEX FOR (i:Item) ON (i.id)',
  'CREATE FULLTEXT INDEX FOR (i:Item) ON (i.title)',
  `CREATE VECTOR INDEX FOR (i:Item) ON (i.embedding) OPTIONS {dimension: ${String(DIMENSION)}, similarityFunction: 'cosine'}`,
] as const;

export async function fillGraphs(wire: Wire, bytes: number, chance: Chance): Promise<void> {
  await wire.select(0);
  await smallGraph(wire, 'graph:small');
  await constrain(wire, 'graph:small');
  for (const query of ['CREATE (:Gone)', 'MATCH (g:Gone) DELETE g'])
    await wire.ask('GRAPH.QUERY', 'graph:empty', query);
  await wire.ask(
    'GRAPH.UDF',
    'LOAD',
    'REPLACE',
    'words',
    "falkor.register('loud', function (s) { return s.toUpperCase(); });",
  );
  await largeGraph(wire, 'graph:items', Math.ceil(bytes / NODE_BYTES), chance);
  await wire.select(GRAPH_IN_ANOTHER_DATABASE.db);
  await smallGraph(wire, GRAPH_IN_ANOTHER_DATABASE.name);
  await wire.select(0);
}

async function smallGraph(wire: Wire, name: string): Promise<void> {
  for (const query of [...INDEXES.slice(0, 2), ...SMALL, ...INDEXES.slice(2)])
    await wire.ask('GRAPH.QUERY', name, query);
  await isReady(wire, name);
}

/**
 * Not in another database: FalkorDB 4.16.3 writes a constraint into its stream of commands a second time, for database 0,
 * where it makes a graph that nobody asked for, on every replica and at every replay (measured).
 */
async function constrain(wire: Wire, name: string): Promise<void> {
  for (const [type, entity, label, property] of CONSTRAINTS) {
    await wire.ask('GRAPH.CONSTRAINT', 'CREATE', name, type, entity, label, 'PROPERTIES', 1, property);
  }
  await isReady(wire, name);
}

async function largeGraph(wire: Wire, name: string, nodes: number, chance: Chance): Promise<void> {
  for (const query of OF_MANY) await wire.ask('GRAPH.QUERY', name, query);
  for (let from = 0; from < nodes; from += NODES_A_QUERY) {
    const rows = Array.from({ length: Math.min(NODES_A_QUERY, nodes - from) }, (_, index) => {
      const vector = `[${chance.vector(DIMENSION).join(', ')}]`;
      return `{id: ${String(from + index)}, title: '${chance.sentence(24)}', code: '${chance.bytes(60).toString('base64')}', v: ${vector}}`;
    });
    const create = 'CREATE (i:Item {id: r.id, title: r.title, code: r.code, rank: r.id % 97, embedding: vecf32(r.v)})';
    await wire.ask('GRAPH.QUERY', name, `CYPHER rows=[${rows.join(', ')}] UNWIND $rows AS r ${create}`);
    const link = 'MATCH (a:Item), (b:Item) WHERE a.id = i AND b.id = i - 1 CREATE (a)-[:AFTER {weight: i % 13}]->(b)';
    const to = Math.min(from + NODES_A_QUERY, nodes) - 1;
    await wire.ask('GRAPH.QUERY', name, `UNWIND range(${String(Math.max(1, from))}, ${String(to)}) AS i ${link}`);
  }
  await wire.ask('GRAPH.QUERY', name, 'MATCH (i:Item) WHERE i.id % 50 = 3 DETACH DELETE i');
  await wire.ask('GRAPH.CONSTRAINT', 'CREATE', name, 'UNIQUE', 'NODE', 'Item', 'PROPERTIES', 1, 'id');
  await isReady(wire, name);
}

/** Indexes and constraints come into force by themselves, later. */
async function isReady(wire: Wire, name: string): Promise<void> {
  const deadline = Date.now() + READY_TIMEOUT_MS;
  for (;;) {
    const states = await Promise.all(
      ['indexes', 'constraints'].map(async (what): Promise<readonly Answer[]> => {
        const reply = await wire.ask('GRAPH.RO_QUERY', name, `CALL db.${what}() YIELD status RETURN status`);
        return listOf(listOf(reply)[1]);
      }),
    );
    const words = states.flat().map((row) => textOf(listOf(row)[0]));
    if (words.every((word) => word === 'OPERATIONAL')) return;
    if (Date.now() > deadline) throw new Error(`${name} is not ready: ${words.join(', ')}`);
    await sleep(READY_POLL_MS);
  }
}
