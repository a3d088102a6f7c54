/**
 * Parameters of a query, before the official client writes them in front of it as `CYPHER name=value …`. It escapes what is
 * in strings, but writes names, keys of maps and numbers as they are: whoever chooses those could write Cypher.
 */
import type { QueryOptions } from 'falkordb/dist/src/commands/index.js';
import { Nexus3Error } from '../../errors.js';

/** How deep lists and maps may lie in each other. */
export const PARAMETER_DEPTH_MAX = 64;
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** @throws Nexus3Error USAGE */
export function checkParameters(options: QueryOptions | undefined): void {
  for (const [name, value] of Object.entries(options?.params ?? {})) {
    if (!NAME.test(name)) throw refused(JSON.stringify(name), 'is no name of a parameter');
    check(value, `$${name}`, 0);
  }
}

function check(value: unknown, path: string, depth: number): void {
  if (depth > PARAMETER_DEPTH_MAX)
    throw refused(path, `lies more than ${String(PARAMETER_DEPTH_MAX)} lists and maps deep`);
  if (value === null || typeof value === 'boolean' || typeof value === 'string') {
    if (typeof value === 'string' && value.includes('\0'))
      throw refused(path, 'holds the character NUL, at which the engine stops to read');
    return;
  }
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw refused(path, `is ${String(value)}, which Cypher does not have`);
    return;
  }
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) check(item, `${path}[${String(index)}]`, depth + 1);
    return;
  }
  if (typeof value !== 'object') throw refused(path, `is of type ${typeof value}`);
  for (const [key, item] of Object.entries(value)) {
    if (!NAME.test(key)) throw refused(`${path}: ${JSON.stringify(key)}`, 'is no key of a map');
    check(item, `${path}.${key}`, depth + 1);
  }
}

function refused(what: string, why: string): Nexus3Error {
  return new Nexus3Error('USAGE', `The parameters of that query cannot be used: ${what} ${why}.`, {
    hint: 'Names and keys are letters, digits and _; values are null, booleans, finite numbers, strings, lists and maps of those.',
  });
}
