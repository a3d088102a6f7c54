/**
 * The compact replies of GRAPH.QUERY and GRAPH.RO_QUERY as JSON: exact (whole numbers that JSON cannot carry become
 * strings), bounded in depth and in bytes, and without any name of data becoming a name of an object's own parts. Pure.
 * Types as in FalkorDB's resultset_formatter.h; their shapes are measured on 4.16.3.
 */
import { ROW_BYTES_MAX, VALUE_BYTES_MAX, VALUE_COST_BYTES, VALUE_DEPTH_MAX } from './limits.js';

/** Integers come as numbers, or as strings where each has to be exact: the reply is read with either type mapping. */
export type Raw = string | number | readonly Raw[] | null;

/**
 * Integers that were read as numbers are exact below this. The driver's own arithmetic is off by up to some fifty below
 * 2^53 already, and an integer beyond that is never read as one below this.
 */
const EXACT_BELOW = 2 ** 52;

export interface GraphNames {
  readonly labels: readonly string[];
  readonly relationshipTypes: readonly string[];
  readonly propertyKeys: readonly string[];
}

export interface GraphReply {
  readonly columns: readonly string[];
  readonly rows: readonly Raw[];
  readonly statistics: readonly string[];
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

const TOO_DEEP = `deeper than ${String(VALUE_DEPTH_MAX)} levels`;

/** Types whose values name labels, relationship types or properties by number. */
const NAMED: ReadonlySet<number> = new Set([TYPE.relationship, TYPE.node, TYPE.path]);

export function readGraphReply(raw: Raw): GraphReply {
  const parts = list(raw);
  const statistics = list(parts.at(-1)).map(text);
  if (parts.length < 3) return { columns: [], rows: [], statistics };
  return { columns: list(parts[0]).map((header) => text(list(header)[1])), rows: list(parts[1]), statistics };
}

/** Whether the names are needed to read it. Looks as deep as values are shown. */
export function namesThings(rows: readonly Raw[]): boolean {
  return rows.some((row) => list(row).some((cell) => cellNames(cell, 0)));
}

function cellNames(cell: Raw | undefined, depth: number): boolean {
  const pair = list(cell);
  const type = typeOf(pair[0]);
  if (NAMED.has(type)) return true;
  if (depth >= VALUE_DEPTH_MAX || (type !== TYPE.list && type !== TYPE.map)) return false;
  return list(pair[1]).some((one) => typeof one === 'object' && cellNames(one, depth + 1));
}

export class ValueReader {
  readonly #names: GraphNames;
  #room = 0;
  /** Of values that are not shown whole. */
  cut = 0;
  /** Whether an integer was read that may be another one. */
  inexact = false;

  constructor(names: GraphNames) {
    this.#names = names;
  }

  row(raw: Raw): unknown[] {
    this.#room = ROW_BYTES_MAX;
    return list(raw).map((cell) => this.#value(cell, 0));
  }

  #value(cell: Raw | undefined, depth: number): unknown {
    const pair = list(cell);
    const type = typeOf(pair[0]);
    const value = pair[1];
    if (this.#room <= 0) return this.#left('there is no room for it in this row');
    this.#room -= VALUE_COST_BYTES + (typeof value === 'string' ? Math.min(value.length, VALUE_BYTES_MAX) : 0);
    switch (type) {
      case TYPE.null:
        return null;
      case TYPE.string:
        return this.#text(text(value));
      case TYPE.integer:
        return this.#whole(value);
      case TYPE.boolean:
        return value === 'true';
      case TYPE.double:
        return floatingNumber(text(value));
      case TYPE.point: {
        const [latitude, longitude] = list(value).map((one) => floatingNumber(text(one)));
        return { latitude, longitude };
      }
      case TYPE.vector:
        return this.#list(list(value), (one) => floatingNumber(text(one)));
      case TYPE.localdatetime:
        return moment(this.#whole(value), (iso) => iso.slice(0, 19));
      case TYPE.date:
        return moment(this.#whole(value), (iso) => iso.slice(0, 10));
      case TYPE.localtime:
        return moment(this.#whole(value), (iso) => iso.slice(11, 19));
      case TYPE.duration:
        return { seconds: this.#whole(value) };
      default:
        return depth >= VALUE_DEPTH_MAX ? this.#left(TOO_DEEP) : this.#nested(type, list(value), depth);
    }
  }

  #nested(type: number, value: readonly Raw[], depth: number): unknown {
    switch (type) {
      case TYPE.list:
        return this.#list(value, (one) => this.#value(one, depth + 1));
      case TYPE.map:
        return this.#map(value, depth);
      case TYPE.node:
        return this.#node(value, depth);
      case TYPE.relationship:
        return this.#relationship(value, depth);
      case TYPE.path: {
        const [nodes, relationships] = value.map((half) => list(list(half)[1]).map((one) => list(list(one)[1])));
        return {
          nodes: this.#list(nodes ?? [], (one) => this.#node(one, depth)),
          relationships: this.#list(relationships ?? [], (one) => this.#relationship(one, depth)),
        };
      }
      default:
        this.cut += 1;
        return `(a value of a type that this server does not know: ${String(type).slice(0, 10)})`;
    }
  }

  /** As many as there is room for. */
  #list<Item>(items: readonly Item[], read: (item: Item) => unknown): unknown[] {
    const shown: unknown[] = [];
    for (const item of items) {
      if (this.#room <= 0) {
        shown.push(this.#left(`${String(items.length - shown.length)} more of ${String(items.length)}`));
        break;
      }
      this.#room -= VALUE_COST_BYTES;
      shown.push(read(item));
    }
    return shown;
  }

  #node([id, labels, properties]: readonly Raw[], depth: number): unknown {
    return {
      id: this.#whole(id),
      labels: list(labels).map((one) => nameOf(this.#names.labels, one)),
      properties: this.#properties(properties, depth),
    };
  }

  #relationship([id, type, source, target, properties]: readonly Raw[], depth: number): unknown {
    return {
      id: this.#whole(id),
      type: nameOf(this.#names.relationshipTypes, type),
      source: this.#whole(source),
      target: this.#whole(target),
      properties: this.#properties(properties, depth),
    };
  }

  #properties(raw: Raw | undefined, depth: number): Record<string, unknown> {
    return Object.fromEntries(
      list(raw).map((property) => {
        const [key, ...cell] = list(property);
        return [nameOf(this.#names.propertyKeys, key), this.#value(cell, depth + 1)];
      }),
    );
  }

  /** `fromEntries` defines, so `__proto__` is a key like others. */
  #map(raw: readonly Raw[], depth: number): Record<string, unknown> {
    const entries: [string, unknown][] = [];
    for (let at = 0; at + 1 < raw.length && this.#room > 0; at += 2) {
      this.#room -= text(raw[at]).length;
      entries.push([text(raw[at]), this.#value(raw[at + 1], depth + 1)]);
    }
    if (entries.length * 2 < raw.length) this.cut += 1;
    return Object.fromEntries(entries);
  }

  #whole(raw: Raw | undefined): number | string {
    if (typeof raw !== 'number') return wholeNumber(text(raw));
    if (Math.abs(raw) >= EXACT_BELOW) this.inexact = true;
    return raw;
  }

  #text(value: string): string {
    if (value.length <= VALUE_BYTES_MAX / 4 || Buffer.byteLength(value) <= VALUE_BYTES_MAX) return value;
    this.cut += 1;
    const bytes = Buffer.byteLength(value);
    return `${cutText(value, VALUE_BYTES_MAX)}… (cut; ${String(bytes)} bytes in all)`;
  }

  #left(why: string): string {
    this.cut += 1;
    return `(left out: ${why})`;
  }
}

/** Its beginning, of at most so many bytes of UTF-8, never half of a character. */
export function cutText(value: string, bytesMax: number): string {
  const { read } = new TextEncoder().encodeInto(value.slice(0, bytesMax), new Uint8Array(bytesMax));
  return value.slice(0, read);
}

function nameOf(names: readonly string[], id: Raw | undefined): string {
  // Added while this was read: the number is at least true.
  return names[Number(text(id))] ?? `#${text(id)}`;
}

function wholeNumber(value: string): number | string {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

/** JSON has no Infinity and no NaN. */
function floatingNumber(value: string): number | string {
  const number = Number(value);
  if (Number.isFinite(number)) return number;
  return /nan/i.test(value) ? 'NaN' : value.startsWith('-') ? '-Infinity' : 'Infinity';
}

/** Seconds since 1970 as a date or time without a zone; what a Date cannot hold stays seconds. */
function moment(seconds: number | string, part: (iso: string) => string): unknown {
  const date = new Date(Number(seconds) * 1_000);
  if (Number.isNaN(date.valueOf()) || date.getUTCFullYear() > 9_999 || date.getUTCFullYear() < 0) {
    return { seconds };
  }
  return part(date.toISOString());
}

function list(raw: Raw | undefined): readonly Raw[] {
  return Array.isArray(raw) ? (raw as readonly Raw[]) : [];
}

function text(raw: Raw | undefined): string {
  if (typeof raw === 'string') return raw;
  return typeof raw === 'number' ? String(raw) : '';
}

function typeOf(code: Raw | undefined): number {
  if (typeof code === 'number') return code;
  return typeof code === 'string' ? Number(code) : 0;
}
