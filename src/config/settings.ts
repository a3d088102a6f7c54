/** The `settings:` map, for all environments or for one. */
import type { Settings } from '../protocol/settings.js';
import { parseMemory } from '../protocol/settings.js';
import type { Fields } from './fields.js';

const SAVE_POINTS_MAX = 16;
const THREADS_MAX = 1_024;
const QUERY_TIMEOUT_MS_MAX = 86_400_000;
const QUERY_QUEUE_MAX = 1_000_000;
const LAG_BYTES_MAX = 2 ** 40;

const MEMORY_MEANING = 'a memory size (bytes, or a number with kb, mb or gb)';

/** Only what is written there: merged over what holds for all. */
export function readSettings(fields: Fields): Partial<Omit<Settings, 'keepHistory'>> {
  const read: { -readonly [K in keyof Omit<Settings, 'keepHistory'>]?: Settings[K] } = {};
  const maxmemory = fields.text('maxmemory', { allowed: isMemory, meaning: MEMORY_MEANING });
  if (maxmemory !== undefined) read.maxmemory = canonicalMemory(maxmemory);
  const appendfsync = fields.oneOf('appendfsync', ['always', 'everysec', 'no']);
  if (appendfsync !== undefined) read.appendfsync = appendfsync;
  const save = fields.text('save', {
    allowed: isSave,
    meaning: 'a list of snapshot points: pairs of seconds and changes, as in "3600 1 300 100", or "" for none',
  });
  if (save !== undefined) read.save = save.trim().replace(/\s+/g, ' ');
  const threads = fields.number('threads', {
    min: 1,
    max: THREADS_MAX,
    meaning: `a number of threads (1–${String(THREADS_MAX)})`,
  });
  if (threads !== undefined) read.threads = threads;
  const timeout = fields.number('queryTimeoutMs', {
    min: 1,
    max: QUERY_TIMEOUT_MS_MAX,
    meaning: `a time in milliseconds (1–${String(QUERY_TIMEOUT_MS_MAX)})`,
  });
  if (timeout !== undefined) read.queryTimeoutMs = timeout;
  const queue = fields.number('queryQueueMax', {
    min: 1,
    max: QUERY_QUEUE_MAX,
    meaning: `a number of waiting queries (1–${String(QUERY_QUEUE_MAX)})`,
  });
  if (queue !== undefined) read.queryQueueMax = queue;
  const lag = fields.text('lagBytesMax', {
    allowed: (text) => isMemory(text) && (parseMemory(text) ?? 0) <= LAG_BYTES_MAX,
    meaning: MEMORY_MEANING,
  });
  if (lag !== undefined) read.lagBytesMax = parseMemory(lag) ?? 0;
  fields.end();
  return read;
}

function isMemory(text: string): boolean {
  const bytes = parseMemory(text);
  return bytes !== undefined && Number.isSafeInteger(bytes);
}

/** Redis answers CONFIG GET maxmemory in bytes: what is rendered must compare equal to that. */
function canonicalMemory(text: string): string {
  return String(parseMemory(text) ?? 0);
}

function isSave(text: string): boolean {
  const words = text.trim() === '' ? [] : text.trim().split(/\s+/);
  if (words.length % 2 !== 0 || words.length / 2 > SAVE_POINTS_MAX) return false;
  // Redis reads both as int: at least one second, and no negative number of changes (redis config.c, setConfigSaveOption).
  return words.every((word, index) => /^\d{1,9}$/.test(word) && (index % 2 === 1 || Number(word) >= 1));
}
