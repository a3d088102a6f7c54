/** `key_set` and `key_delete`: on the vault. */
import { z } from 'zod';
import { Nexus3Error } from '../../errors.js';
import { quoted } from './graph-write.js';
import { dataTool, environmentField, keyBase64Field, keyField, keyName, saying, usage, wellFormed } from './fields.js';
import type { Send } from './key-commands.js';
import { bytes, onKeys } from './key-commands.js';
import { FIELDS_WRITTEN_MAX, KEYS_DELETED_MAX, VALUE_WRITTEN_BYTES_MAX } from './limits.js';
import { shown } from './text.js';

const TTL_MAX_SECONDS = 3_153_600_000;

const setInput = z.object({
  environment: environmentField,
  key: keyField,
  keyBase64: keyBase64Field,
  text: z.string().optional().describe('The value, as text.'),
  base64: z.base64().optional().describe('The value, as base64, for bytes that are no text.'),
  fields: z
    .record(z.string(), z.string())
    .optional()
    .describe('For a hash: these fields are set, others stay. Instead of a value.'),
  ttlSeconds: z
    .int()
    .min(1)
    .max(TTL_MAX_SECONDS)
    .optional()
    .describe('After which it expires. Left out: a string never, a hash as before.'),
  onlyIf: z.enum(['absent', 'present']).optional().describe('Only where there is no such key yet, or where there is.'),
});

export const keySet = dataTool({
  name: 'key_set',
  title: 'Write a key',
  description:
    'Sets a string (`text` or `base64`), whatever string it held before, or fields of a hash (`fields`). Refused where the key holds another type, such as a graph. ' +
    'Seen at once by key_get.',
  input: setInput,
  output: z.object({
    environment: z.string(),
    written: z.boolean().describe('False where `onlyIf` did not hold.'),
    created: z.boolean().describe('Whether there was no such key before.'),
  }),
  effect: 'destroy',
  idempotent: true,
  run: async (given, context, { signal }) => {
    const { name } = context.environment(given.environment);
    const key = keyName(given.key, given.keyBase64);
    const value = valueOf(given);
    return saying({ environment: name, effect: 'write', write: true }, async () => {
      const opened = await context.opened(name);
      return onKeys(opened, 'vault', signal, async (send) => {
        const type = bytes(await send('TYPE', key)).toString();
        const wanted = Buffer.isBuffer(value) ? 'string' : 'hash';
        if (type !== 'none' && type !== wanted) throw otherType(type, wanted);
        if (given.onlyIf !== undefined && (type === 'none') !== (given.onlyIf === 'absent')) {
          return { environment: name, written: false, created: false };
        }
        const written = Buffer.isBuffer(value)
          ? await setString(send, key, value, given)
          : await setFields(send, key, value, given);
        return { environment: name, written, created: written && type === 'none' };
      });
    });
  },
});

type SetInput = z.output<typeof setInput>;

async function setString(send: Send, key: Buffer, value: Buffer, { ttlSeconds, onlyIf }: SetInput): Promise<boolean> {
  const expiry = ttlSeconds === undefined ? [] : ['EX', String(ttlSeconds)];
  const condition = onlyIf === undefined ? [] : [onlyIf === 'absent' ? 'NX' : 'XX'];
  return (await send('SET', key, value, ...expiry, ...condition)) !== null;
}

async function setFields(
  send: Send,
  key: Buffer,
  fields: readonly (readonly [Buffer, Buffer])[],
  { ttlSeconds }: SetInput,
): Promise<boolean> {
  await send('HSET', key, ...fields.flat());
  if (ttlSeconds !== undefined) await send('EXPIRE', key, String(ttlSeconds));
  return true;
}

function valueOf({ text, base64, fields }: SetInput): Buffer | readonly (readonly [Buffer, Buffer])[] {
  if ([text, base64, fields].filter((one) => one !== undefined).length !== 1) {
    throw usage('There is no one value.', 'Give exactly one of `text`, `base64` and `fields`.');
  }
  if (fields !== undefined) {
    const all = Object.entries(fields).map(
      ([field, value]) => [wellFormed(field, 'A field'), wellFormed(value, 'A value')] as const,
    );
    if (all.length === 0 || all.length > FIELDS_WRITTEN_MAX) {
      throw usage(`A hash is written 1 to ${String(FIELDS_WRITTEN_MAX)} fields at once.`, 'Do it in several calls.');
    }
    bounded(all.flat().reduce((sum, one) => sum + one.length, 0));
    return all;
  }
  const value = base64 === undefined ? wellFormed(text ?? '', 'The value') : Buffer.from(base64, 'base64');
  bounded(value.length);
  return value;
}

function bounded(size: number): void {
  if (size <= VALUE_WRITTEN_BYTES_MAX) return;
  throw usage(`More than ${String(VALUE_WRITTEN_BYTES_MAX)} bytes are not written at once.`, 'Write it in parts.');
}

function otherType(type: string, wanted: string): Nexus3Error {
  return new Nexus3Error('KEY_WRONG_TYPE', `That key holds a ${type}, not a ${wanted}. Nothing was changed.`, {
    hint: type === 'graphdata' ? 'Change a graph with graph_write.' : 'Use another key, or delete this one first.',
  });
}

export const keyDelete = dataTool({
  name: 'key_delete',
  title: 'Delete keys',
  description:
    'Deletes keys with all that they hold. Graphs are not deleted by this, but by graph_delete. The person is asked first.',
  input: z.object({
    environment: environmentField,
    keys: z.array(z.string()).max(KEYS_DELETED_MAX).optional().describe('Names of keys.'),
    keysBase64: z.array(z.base64()).max(KEYS_DELETED_MAX).optional().describe('More of them, as base64.'),
  }),
  output: z.object({ environment: z.string(), deleted: z.int().describe('How many of them there were.') }),
  effect: 'destroy',
  idempotent: true,
  question: async (given, context) => {
    const { name } = context.environment(given.environment);
    const keys = keysOf(given).map((key) => {
      const named = shown(key, 100);
      return typeof named === 'string' ? quoted(named) : JSON.stringify(named);
    });
    const few = keys.slice(0, 10).join(', ');
    return `Delete ${String(keys.length)} keys of ${name}: ${few}${keys.length > 10 ? ', …' : ''}?`;
  },
  run: async (given, context, { signal }) => {
    const { name } = context.environment(given.environment);
    const keys = keysOf(given);
    return saying({ environment: name, effect: 'write', write: true }, async () => {
      const opened = await context.opened(name);
      return onKeys(opened, 'vault', signal, async (send) => {
        const types = await Promise.all(keys.map(async (key) => bytes(await send('TYPE', key)).toString()));
        if (types.some((type) => type === 'graphdata' || type === 'graphmeta')) {
          throw new Nexus3Error('KEY_WRONG_TYPE', 'One of these keys is a graph. Nothing was deleted.', {
            hint: 'Leave it out, and delete the graph with graph_delete.',
          });
        }
        return { environment: name, deleted: Number(await send('UNLINK', ...keys)) };
      });
    });
  },
});

function keysOf({
  keys = [],
  keysBase64 = [],
}: {
  keys?: readonly string[] | undefined;
  keysBase64?: readonly string[] | undefined;
}): Buffer[] {
  const all = [...keys.map((key) => keyName(key, undefined)), ...keysBase64.map((key) => keyName(undefined, key))];
  if (all.length === 0 || all.length > KEYS_DELETED_MAX) {
    throw usage(`1 to ${String(KEYS_DELETED_MAX)} keys are deleted at once.`, 'Name them in `keys`.');
  }
  return all;
}
