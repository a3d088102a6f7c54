/** Fields that several tools have. */
import { z } from 'zod';
import { Nexus3Error } from '../../errors.js';
import { tool } from '../tool.js';
import type { DataContext } from './context.js';
import type { Asked } from './failures.js';
import { asFailure } from './failures.js';
import { KEY_BYTES_MAX, QUERY_TIMEOUT_DEFAULT_MS, QUERY_TIMEOUT_MAX_MS, QUERY_TIMEOUT_MIN_MS } from './limits.js';
import { isWhole } from './text.js';

export const dataTool = tool<DataContext>();

export const environmentField = z
  .string()
  .max(64)
  .optional()
  .describe('Name of the environment, from `environments`. May be left out where only one is served.');
export const graphField = z.string().min(1).max(KEY_BYTES_MAX).describe('Name of the graph, from `graph_list`.');
export const parametersField = z
  .record(z.string().max(128), z.unknown())
  .optional()
  .describe('Values of the $names in the query. Always hand data over here, never within the text.');
export const timeoutField = z
  .int()
  .min(QUERY_TIMEOUT_MIN_MS)
  .max(QUERY_TIMEOUT_MAX_MS)
  .default(QUERY_TIMEOUT_DEFAULT_MS)
  .describe('How long the query may take, in milliseconds.');
export const keyField = z.string().optional().describe('Name of the key.');
export const keyBase64Field = z
  .base64()
  .max(2 * KEY_BYTES_MAX)
  .optional()
  .describe('The same as base64, for a name that is no text. One of the two.');
export const truncatedField = z.boolean().describe('Whether there is more than this answer shows.');
export const cutField = z.array(z.string()).describe('What was left out or cut, and how to get at it.');

/** The name of a key, within bounds. @throws Nexus3Error USAGE */
export function keyName(key: string | undefined, keyBase64: string | undefined): Buffer {
  if ((key === undefined) === (keyBase64 === undefined)) {
    throw usage('Name the key either as `key` or as `keyBase64`.', 'Give one of them.');
  }
  const name = key === undefined ? Buffer.from(keyBase64 ?? '', 'base64') : wellFormed(key, 'The name of the key');
  // Read rights are to all patterns of names, which an empty one matches none of (measured).
  if (name.length === 0) throw usage('The name of the key is empty.', 'Name a key.');
  if (name.length > KEY_BYTES_MAX) {
    throw usage(`The name of the key is longer than ${String(KEY_BYTES_MAX)} bytes.`, 'Use a shorter one.');
  }
  return name;
}

/** Text as UTF-8. Half of a character would become another one on the way. @throws Nexus3Error USAGE */
export function wellFormed(value: string, what: string): Buffer {
  if (!isWhole(value)) throw usage(`${what} holds half of a character.`, 'Correct it, or hand it over as base64.');
  return Buffer.from(value, 'utf8');
}

export function usage(message: string, hint: string): Nexus3Error {
  return new Nexus3Error('USAGE', message, { hint });
}

/** Whatever goes wrong within comes out as an agent needs it. */
export async function saying<Result>(asked: Asked, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    throw asFailure(error, asked);
  }
}
