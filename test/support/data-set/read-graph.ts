/**
 * A graph, field by field: nodes and edges by id with labels and properties, indexes, constraints; and each index is
 * asked for something that is in it.
 */
import { quoted, shortened, type Contents } from './contents.js';
import { questionFor, Samples } from './graph-question.js';
import type { GraphValue } from './graph-value.js';
import { itemsOf, textOfValue, valueOf, valuesOf, wordOf } from './graph-value.js';
import type { Wire } from './wire.js';
import { listOf } from './wire.js';

/** Ids that are asked for at once. */
const IDS_AT_ONCE = 2_000;

const CONSTRAINTS = `CALL db.constraints() YIELD type, label, properties, entitytype, status
  RETURN type, label, properties, entitytype, status`;
const INDEXES = `CALL db.indexes() YIELD label, properties, types, options, language, stopwords, entitytype, status
  RETURN label, properties, types, options, language, stopwords, entitytype, status`;

type Row = readonly GraphValue[];

/** One graph, and where it is told of. */
interface Subject {
  readonly ask: (query: string) => Promise<readonly Row[]>;
  readonly path: string;
  readonly into: Contents;
  readonly samples: Samples;
}

export async function readGraph(wire: Wire, db: number, name: Buffer, into: Contents): Promise<void> {
  // Read-only, so that an operational can be asked, too.
  const ask = async (query: string): Promise<readonly Row[]> => {
    const reply = listOf(await wire.ask('GRAPH.RO_QUERY', name, query, '--compact'));
    return listOf(reply[1]).map((row) => listOf(row).map(valueOf));
  };
  const subject: Subject = { ask, path: `db${String(db)} graph ${quoted(name)}`, into, samples: new Samples() };
  const [[highest] = []] = await ask('MATCH (n) RETURN max(ID(n))');
  const last = highest === null ? -1 : Number(wordOf(highest));
  let [nodes, edges] = [0, 0];
  for (let from = 0; from <= last; from += IDS_AT_ONCE) {
    nodes += await readNodes(subject, from);
    edges += await readEdges(subject, from);
  }
  into.set(`${subject.path} nodes`, String(nodes));
  into.set(`${subject.path} edges`, String(edges));
  await readConstraints(subject);
  await readIndexes(subject);
}

async function readNodes({ ask, path, into, samples }: Subject, from: number): Promise<number> {
  const found = await ask(`MATCH (n) WHERE ${range('n', from)} RETURN ID(n), labels(n), properties(n)`);
  for (const [id, labels, properties] of found) {
    const where = `${path} node ${wordOf(id)}`;
    into.set(where, textOfValue(sorted(labels)));
    setProperties(where, properties, into);
    samples.take(Number(wordOf(id)), itemsOf(labels).map(wordOf), valuesOf(properties));
  }
  return found.length;
}

/** Of the nodes from this id on. */
async function readEdges({ ask, path, into, samples }: Subject, from: number): Promise<number> {
  const columns = 'ID(r), type(r), ID(a), ID(b), properties(r)';
  const found = await ask(`MATCH (a)-[r]->(b) WHERE ${range('a', from)} RETURN ${columns}`);
  for (const [id, type, a, b, properties] of found) {
    const where = `${path} edge ${wordOf(id)}`;
    into.set(where, `${textOfValue(type)} from ${wordOf(a)} to ${wordOf(b)}`);
    setProperties(where, properties, into);
    samples.take(Number(wordOf(id)), [wordOf(type)], valuesOf(properties));
  }
  return found.length;
}

function range(variable: string, from: number): string {
  return `ID(${variable}) >= ${String(from)} AND ID(${variable}) < ${String(from + IDS_AT_ONCE)}`;
}

function setProperties(where: string, properties: GraphValue | undefined, into: Contents): void {
  for (const [property, value] of valuesOf(properties)) {
    into.set(`${where} property ${quoted(property)}`, shortened(textOfValue(value)));
  }
}

async function readConstraints({ ask, path, into }: Subject): Promise<void> {
  for (const [type, label, properties, entity, status] of await ask(CONSTRAINTS)) {
    into.set(`${path} constraint ${[type, entity, label, properties].map(textOfValue).join(' ')}`, textOfValue(status));
  }
}

async function readIndexes({ ask, path, into, samples }: Subject): Promise<void> {
  for (const [label, properties, types, options, language, stopwords, entity, status] of await ask(INDEXES)) {
    const where = `${path} index of ${textOfValue(entity)} ${textOfValue(label)}`;
    into.set(where, [language, sorted(stopwords), status].map(textOfValue).join(' '));
    for (const property of itemsOf(properties).map(wordOf)) {
      const kinds = sorted(valuesOf(types).get(property));
      const settings = valuesOf(options).get(property);
      into.set(`${where} property ${quoted(property)}`, `${textOfValue(kinds)} ${textOfValue(settings)}`);
      for (const kind of itemsOf(kinds).map(wordOf)) {
        const sample = samples.of(wordOf(label), property);
        if (sample === undefined) continue;
        const question = { kind, isOfNodes: wordOf(entity) === 'NODE', label: wordOf(label), property, sample };
        const ids = (await ask(questionFor(question))).map(([id]) => wordOf(id)).toSorted();
        into.set(`${where} property ${quoted(property)} asked as ${kind}`, shortened(ids.join(', ')));
      }
    }
  }
}

/** The order of labels and of words is none of the graph's. */
function sorted(list: GraphValue | undefined): GraphValue {
  return itemsOf(list).toSorted((a, b) => (textOfValue(a) < textOfValue(b) ? -1 : 1));
}
