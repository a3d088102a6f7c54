/** A stream: its entries, and what its consumer groups know. */
import { formOf, quoted, type Contents } from './contents.js';
import type { Answer, Wire } from './wire.js';
import { bytesOf, listOf, pairsOf, textOf } from './wire.js';

const ENTRIES_AT_ONCE = 2_000;
/** How Redis lays its tree out is not what it holds. */
const NOT_CONTENT = new Set(['radix-tree-keys', 'radix-tree-nodes', 'entries', 'groups']);

export async function readStream(wire: Wire, key: Buffer, path: string, into: Contents): Promise<void> {
  for (let from = '-', more = true; more;) {
    const entries = listOf(await wire.ask('XRANGE', key, from, '+', 'COUNT', ENTRIES_AT_ONCE));
    for (const entry of entries) {
      const [id, fields] = listOf(entry);
      const words = listOf(fields).map((word) => quoted(bytesOf(word)));
      into.set(`${path} entry ${textOf(id)}`, formOf(words.join(' ')));
      from = `(${textOf(id)}`;
    }
    more = entries.length === ENTRIES_AT_ONCE;
  }
  const full = fieldsOf(await wire.ask('XINFO', 'STREAM', key, 'FULL', 'COUNT', 0));
  for (const [name, value] of full) if (!NOT_CONTENT.has(name)) into.set(`${path} ${name}`, plain(value));
  for (const group of listOf(full.get('groups'))) await readGroup(wire, key, fieldsOf(group), path, into);
}

type Fields = ReadonlyMap<string, Answer>;

async function readGroup(wire: Wire, key: Buffer, group: Fields, path: string, into: Contents): Promise<void> {
  const name = bytesOf(group.get('name'));
  const where = `${path} group ${quoted(name)}`;
  for (const field of ['last-delivered-id', 'entries-read', 'lag', 'pel-count']) {
    into.set(`${where} ${field}`, plain(group.get(field)));
  }
  for (const pending of listOf(group.get('pending'))) {
    const [id, consumer, deliveredAt, times] = listOf(pending).map(plain);
    const told = `${String(consumer)}, delivered ${String(times)} times, last at ${String(deliveredAt)}`;
    into.set(`${where} pending ${String(id)}`, told);
  }
  for (const one of listOf(group.get('consumers')).map(fieldsOf)) {
    const consumer = `${where} consumer ${quoted(bytesOf(one.get('name')))}`;
    for (const field of ['seen-time', 'active-time', 'pel-count'])
      into.set(`${consumer} ${field}`, plain(one.get(field)));
    into.set(
      `${consumer} pending`,
      listOf(one.get('pending'))
        .map((entry) => listOf(entry).map(plain).join(' '))
        .join('; '),
    );
  }
  const [count, lowest, highest] = listOf(await wire.ask('XPENDING', key, name)).map((word) =>
    Array.isArray(word) ? '' : plain(word),
  );
  into.set(`${where} XPENDING`, `${String(count)} from ${String(lowest)} to ${String(highest)}`);
}

function fieldsOf(answer: Answer | undefined): Fields {
  return new Map(pairsOf(answer).map(([name, value]) => [textOf(name), value]));
}

function plain(answer: Answer | undefined): string {
  if (answer === null || answer === undefined) return 'none';
  return typeof answer === 'string' || Buffer.isBuffer(answer) ? textOf(answer) : listOf(answer).map(plain).join(' ');
}
