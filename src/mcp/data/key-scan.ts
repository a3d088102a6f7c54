/** `key_scan`: names of keys, by pattern and type. */
import { z } from 'zod';
import { cutField, dataTool, environmentField, saying, truncatedField, usage, wellFormed } from './fields.js';
import { bytes, list, onKeys } from './key-commands.js';
import { PAGE_DEFAULT, PAGE_MAX, PATTERN_BYTES_MAX, PATTERN_STARS_MAX, SCAN_TIME_MAX_MS } from './limits.js';
import { shown } from './text.js';

/** How many keys the server looks at in one step: it answers nobody else meanwhile. */
const SCAN_STEP = 1_000;
const NAME_SHOWN_BYTES_MAX = 1_024;

export const keyScan = dataTool({
  name: 'key_scan',
  title: 'Find keys',
  description:
    'Names of keys that match a pattern, in no order. Call it again with `nextCursor` until there is none: an answer may hold few keys, or none, and still have one. ' +
    'A key that is there all the time comes at least once; one that comes or goes meanwhile may be missed. A cursor belongs to the server that gave it: ' +
    'where reads go to the other one meanwhile, it is refused (CURSOR_LOST), and the scan begins anew.',
  input: z.object({
    environment: environmentField,
    pattern: z
      .string()
      .default('*')
      .describe('`*` any characters, `?` one, `[ab]` one of these, `\\` before one that means itself: user:*'),
    type: z
      .enum(['string', 'hash', 'list', 'set', 'zset', 'stream', 'graphdata'])
      .optional()
      .describe('Only keys of this type.'),
    count: z.int().min(1).max(PAGE_MAX).default(PAGE_DEFAULT).describe('About how many keys one answer has.'),
    cursor: z
      .string()
      .regex(/^\d{1,20}$/)
      .optional()
      .describe('`nextCursor` of the answer before, with the same pattern and type.'),
  }),
  output: z.object({
    environment: z.string(),
    keys: z.array(
      z.union([
        z.string(),
        z.object({ text: z.string().optional(), base64: z.string().optional(), bytes: z.int().optional() }),
      ]),
    ),
    truncated: truncatedField,
    cut: cutField,
    nextCursor: z.string().optional(),
  }),
  effect: 'read',
  idempotent: true,
  run: async ({ environment, pattern, type, count, cursor }, context, { signal }) => {
    const { name } = context.environment(environment);
    const match = patternOf(pattern);
    return saying({ environment: name, effect: 'read', write: false }, async () => {
      const opened = await context.opened(name);
      return onKeys(opened, 'operational', signal, async (send) => {
        const keys: Buffer[] = [];
        let at = cursor ?? '0';
        const until = performance.now() + SCAN_TIME_MAX_MS;
        do {
          // What one step finds is kept, also beyond `count`: a cursor cannot go back to it.
          const step = pattern === '*' && type === undefined ? count - keys.length : SCAN_STEP;
          const only = type === undefined ? [] : ['TYPE', type];
          const found = list(await send('SCAN', at, 'MATCH', match, 'COUNT', String(step), ...only));
          at = bytes(found[0]).toString();
          keys.push(...list(found[1]).map(bytes));
        } while (at !== '0' && keys.length < count && performance.now() < until && !signal.aborted);
        return {
          environment: name,
          keys: keys.map((key) => shown(key, NAME_SHOWN_BYTES_MAX)),
          truncated: at !== '0',
          cut: [],
          ...(at === '0' ? {} : { nextCursor: at }),
        };
      });
    });
  },
});

function patternOf(pattern: string): Buffer {
  const match = wellFormed(pattern, 'The pattern');
  const stars = pattern.replaceAll(/\*+/g, '*').split('*').length - 1;
  if (match.length > PATTERN_BYTES_MAX || stars > PATTERN_STARS_MAX) {
    const bounds = `${String(PATTERN_BYTES_MAX)} bytes, or has more than ${String(PATTERN_STARS_MAX)} *`;
    throw usage(`The pattern is longer than ${bounds}.`, 'Use a simpler one, such as the beginning of the name and *.');
  }
  return match;
}
