/** Keys of all types but graphs, field by field, by the commands that every client has. */
import { formOf, quoted, type Contents } from './contents.js';
import { readStream } from './read-stream.js';
import type { Answer, Wire } from './wire.js';
import { bytesOf, listOf, pairsOf, textOf } from './wire.js';

/** Asked for at once. */
const FIELDS_AT_ONCE = 1_000;
const NEVER = '-1';
const HLL_MAGIC = 'HYLL';

/** Everything about one key. Its path begins with its database, its type and its name. */
export async function readKey(wire: Wire, db: number, key: Buffer, into: Contents): Promise<void> {
  const type = textOf(await wire.ask('TYPE', key));
  const path = `db${String(db)} ${type} ${formOf(key)}`;
  const expiresAt = textOf(await wire.ask('PEXPIRETIME', key));
  if (expiresAt !== NEVER) into.set(`${path} expires at`, expiresAt);
  const read = READERS[type];
  if (read === undefined) throw new Error(`${path}: a type that is not known here`);
  await read(wire, key, path, into);
}

type Reader = (wire: Wire, key: Buffer, path: string, into: Contents) => Promise<void>;

const READERS: Readonly<Record<string, Reader>> = {
  async string(wire, key, path, into) {
    const value = bytesOf(await wire.ask('GET', key));
    into.set(path, formOf(value));
    if (value.subarray(0, HLL_MAGIC.length).toString('latin1') !== HLL_MAGIC) return;
    into.set(`${path} count`, textOf(await wire.ask('PFCOUNT', key)));
  },

  async list(wire, key, path, into) {
    const elements = listOf(await wire.ask('LRANGE', key, 0, -1));
    into.set(`${path} length`, String(elements.length));
    elements.forEach((element, index) => into.set(`${path} [${String(index)}]`, formOf(bytesOf(element))));
  },

  async set(wire, key, path, into) {
    const members = listOf(await wire.ask('SMEMBERS', key));
    into.set(`${path} size`, String(members.length));
    for (const member of members) into.set(`${path} member ${formOf(bytesOf(member))}`, 'is in it');
  },

  async hash(wire, key, path, into) {
    const fields = pairsOf(await wire.ask('HGETALL', key));
    into.set(`${path} size`, String(fields.length));
    for (const [field, value] of fields) into.set(`${path} field ${formOf(bytesOf(field))}`, formOf(bytesOf(value)));
    const names = fields.map(([field]) => bytesOf(field));
    for (let from = 0; from < names.length; from += FIELDS_AT_ONCE) {
      const some = names.slice(from, from + FIELDS_AT_ONCE);
      const times = listOf(await wire.ask('HPEXPIRETIME', key, 'FIELDS', some.length, ...some));
      some.forEach((field, index) => {
        const time = textOf(times[index]);
        if (time !== NEVER) into.set(`${path} field ${formOf(field)} expires at`, time);
      });
    }
  },

  async zset(wire, key, path, into) {
    const members = pairsOf(await wire.ask('ZRANGE', key, 0, -1, 'WITHSCORES'));
    into.set(`${path} size`, String(members.length));
    members.forEach(([member, score], rank) => {
      into.set(`${path} member ${formOf(bytesOf(member))}`, `${textOf(score)}, rank ${String(rank)}`);
    });
  },

  stream: readStream,
};

/** Libraries, their code and their functions. */
export async function readFunctions(wire: Wire, into: Contents): Promise<void> {
  for (const library of listOf(await wire.ask('FUNCTION', 'LIST', 'WITHCODE'))) {
    const fields = new Map(pairsOf(library).map(([name, value]) => [textOf(name), value]));
    const path = `function library ${quoted(bytesOf(fields.get('library_name')))}`;
    into.set(`${path} code`, formOf(bytesOf(fields.get('library_code'))));
    for (const one of listOf(fields.get('functions'))) {
      const told = new Map(pairsOf(one).map(([name, value]) => [textOf(name), value]));
      const flags = listOf(told.get('flags')).map(textOf).toSorted();
      const description = plain(told.get('description'));
      into.set(`${path} function ${quoted(bytesOf(told.get('name')))}`, `${description} ${flags.join(' ')}`);
    }
  }
  // The order of the libraries in it is each server's own.
  into.set('functions dumped', `${String(bytesOf(await wire.ask('FUNCTION', 'DUMP')).length)} bytes`);
}

function plain(answer: Answer | undefined): string {
  return answer === null || answer === undefined ? 'none' : formOf(textOf(answer));
}
