/** What `locker set --many` reads: one JSON object, key → value, null to delete. Pure. */
import { Nexus3Error } from '../errors.js';
import { Secret } from '../protocol/secret.js';

/** Of a key in an error. */
const SHOWN_CHARS_MAX = 40;

export interface Many {
  readonly values: ReadonlyMap<string, Secret | null>;
  /** Each shows a key, never a value. */
  readonly mistakes: readonly string[];
}

/** @throws Nexus3Error LOCKER_INPUT_INVALID for what is no JSON object at all */
export function parseMany(text: string): Many {
  const object = parseObject(text);
  const mistakes = repeatedKeys(text).map((key) => `${shown(key)} is there twice`);
  const values = new Map<string, Secret | null>();
  for (const [key, value] of Object.entries(object)) {
    if (typeof value === 'string') values.set(key, new Secret(value));
    else if (value === null) values.set(key, null);
    else mistakes.push(`${shown(key)}: a value is a string, or null to delete it, not ${kindOf(value)}`);
  }
  if (values.size === 0 && mistakes.length === 0) mistakes.push('the object is empty');
  return { values, mistakes };
}

function parseObject(text: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    // Its message quotes what it read, which is full of values: only the place is passed on, and no cause.
    const position = /at position (\d+)/.exec(error instanceof Error ? error.message : '')?.[1];
    throw manyInvalid([`it is not JSON${position === undefined ? '' : ` from character ${position} on`}`]);
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw manyInvalid([`it is ${kindOf(value)}`]);
}

/** JSON.parse takes the last of two silently. @param text valid JSON */
function repeatedKeys(text: string): readonly string[] {
  const seen = new Set<string>();
  const repeated = new Set<string>();
  let depth = 0;
  let last = '';
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\]:]/g)) {
    if (token === '{' || token === '[') depth += 1;
    else if (token === '}' || token === ']') depth -= 1;
    else if (token !== ':') last = token;
    else if (depth === 1) {
      const key = String(JSON.parse(last));
      (seen.has(key) ? repeated : seen).add(key);
    }
  }
  return [...repeated];
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

function shown(key: string): string {
  return JSON.stringify(key.length > SHOWN_CHARS_MAX ? `${key.slice(0, SHOWN_CHARS_MAX)}…` : key);
}

export function manyInvalid(mistakes: readonly string[]): Nexus3Error {
  return new Nexus3Error('LOCKER_INPUT_INVALID', 'What was given is not one JSON object of keys and values.', {
    evidence: mistakes,
    hint: 'Give { "KEY": "VALUE", "OTHER": null }, where null deletes; nothing was changed.',
  });
}
