/** How each type of key is read a page at a time, so that neither a long key nor a long element is read whole into memory. */
import type { Reply, Send } from './key-commands.js';
import { bytes, list, pairs } from './key-commands.js';
import { ANSWER_BYTES_MAX, KEY_WHOLE_BYTES_MAX, VALUE_BYTES_MAX } from './limits.js';
import type { BytesShown } from './text.js';
import { shown, wholeCharacters } from './text.js';

export interface KeyRead {
  readonly key: Buffer;
  readonly type: string;
  readonly count: number;
  readonly cursor: string | undefined;
}

interface Field {
  readonly field: BytesShown;
  readonly value: BytesShown;
}

export interface KeyPage {
  readonly length: number;
  readonly offset?: number;
  readonly value?: BytesShown;
  readonly fields?: Field[];
  readonly elements?: BytesShown[];
  readonly members?: { readonly member: BytesShown; readonly score: number }[];
  readonly entries?: { readonly id: string; readonly fields: Field[] }[];
  readonly cut: string[];
  /** Where the next page begins. */
  readonly next: string | undefined;
}

/** Undefined for a type that is not read here. */
export async function readKey(send: Send, read: KeyRead): Promise<KeyPage | undefined> {
  switch (read.type) {
    case 'string':
      return readString(send, read);
    case 'hash':
      return readHash(send, read);
    case 'list':
      return readRange(send, read, 'LLEN', 'LRANGE');
    case 'zset':
      return readRange(send, read, 'ZCARD', 'ZRANGE');
    case 'set':
      return readSet(send, read);
    case 'stream':
      return readStream(send, read);
    default:
      return undefined;
  }
}

const STRING_PAGE_BYTES = ANSWER_BYTES_MAX / 2;

async function readString(send: Send, { key, cursor }: KeyRead): Promise<KeyPage> {
  const offset = Number(cursor ?? '0');
  const length = Number(await send('STRLEN', key));
  const end = offset + STRING_PAGE_BYTES;
  const part = bytes(await send('GETRANGE', key, String(offset), String(end - 1)));
  const text = end < length ? wholeCharacters(part) : part;
  const next = offset + text.length < length ? String(offset + text.length) : undefined;
  return { length, offset, value: shown(text, STRING_PAGE_BYTES), cut: [], next };
}

/** Names first, then lengths, then only such values as fit. */
async function readHash(send: Send, { key, count, cursor }: KeyRead): Promise<KeyPage> {
  const length = Number(await send('HLEN', key));
  const scanned = list(await send('HSCAN', key, cursor ?? '0', 'COUNT', String(count), 'NOVALUES'));
  const names = list(scanned[1]).map(bytes);
  const room = new Room();
  const fields: Field[] = [];
  const sizes = await Promise.all(names.map((name) => send('HSTRLEN', key, name)));
  for (const [at, name] of names.entries()) {
    const size = Number(sizes[at]);
    if (room.has(name.length + Math.min(size, VALUE_BYTES_MAX))) {
      const value = size > KEY_WHOLE_BYTES_MAX ? undefined : await send('HGET', key, name);
      if (value === undefined) room.left();
      fields.push({ field: shown(name), value: value === undefined ? { bytes: size } : room.show(bytes(value)) });
    } else {
      room.left();
      fields.push({ field: shown(name, VALUE_BYTES_MAX / 16), value: { bytes: size } });
    }
  }
  return { length, fields, cut: room.cut(), next: cursorAfter(scanned[0]) };
}

/** By position. Of a large key one at a time, until there is no room. */
async function readRange(send: Send, read: KeyRead, size: string, range: 'LRANGE' | 'ZRANGE'): Promise<KeyPage> {
  const { key, count } = read;
  const length = Number(await send(size, key));
  const step = await stepOf(send, key, count);
  const scores = range === 'ZRANGE';
  const from = Number(read.cursor ?? '0');
  const room = new Room();
  const elements: BytesShown[] = [];
  const members: { member: BytesShown; score: number }[] = [];
  let at = from;
  while (at < Math.min(length, from + count)) {
    const to = Math.min(at + step, from + count) - 1;
    const reply = await send(range, key, String(at), String(to), ...(scores ? ['WITHSCORES'] : []));
    const found = scores ? pairs(reply) : list(reply).map((one) => [bytes(one), undefined] as const);
    if (found.length === 0) break;
    let taken = 0;
    for (const [element, score] of found) {
      if (at + taken > from && !room.has(Math.min(element.length, VALUE_BYTES_MAX))) break;
      const value = room.show(element);
      if (score === undefined) elements.push(value);
      else members.push({ member: value, score: Number(score) });
      taken += 1;
    }
    at += taken;
    if (taken < found.length) break;
  }
  const next = at < length && at > from ? String(at) : undefined;
  return { length, ...(scores ? { members } : { elements }), cut: room.cut(), next };
}

async function readSet(send: Send, { key, count, cursor }: KeyRead): Promise<KeyPage> {
  const length = Number(await send('SCARD', key));
  const step = await stepOf(send, key, count);
  const scanned = list(await send('SSCAN', key, cursor ?? '0', 'COUNT', String(step)));
  const room = new Room();
  // A scan cannot go back to what did not fit, so each is shown at least by its beginning.
  const elements = list(scanned[1]).map((one) => room.show(bytes(one)));
  return { length, elements, cut: room.cut(), next: cursorAfter(scanned[0]) };
}

async function readStream(send: Send, { key, count, cursor }: KeyRead): Promise<KeyPage> {
  const length = Number(await send('XLEN', key));
  const step = await stepOf(send, key, count);
  const room = new Room();
  const entries: { id: string; fields: Field[] }[] = [];
  let after = cursor;
  let more = true;
  while (more && entries.length < count && room.has(1)) {
    const start = after === undefined ? '-' : `(${after}`;
    const found = list(await send('XRANGE', key, start, '+', 'COUNT', String(Math.min(step, count - entries.length))));
    more = found.length > 0;
    for (const entry of found) {
      const [id, fields] = list(entry);
      if (entries.length > 0 && !room.has(1)) break;
      after = bytes(id).toString();
      const shownFields = pairs(fields).map(([field, value]) => ({ field: room.show(field), value: room.show(value) }));
      entries.push({ id: after, fields: shownFields });
    }
  }
  return { length, entries, cut: room.cut(), next: more && entries.length > 0 ? after : undefined };
}

/** An element cannot be cut by the server, so a key that is large is read element by element. */
async function stepOf(send: Send, key: Buffer, count: number): Promise<number> {
  const used = Number(await send('MEMORY', 'USAGE', key));
  return used > KEY_WHOLE_BYTES_MAX ? 1 : count;
}

function cursorAfter(reply: Reply | undefined): string | undefined {
  const cursor = bytes(reply).toString();
  return cursor === '0' || cursor === '' ? undefined : cursor;
}

/** What still fits the answer, and what did not. */
class Room {
  #bytes = ANSWER_BYTES_MAX;
  #left = 0;

  has(size: number): boolean {
    return size <= this.#bytes;
  }

  show(value: Buffer): BytesShown {
    const max = this.#bytes > VALUE_BYTES_MAX ? VALUE_BYTES_MAX : VALUE_LEAST_BYTES;
    this.#bytes -= Math.min(value.length, max) + VALUE_LEAST_BYTES / 4;
    if (value.length > max) this.#left += 1;
    return shown(value, max);
  }

  left(): void {
    this.#left += 1;
  }

  cut(): string[] {
    if (this.#left === 0) return [];
    return [
      `${String(this.#left)} values are cut; \`bytes\` is their whole length. Ask for fewer at once (count) to see more of each`,
    ];
  }
}

/** Where there is no room left, so much of each is shown all the same. */
const VALUE_LEAST_BYTES = 32;
