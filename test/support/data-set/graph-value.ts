/**
 * One value of a graph's compact reply: `[type, value]`. Numbers keep the digits that the server printed, with a word for
 * their type, so that 1 and 1.0 and '1' are three things.
 */
import { quoted } from './contents.js';
import type { Answer } from './wire.js';
import { listOf, textOf } from './wire.js';

/** Text that is no string of the graph: a number, a moment. */
export class Scalar {
  constructor(
    readonly kind: string,
    readonly text: string,
  ) {}
}

/** A map: of the properties of a node, of an index's settings. */
export class Named {
  constructor(readonly values: ReadonlyMap<string, GraphValue>) {}
}

export type GraphValue = null | string | Scalar | Named | readonly GraphValue[];

/** FalkorDB's `ValueType` of a compact reply. */
const NULL = '1';
const STRING = '2';
const ARRAY = '6';
const MAP = '10';
const POINT = '11';
const VECTOR = '12';
const SCALARS: Readonly<Record<string, string>> = {
  3: 'integer',
  4: 'boolean',
  5: 'double',
  13: 'moment',
  14: 'day',
  15: 'clock',
  16: 'span',
};

export function valueOf(cell: Answer): GraphValue {
  const [tag, value = null] = listOf(cell);
  const type = textOf(tag);
  const kind = SCALARS[type];
  if (kind !== undefined) return new Scalar(kind, textOf(value));
  switch (type) {
    case NULL:
      return null;
    case STRING:
      return textOf(value);
    case ARRAY:
      return listOf(value).map(valueOf);
    case POINT:
      return listOf(value).map((part) => new Scalar('degrees', textOf(part)));
    case VECTOR:
      return listOf(value).map((part) => new Scalar('float32', textOf(part)));
    case MAP: {
      const words = listOf(value);
      const entries = Array.from({ length: words.length / 2 }, (_, index): [string, GraphValue] => [
        textOf(words[2 * index]),
        valueOf(words[2 * index + 1] ?? null),
      ]);
      return new Named(new Map(entries.toSorted(([a], [b]) => (a < b ? -1 : 1))));
    }
    default:
      throw new Error(`a value of type ${type}, which is not known here`);
  }
}

/** With its type. */
export function textOfValue(value: GraphValue | undefined): string {
  if (value === null || value === undefined) return 'null';
  if (typeof value === 'string') return quoted(value);
  if (value instanceof Scalar) return `${value.kind} ${value.text}`;
  if (value instanceof Named) {
    return `{${[...value.values].map(([key, one]) => `${key}: ${textOfValue(one)}`).join(', ')}}`;
  }
  return `[${value.map(textOfValue).join(', ')}]`;
}

/** A name or a number, without its type. */
export function wordOf(value: GraphValue | undefined): string {
  if (typeof value === 'string') return value;
  if (value instanceof Scalar) return value.text;
  throw new Error(`expected a word, got ${textOfValue(value)}`);
}

/** Empty where it is none. */
export function valuesOf(value: GraphValue | undefined): ReadonlyMap<string, GraphValue> {
  return value instanceof Named ? value.values : new Map<string, GraphValue>();
}

export function itemsOf(value: GraphValue | undefined): readonly GraphValue[] {
  if (value === null || value === undefined) return [];
  if (typeof value === 'string' || value instanceof Scalar || value instanceof Named) {
    throw new Error(`expected a list, got ${textOfValue(value)}`);
  }
  return value;
}
