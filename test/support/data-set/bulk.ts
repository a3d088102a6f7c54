/** Data by the megabyte, of the common types, which hardly any compression makes smaller: about so large in a snapshot, too. */
import type { Chance } from './chance.js';
import type { Words } from './wire.js';

/** Of all bytes, which part is of which type. */
const PARTS = {
  strings: 0.5,
  big: 0.08,
  hashes: 0.14,
  lists: 0.12,
  sets: 0.05,
  sortedSets: 0.06,
  streams: 0.05,
} as const;
const STRING_BYTES = { min: 100, max: 8_000 } as const;
const BIG_BYTES_MAX = 16 * 1024 * 1024;
const ELEMENT_BYTES = 250;
const ELEMENTS_A_COMMAND = 100;
/** Commands that go to one key, before the next. */
const COMMANDS_A_KEY = 20;
const FIRST_MS = 1_700_000_000_000;
const FAR_MS = 2_524_608_000_000;

export function* bulkOfKeys(bytes: number, chance: Chance): Iterable<Words> {
  yield* strings(bytes * PARTS.strings, chance);
  for (let left = bytes * PARTS.big, index = 0; left > 0; left -= BIG_BYTES_MAX, index += 1) {
    yield ['SET', `bulk:big:${String(index)}`, chance.bytes(Math.ceil(Math.min(left, BIG_BYTES_MAX)))];
  }
  yield* elements('HSET', 'hash', bytes * PARTS.hashes, (index) => [
    `field ${String(index)}`,
    chance.bytes(ELEMENT_BYTES),
  ]);
  yield* elements('RPUSH', 'list', bytes * PARTS.lists, () => [chance.bytes(ELEMENT_BYTES)]);
  yield* elements('SADD', 'set', bytes * PARTS.sets, () => [chance.bytes(ELEMENT_BYTES)]);
  yield* elements('ZADD', 'zset', bytes * PARTS.sortedSets, () => [
    chance.between(0, 1e9),
    chance.bytes(ELEMENT_BYTES),
  ]);
  const entries = Math.ceil((bytes * PARTS.streams) / ELEMENT_BYTES);
  for (let index = 0; index < entries; index += 1) {
    const key = `bulk:stream:${String(Math.floor(index / 20_000))}`;
    yield ['XADD', key, `${String(FIRST_MS + index)}-0`, 'what', chance.bytes(ELEMENT_BYTES)];
  }
}

function* strings(bytes: number, chance: Chance): Iterable<Words> {
  for (let left = bytes, index = 0; left > 0; index += 1) {
    const size = chance.between(STRING_BYTES.min, STRING_BYTES.max);
    const mortal = index % 10 === 0 ? ['PXAT', FAR_MS + index] : [];
    yield ['SET', `bulk:string:${String(index)}`, chance.bytes(size), ...mortal];
    left -= size;
  }
}

function* elements(command: string, kind: string, bytes: number, make: (index: number) => Words): Iterable<Words> {
  const commands = Math.ceil(bytes / (ELEMENT_BYTES * ELEMENTS_A_COMMAND));
  for (let count = 0; count < commands; count += 1) {
    const key = `bulk:${kind}:${String(Math.floor(count / COMMANDS_A_KEY))}`;
    const from = (count % COMMANDS_A_KEY) * ELEMENTS_A_COMMAND;
    yield [command, key, ...Array.from({ length: ELEMENTS_A_COMMAND }, (_, index) => make(from + index)).flat()];
  }
}
