/**
 * The compact replies of GRAPH.QUERY and GRAPH.RO_QUERY as JSON text, read in place: exact (whole numbers that JSON cannot
 * carry become strings), and bounded in depth and in bytes. Pure. Types as in FalkorDB's resultset_formatter.h; their shapes
 * are measured on 4.16.3.
 */
import { ReplyUnreadable, RespCursor } from '../../resp-cursor.js';
import { ROW_BYTES_MAX, VALUE_BYTES_MAX, VALUE_COST_BYTES, VALUE_DEPTH_MAX } from './limits.js';
import { cutText } from './text.js';

export interface GraphNames {
  readonly labels: readonly string[];
  readonly relationshipTypes: readonly string[];
  readonly propertyKeys: readonly string[];
}

/** A reply as far as its first row. */
export interface GraphReply {
  readonly columns: readonly string[];
  readonly rowCount: number;
  /** At the first row; the statistics are behind the last one. */
  readonly cursor: RespCursor;
}

/** @throws ReplyUnreadable */
export function readGraphReply(bytes: Buffer): GraphReply {
  const cursor = new RespCursor(bytes);
  // What returns nothing has statistics alone.
  if (cursor.list() < PARTS_WITH_ROWS) return { columns: [], rowCount: 0, cursor };
  const columns: string[] = [];
  for (let left = cursor.list(); left > 0; left -= 1) {
    const fields = cursor.list();
    cursor.skip();
    columns.push(cursor.text());
    cursor.skip(fields - 2);
  }
  return { columns, rowCount: cursor.list(), cursor };
}

/** Columns, rows, statistics. */
const PARTS_WITH_ROWS = 3;

/** A list of texts. */
export function texts(cursor: RespCursor): string[] {
  const found: string[] = [];
  for (let left = cursor.list(); left > 0; left -= 1) found.push(cursor.text());
  return found;
}

const TYPE = {
  null: 1,
  string: 2,
  integer: 3,
  boolean: 4,
  double: 5,
  list: 6,
  relationship: 7,
  node: 8,
  path: 9,
  map: 10,
  point: 11,
  vector: 12,
  localdatetime: 13,
  date: 14,
  localtime: 15,
  duration: 16,
} as const;

/** So many digits are exact as a number, whatever they are. */
const EXACT_DIGITS = 15;
const TOO_DEEP = `deeper than ${String(VALUE_DEPTH_MAX)} levels`;

export class ValueReader {
  readonly #cursor: RespCursor;
  readonly #names: GraphNames;
  #room = 0;
  /** Of values that are not shown whole. */
  cut = 0;
  /** Labels, types or properties came by a number whose name is not known. */
  lacksNames = false;

  /** @param cursor at the first row */
  constructor(cursor: RespCursor, names: GraphNames) {
    this.#cursor = cursor;
    this.#names = names;
  }

  /** The next row as JSON. @throws ReplyUnreadable */
  row(): string {
    this.#room = ROW_BYTES_MAX;
    let json = '[';
    for (let left = this.#cursor.list(); left > 0; left -= 1) json += left > 1 ? `${this.#cell(0)},` : this.#cell(0);
    return `${json}]`;
  }

  /** A type and a value. */
  #cell(depth: number): string {
    if (this.#cursor.list() !== 2) throw new ReplyUnreadable('a value has no type');
    return this.#value(this.#cursor.number(), depth);
  }

  #value(type: number, depth: number): string {
    const cursor = this.#cursor;
    if (this.#room <= 0) return this.#leave('there is no room for it in this row');
    this.#room -= VALUE_COST_BYTES;
    switch (type) {
      case TYPE.null:
        cursor.skip();
        return 'null';
      case TYPE.string:
        return this.#text();
      case TYPE.integer:
        return this.#whole();
      case TYPE.boolean:
        return cursor.text() === 'true' ? 'true' : 'false';
      case TYPE.double:
        return floatingNumber(cursor.text());
      case TYPE.localdatetime:
        return moment(cursor.text(), (iso) => iso.slice(0, 19));
      case TYPE.date:
        return moment(cursor.text(), (iso) => iso.slice(0, 10));
      case TYPE.localtime:
        return moment(cursor.text(), (iso) => iso.slice(11, 19));
      case TYPE.duration:
        return `{"seconds":${this.#whole()}}`;
      default:
        return depth >= VALUE_DEPTH_MAX ? this.#leave(TOO_DEEP) : this.#nested(type, depth);
    }
  }

  #nested(type: number, depth: number): string {
    switch (type) {
      case TYPE.list:
        return this.#list(() => this.#cell(depth + 1));
      case TYPE.vector:
        return this.#list(() => floatingNumber(this.#cursor.text()));
      case TYPE.point: {
        const [latitude = 'null', longitude = 'null'] = texts(this.#cursor).map(floatingNumber);
        return `{"latitude":${latitude},"longitude":${longitude}}`;
      }
      case TYPE.map:
        return this.#map(depth);
      case TYPE.node:
        return this.#node(depth);
      case TYPE.relationship:
        return this.#relationship(depth);
      case TYPE.path:
        return this.#path(depth);
      default:
        this.cut += 1;
        this.#cursor.skip();
        return `"(a value of a type that this server does not know: ${String(type)})"`;
    }
  }

  /** As many items as there is room for. */
  #list(read: () => string): string {
    const count = this.#cursor.list();
    let json = '[';
    for (let at = 0; at < count; at += 1) {
      if (at > 0) json += ',';
      if (this.#room <= 0) {
        json += this.#leave(`${String(count - at)} more of ${String(count)}`, count - at);
        break;
      }
      this.#room -= VALUE_COST_BYTES;
      json += read();
    }
    return `${json}]`;
  }

  #node(depth: number): string {
    const cursor = this.#cursor;
    const parts = cursor.list();
    const id = this.#whole();
    const labels = this.#labels();
    const properties = this.#properties(depth);
    cursor.skip(parts - 3);
    return `{"id":${id},"labels":${labels},"properties":${properties}}`;
  }

  #relationship(depth: number): string {
    const cursor = this.#cursor;
    const parts = cursor.list();
    const id = this.#whole();
    const type = this.#name('relationshipTypes');
    const [source, target] = [this.#whole(), this.#whole()];
    const properties = this.#properties(depth);
    cursor.skip(parts - 5);
    return `{"id":${id},"type":${type},"source":${source},"target":${target},"properties":${properties}}`;
  }

  /** Two cells, each a list of cells. */
  #path(depth: number): string {
    const half = (read: (depth: number) => string): string => {
      this.#cursor.list();
      this.#cursor.skip();
      return this.#list(() => {
        this.#cursor.list();
        this.#cursor.skip();
        return read(depth);
      });
    };
    this.#cursor.list();
    const nodes = half((at) => this.#node(at));
    return `{"nodes":${nodes},"relationships":${half((at) => this.#relationship(at))}}`;
  }

  #labels(): string {
    return this.#list(() => this.#name('labels'));
  }

  /** Each a name's number, a type and a value. */
  #properties(depth: number): string {
    const count = this.#cursor.list();
    const members: string[] = [];
    while (members.length < count && this.#room > 0) {
      this.#cursor.list();
      const name = this.#name('propertyKeys');
      members.push(`${name}:${this.#value(this.#cursor.number(), depth + 1)}`);
    }
    return this.#object(members, count - members.length);
  }

  /** Keys and cells in turn. */
  #map(depth: number): string {
    const count = this.#cursor.list() / 2;
    const members: string[] = [];
    while (members.length < count && this.#room > 0) {
      this.#room -= this.#cursor.textBytes;
      members.push(`${this.#cursor.json()}:${this.#cell(depth + 1)}`);
    }
    const left = count - members.length;
    return this.#object(members, left, 2 * left);
  }

  /** Of those members for which there was room. */
  #object(members: readonly string[], left: number, itemsLeft = left): string {
    if (left > 0) this.cut += 1;
    this.#cursor.skip(itemsLeft);
    return `{${members.join(',')}}`;
  }

  #name(kind: keyof GraphNames): string {
    const id = this.#cursor.number();
    const name = this.#names[kind][id];
    if (name !== undefined) {
      // On the wire it is a number: a long name in each of thousands of things would be far more than was sent.
      this.#room -= name.length;
      return JSON.stringify(name);
    }
    // Where it was added while this was read, the number is at least true.
    this.lacksNames = true;
    return JSON.stringify(`#${String(id)}`);
  }

  #whole(): string {
    return wholeNumber(this.#cursor.digits());
  }

  #text(): string {
    const bytes = this.#cursor.textBytes;
    this.#room -= Math.min(bytes, VALUE_BYTES_MAX);
    if (bytes <= VALUE_BYTES_MAX) return this.#cursor.json();
    this.cut += 1;
    const shown = cutText(this.#cursor.text(), VALUE_BYTES_MAX);
    return JSON.stringify(`${shown}… (cut; ${String(bytes)} bytes in all)`);
  }

  /** Passed over. */
  #leave(why: string, items = 1): string {
    this.#cursor.skip(items);
    this.cut += 1;
    return `"(left out: ${why})"`;
  }
}

function wholeNumber(digits: string): string {
  if (digits.length <= EXACT_DIGITS) return digits;
  return Number.isSafeInteger(Number(digits)) ? digits : `"${digits}"`;
}

/** JSON has no Infinity and no NaN. */
function floatingNumber(text: string): string {
  const number = Number(text);
  if (Number.isFinite(number)) return String(number);
  return /nan/i.test(text) ? '"NaN"' : text.startsWith('-') ? '"-Infinity"' : '"Infinity"';
}

/** Seconds since 1970 as a date or time without a zone; what a Date cannot hold stays seconds. */
function moment(seconds: string, part: (iso: string) => string): string {
  const date = new Date(Number(seconds) * 1_000);
  if (Number.isNaN(date.valueOf()) || date.getUTCFullYear() > 9_999 || date.getUTCFullYear() < 0) {
    return `{"seconds":${wholeNumber(seconds)}}`;
  }
  return `"${part(date.toISOString())}"`;
}
