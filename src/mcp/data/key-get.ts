/** `key_get`: one key, of whichever type, a page at a time. */
import { z } from 'zod';
import {
  cutField,
  dataTool,
  environmentField,
  keyBase64Field,
  keyField,
  keyName,
  saying,
  truncatedField,
  usage,
} from './fields.js';
import type { Send } from './key-commands.js';
import { bytes, onKeys } from './key-commands.js';
import type { KeyPage } from './key-values.js';
import { readKey } from './key-values.js';
import { PAGE_DEFAULT, PAGE_MAX } from './limits.js';
import { shown } from './text.js';

const bytesShown = z.union([
  z.string(),
  z.object({ text: z.string().optional(), base64: z.string().optional(), bytes: z.int().optional() }),
]);
const OTHER_TYPES: Readonly<Record<string, string>> = {
  graphdata: 'a graph: use graph_schema and graph_query',
  graphmeta: 'a part of a graph that the engine keeps for itself: use graph_schema and graph_query on the graph',
  'ReJSON-RL': 'a document of RedisJSON, which these tools do not read',
  vectorset: 'a vector set, which these tools do not read',
};

const output = z.object({
  environment: z.string(),
  key: bytesShown,
  exists: z.boolean(),
  type: z.string().describe('string, hash, list, set, zset, stream; graphdata and others; none.'),
  ttlSeconds: z.number().nullable().describe('Until it expires; null: never.'),
  length: z.int().optional().describe('Bytes of a string, otherwise how many elements.'),
  offset: z.int().optional().describe('Where `value` begins within a string.'),
  value: bytesShown.optional().describe('Of a string.'),
  fields: z
    .array(z.object({ field: bytesShown, value: bytesShown }))
    .optional()
    .describe('Of a hash.'),
  elements: z.array(bytesShown).optional().describe('Of a list, in order; of a set.'),
  members: z
    .array(z.object({ member: bytesShown, score: z.number() }))
    .optional()
    .describe('Of a zset, by score.'),
  entries: z
    .array(z.object({ id: z.string(), fields: z.array(z.object({ field: bytesShown, value: bytesShown })) }))
    .optional()
    .describe('Of a stream, oldest first.'),
  note: z.string().optional().describe('What it is, where it is not shown here.'),
  truncated: truncatedField,
  cut: cutField,
  nextCursor: z.string().optional(),
});

export const keyGet = dataTool({
  name: 'key_get',
  title: 'Read a key',
  description:
    'The value of a key, whatever its type, with its time to live. Text is a string; other bytes are {base64}; a value that was cut has `bytes`, its whole length. ' +
    'Long values come in pages: call it again with `nextCursor`. Pages of a hash or set that changes meanwhile may repeat or miss what changes. ' +
    'For a graph it says what to use instead.',
  input: z.object({
    environment: environmentField,
    key: keyField,
    keyBase64: keyBase64Field,
    count: z.int().min(1).max(PAGE_MAX).default(PAGE_DEFAULT).describe('About how many elements one answer has.'),
    cursor: z.string().max(64).optional().describe('`nextCursor` of the answer before, with the same key.'),
  }),
  output,
  effect: 'read',
  idempotent: true,
  run: async (given, context, { signal }) => {
    const { name } = context.environment(given.environment);
    const key = keyName(given.key, given.keyBase64);
    return saying({ environment: name, effect: 'read', write: false }, async () => {
      const opened = await context.opened(name);
      return onKeys(opened, 'operational', signal, async (send) => {
        const [type, ttl] = await Promise.all([
          send('TYPE', key).then((said) => bytes(said).toString()),
          ttlOf(send, key),
        ]);
        const common = { environment: name, key: shown(key), exists: type !== 'none', type, ttlSeconds: ttl };
        const note = OTHER_TYPES[type] ?? 'a type that these tools do not read';
        const page = await readKey(send, { key, type, count: given.count, cursor: cursorOf(type, given.cursor) });
        if (page === undefined) return { ...common, ...(type === 'none' ? {} : { note }), truncated: false, cut: [] };
        return { ...common, ...asAnswer(type, page) };
      });
    });
  },
});

function asAnswer(type: string, { next, cut, ...page }: KeyPage) {
  return {
    ...page,
    truncated: next !== undefined || cut.length > 0,
    cut,
    ...(next === undefined ? {} : { nextCursor: `${type}.${next}` }),
  };
}

function cursorOf(type: string, cursor: string | undefined): string | undefined {
  if (cursor === undefined) return undefined;
  const [, of, at] = /^(\w+)\.(\d{1,20}(?:-\d{1,20})?)$/.exec(cursor) ?? [];
  if (of === type && at !== undefined) return at;
  throw usage('That is no cursor of this key (any more).', 'Call it again without a cursor.');
}

async function ttlOf(send: Send, key: Buffer): Promise<number | null> {
  const ms = Number(await send('PTTL', key));
  return ms < 0 ? null : ms / 1_000;
}
