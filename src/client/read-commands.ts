/**
 * Which commands are reads: what the operational's anonymous user may do, and no other. A read may be answered by
 * either server; anything else must never reach the vault through `operational`, whatever state that is in.
 */

/** `ACL CAT read` of Redis 8.2, less what is refused to everybody (KEYS, DUMP, LOLWUT), and the graph reads. A test compares. */
export const READS: ReadonlySet<string> = new Set(
  [
    'bitcount bitfield_ro bitpos dbsize exists expiretime geodist geohash geopos georadius_ro georadiusbymember_ro',
    'geosearch get getbit getrange hexists hexpiretime hget hgetall hkeys hlen hmget hpexpiretime hpttl hrandfield',
    'hscan hstrlen httl hvals lcs lindex llen lpos lrange memory mget object pexpiretime pfcount pttl randomkey scan',
    'scard sdiff sinter sintercard sismember smembers smismember sort_ro srandmember sscan strlen substr sunion touch',
    'ttl type xinfo xlen xpending xrange xread xrevrange zcard zcount zdiff zinter zintercard zlexcount zmscore',
    'zrandmember zrange zrangebylex zrangebyscore zrank zrevrange zrevrangebylex zrevrangebyscore zrevrank zscan zscore',
    'zunion graph.ro_query graph.list graph.memory',
  ]
    .join(' ')
    .toUpperCase()
    .split(' '),
);

/** About one server or one connection: asked of the operational alone, because another server's answer would mean something else. */
const OWN: ReadonlySet<string> = new Set(
  [
    'ping echo info role wait command client hello auth readonly watch unwatch multi exec discard module lastsave',
    'graph.info graph.slowlog',
  ]
    .join(' ')
    .toUpperCase()
    .split(' '),
);

/** May wait in the server for as long as it was told to. */
const BLOCKING: ReadonlySet<string> = new Set(['XREAD']);

export type CommandKind = 'read' | 'own' | 'other';

export function commandKind(name: string): CommandKind {
  const upper = name.toUpperCase();
  return READS.has(upper) ? 'read' : OWN.has(upper) ? 'own' : 'other';
}

const SCANS: ReadonlySet<string> = new Set(['SCAN', 'HSCAN', 'SSCAN', 'ZSCAN']);
const PLAIN: ReadonlySet<unknown> = new Set([...READS].filter((name) => !SCANS.has(name)));

/** A read for which nothing has to be remembered, written as node-redis writes it; in other letters it is looked at more closely. */
export function isPlainRead(name: unknown): boolean {
  return PLAIN.has(name);
}

/** Cheap enough to be asked twice rather than to wait a round trip first. */
export function isCheap(name: string): boolean {
  const upper = name.toUpperCase();
  return !upper.startsWith('GRAPH.') && !BLOCKING.has(upper);
}
