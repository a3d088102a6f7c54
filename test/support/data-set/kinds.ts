/**
 * Every type of value that Redis 8.2 has, in each of its encodings, small: strings, bitmaps, HyperLogLogs, lists, sets,
 * hashes with fields that expire, sorted sets, places; in several databases, with times to live. Streams are in streams.ts.
 */
import type { Chance } from './chance.js';
import type { Words } from './wire.js';

/** Seconds since 1970 of times to live that outlast every test: in the year 2050. */
const FAR_SECONDS = 2_524_608_000;
const FAR_MS = FAR_SECONDS * 1000 + 123;
/** Past the bounds of the compact encodings (128 entries of a hash or a sorted set, 512 numbers of a set). */
const MANY = 700;
/** Past `hll-sparse-max-bytes`. */
const HLL_DENSE_ELEMENTS = 20_000;
const BIG_BYTES = 300_000;
/** Longer than 64 bytes: a hash, a set or a sorted set with one of these is no longer kept compactly. */
const LONG_BYTES = 200;

const ALL_BYTES = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));

/** Databases, and what is poured into each. */
export function kindsOfKeys(chance: Chance): readonly (readonly [number, Iterable<Words>])[] {
  return [
    [0, inDatabaseZero(chance)],
    [1, another('one', chance)],
    [3, another('three', chance)],
    [15, another('fifteen', chance)],
  ];
}

function* inDatabaseZero(chance: Chance): Iterable<Words> {
  yield* strings(chance);
  yield* bits();
  yield* lists(chance);
  yield* sets(chance);
  yield* hashes(chance);
  yield* sortedSets(chance);
  yield* timesToLive();
}

function* another(name: string, chance: Chance): Iterable<Words> {
  yield ['SET', `db:${name}`, chance.bytes(40)];
  yield ['SET', 'string:plain', `not the one of database 0, but of ${name}`];
  yield ['HSET', `db:${name}:hash`, 'field', chance.sentence(5)];
  yield ['SET', `db:${name}:mortal`, 'value', 'EXAT', FAR_SECONDS];
}

function* strings(chance: Chance): Iterable<Words> {
  yield ['SET', 'string:plain', 'value'];
  yield ['SET', 'string:empty', ''];
  yield ['SET', 'string:number', '-9223372036854775808'];
  yield ['INCRBYFLOAT', 'string:float', '3.0e-3'];
  yield ['SET', 'string:binary', ALL_BYTES];
  yield ['SET', 'string:utf8', 'Grüße, 世界 😀'];
  yield ['SET', 'string:raw', chance.sentence(20)];
  yield ['APPEND', 'string:raw', 'and more'];
  yield ['SET', 'string:compressible', 'abc'.repeat(10_000)];
  yield ['SET', 'string:big', chance.bytes(BIG_BYTES)];
  yield ['SET', Buffer.concat([Buffer.from('key:binary:'), ALL_BYTES]), 'under a binary name'];
  yield ['SET', 'key with spaces, "quotes" and\r\nlines', 'value'];
  yield ['SET', '', 'under the empty name'];
}

function* bits(): Iterable<Words> {
  for (const offset of [0, 7, 100, 65_537]) yield ['SETBIT', 'bitmap:sparse', offset, 1];
  yield ['BITFIELD', 'bitmap:fields', 'SET', 'u8', 0, 200, 'SET', 'i16', '#3', -1234];
  yield ['PFADD', 'hll:sparse', 'a', 'b', 'c'];
  yield ['PFADD', 'hll:dense', ...Array.from({ length: HLL_DENSE_ELEMENTS }, (_, index) => `element ${String(index)}`)];
  // Counting writes the count into the value: from now on it stays as it is.
  yield ['PFCOUNT', 'hll:sparse'];
  yield ['PFCOUNT', 'hll:dense'];
}

function* lists(chance: Chance): Iterable<Words> {
  yield ['RPUSH', 'list:small', 'a', '1', '-70000', ALL_BYTES, ''];
  yield ['RPUSH', 'list:nodes', ...Array.from({ length: MANY }, () => chance.bytes(100))];
  yield ['LPUSH', 'list:nodes', 'first'];
  // Larger than a node: kept plain.
  yield ['RPUSH', 'list:big', chance.bytes(BIG_BYTES), 'after it'];
}

function* sets(chance: Chance): Iterable<Words> {
  yield ['SADD', 'set:integers:16', ...[-3, 0, 7, 30_000]];
  yield ['SADD', 'set:integers:64', ...['9223372036854775807', '-5', '70000']];
  yield ['SADD', 'set:small', 'a', 'b', ALL_BYTES];
  yield ['SADD', 'set:table', ...Array.from({ length: MANY }, () => chance.bytes(20))];
  yield ['SADD', 'set:long', chance.bytes(LONG_BYTES), 'short'];
}

function* hashes(chance: Chance): Iterable<Words> {
  yield ['HSET', 'hash:small', 'a', '1', 'b', '', ALL_BYTES, ALL_BYTES];
  yield ['HSET', 'hash:table', ...manyFields(MANY, chance)];
  yield ['HSET', 'hash:long', 'field', chance.bytes(LONG_BYTES)];
  yield ['HSET', 'hash:mortal:small', 'lasting', 'value', 'mortal', 'value', 'later', 'value'];
  yield ['HEXPIREAT', 'hash:mortal:small', FAR_SECONDS, 'FIELDS', 1, 'mortal'];
  yield ['HPEXPIREAT', 'hash:mortal:small', FAR_MS, 'FIELDS', 1, 'later'];
  yield ['HSET', 'hash:mortal:table', ...manyFields(MANY, chance)];
  yield ['HPEXPIREAT', 'hash:mortal:table', FAR_MS, 'FIELDS', 3, 'field 0', 'field 5', 'field 699'];
}

function* sortedSets(chance: Chance): Iterable<Words> {
  yield ['ZADD', 'zset:small', 1, 'one', '1.5', 'one and a half', '-inf', 'lowest', '+inf', 'highest', '-0', 'zero'];
  yield ['ZADD', 'zset:small', '0.1', 'a tenth', '1.7976931348623157e308', 'large', '5e-324', 'tiny'];
  const members = Array.from({ length: MANY }, (_, index) => [
    chance.between(-1e6, 1e6) / 7,
    `member ${String(index)}`,
  ]);
  yield ['ZADD', 'zset:list', ...members.flat()];
  yield ['GEOADD', 'geo', '13.361389', '38.115556', 'Palermo', '15.087269', '37.502669', 'Catania', -180, -85, 'edge'];
}

function* timesToLive(): Iterable<Words> {
  yield ['SET', 'ttl:seconds', 'value', 'EXAT', FAR_SECONDS];
  yield ['SET', 'ttl:milliseconds', 'value', 'PXAT', FAR_MS];
  yield ['RPUSH', 'ttl:list', 'a'];
  yield ['PEXPIREAT', 'ttl:list', FAR_MS];
  yield ['SET', 'ttl:taken', 'value', 'EXAT', FAR_SECONDS];
  yield ['PERSIST', 'ttl:taken'];
}

export function manyFields(count: number, chance: Chance): Words {
  return Array.from({ length: count }, (_, index) => [`field ${String(index)}`, chance.sentence(4)]).flat();
}
