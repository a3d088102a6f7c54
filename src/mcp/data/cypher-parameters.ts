/**
 * Parameters as the engine takes them: in front of the query, as `CYPHER name=value …`. The official client puts names
 * and map keys there as they come, so each is checked here; a value can be nothing but a value. Pure.
 */
import { refused } from './cypher-guard.js';
import { PARAMETERS_BYTES_MAX, PARAMETERS_DEPTH_MAX } from './limits.js';
import { isWhole } from './text.js';

const NAME = /^[A-Za-z_][A-Za-z0-9_]{0,127}$/;
const HINT_NAME = 'Name it with letters, digits and _ only, beginning with a letter.';

/** @throws Nexus3Error QUERY_REFUSED */
export function withParameters(query: string, parameters: Readonly<Record<string, unknown>> | undefined): string {
  const entries = Object.entries(parameters ?? {});
  if (entries.length === 0) return query;
  const parts = entries.map(([name, value]) => {
    if (!NAME.test(name) || name.toUpperCase() === 'CYPHER')
      throw refused('A parameter has a name that Cypher cannot have.', HINT_NAME);
    return `${name}=${cypherValue(value, 0)}`;
  });
  const prefix = `CYPHER ${parts.join(' ')}`;
  if (Buffer.byteLength(prefix) > PARAMETERS_BYTES_MAX) {
    const hint = 'Do it in several calls.';
    throw refused(`The parameters are longer than ${String(PARAMETERS_BYTES_MAX)} bytes.`, hint);
  }
  return `${prefix}\n${query}`;
}

function cypherValue(value: unknown, depth: number): string {
  if (depth > PARAMETERS_DEPTH_MAX) {
    const message = `The parameters are nested deeper than ${String(PARAMETERS_DEPTH_MAX)} levels.`;
    throw refused(message, 'Hand them over flatter.');
  }
  if (value === null) return 'null';
  if (typeof value === 'boolean') return String(value);
  if (typeof value === 'number') return cypherNumber(value);
  if (typeof value === 'string') return cypherString(value);
  if (Array.isArray(value)) return `[${value.map((one) => cypherValue(one, depth + 1)).join(',')}]`;
  if (typeof value === 'object') {
    const entries = Object.entries(value).map(([key, one]) => `${cypherKey(key)}:${cypherValue(one, depth + 1)}`);
    return `{${entries.join(',')}}`;
  }
  throw refused('A parameter is no JSON value.', 'Hand over strings, numbers, booleans, null, lists and maps.');
}

function cypherNumber(value: number): string {
  if (!Number.isFinite(value)) throw refused('A parameter is a number without a value.', 'Use null, or a string.');
  if (Number.isInteger(value) && !Number.isSafeInteger(value)) {
    const hint = 'Hand it over as a string, and use toInteger($name) in the query.';
    throw refused('A parameter is a whole number that JSON cannot carry exactly.', hint);
  }
  return String(value);
}

/** Only `"` and `\` mean something within a string; a NUL would end the whole query there. */
function cypherString(value: string): string {
  if (value.includes('\0') || !isWhole(value)) {
    throw refused('A parameter holds a NUL character or half of a character.', 'Leave it out, or use base64.');
  }
  return `"${value.replaceAll(/["\\]/g, '\\$&')}"`;
}

/** A quoted name has no escape, so a ` cannot be in one. */
function cypherKey(key: string): string {
  if (NAME.test(key)) return key;
  if (key === '' || key.length > 128 || /[`\0]/.test(key) || !isWhole(key)) {
    throw refused('A map in the parameters has a key that Cypher cannot have.', HINT_NAME);
  }
  return `\`${key}\``;
}
