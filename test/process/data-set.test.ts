/**
 * The data set and the reader by which backups are proven: that the reader finds a planted difference of every kind, and
 * nothing where two servers hold the same. No code of nexus3 is on trial here.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../support/break.js';
import { differences, digestOf, type Contents } from '../support/data-set/contents.js';
import { fill } from '../support/data-set/fill.js';
import { readEverything } from '../support/data-set/read-everything.js';
import { textOf, Wire, type Door, type Words } from '../support/data-set/wire.js';
import { ENGINE_TIMEOUT_MS } from '../support/engine.js';
import { startServer, TEST_CREDENTIALS, type TestServer } from '../support/redis-server.js';

const SEED = 20_260_108;
const BYTES = 1_000_000;
/** What the same seed does not make the same: when a consumer read. */
const WHEN_CONSUMERS_READ = / consumer .* (seen-time|active-time|pending)$| pending \d/;

/** What is done in database 0, and the paths at which a difference must be named. */
const PLANTED: readonly (readonly [string, readonly Words[], ...RegExp[]])[] = [
  ['a string', [['APPEND', 'string:plain', '!']], /string "string:plain": "value!", was "value"/],
  ['a large string', [['SETRANGE', 'string:big', 200_000, 'x']], /string "string:big": sha256 .*, was sha256/],
  ['a bit', [['SETBIT', 'bitmap:sparse', 65_536, 1]], /string "bitmap:sparse"/],
  [
    'a binary name',
    [['DEL', Buffer.concat([Buffer.from('key:binary:'), allBytes()])]],
    /string sha256 .*: missing/,
    /keys/,
  ],
  ['another key', [['SET', 'another', '']], /string "another": "", was not there/, /db0 keys/],
  [
    'a count',
    [['PFADD', 'hll:dense', 'x', 'y', 'z', '1', '2', '3', '4', '5', '6', '7', '8', '9']],
    /"hll:dense": /,
    /.*/,
  ],
  ['an element of a list', [['LSET', 'list:nodes', 300, 'x']], /list "list:nodes" \[300\]: "x", was sha256/],
  ['a member of a set', [['SREM', 'set:integers:16', '7']], /member "7": missing/, /size: 3, was 4/],
  ['a field', [['HSET', 'hash:table', 'field 5', 'x']], /hash "hash:table" field "field 5": "x"/],
  [
    'a field’s life',
    [['HPERSIST', 'hash:mortal:table', 'FIELDS', 1, 'field 5']],
    /field "field 5" expires at: missing/,
  ],
  ['a score', [['ZINCRBY', 'zset:list', '0.0000001', 'member 5']], /zset "zset:list" member "member 5"/],
  ['a place', [['GEOADD', 'geo', '13.4', '38.1', 'Palermo']], /zset "geo" member "Palermo"/],
  ['a time to live', [['PEXPIREAT', 'ttl:seconds', 2_524_608_000_001]], /"ttl:seconds" expires at: 2524608000001/],
  ['a time to live that ends', [['PERSIST', 'ttl:list']], /list "ttl:list" expires at: missing/],
  ['an entry', [['XDEL', 'stream:plain', '1700000000007-1']], /entry 1700000000007-1: missing/, /length/],
  ['an id', [['XSETID', 'stream:trimmed', '3-0']], /stream "stream:trimmed" last-generated-id: 3-0, was 2-1/],
  ['a group', [['XGROUP', 'DESTROY', 'stream:never-written', 'waiting']], ...many(/group "waiting"/, 5)],
  [
    'a place in a group',
    [['XGROUP', 'SETID', 'stream:groups', 'late', '7-0']],
    ...many(/"late" (last-delivered|lag)/, 2),
  ],
  [
    'an acknowledgement',
    [['XACK', 'stream:groups', 'workers', '13-0']],
    ...many(/group "workers" .*(13-0|pel-count|pending|XPENDING)/, 5),
  ],
  ['a consumer', [['XGROUP', 'DELCONSUMER', 'stream:groups', 'workers', 'idle']], ...many(/consumer "idle"/, 4)],
  ['code', [['FUNCTION', 'DELETE', 'greeting']], ...many(/"greeting"|functions dumped/, 3)],
  ['a node', [graph('MATCH (p:Person {id: 9}) DETACH DELETE p')], /node 12: missing/, /.*/],
  [
    'a property',
    [graph("MATCH (p:Person {id: 10}) SET p.name = 'x'")],
    /node 13 property "name": "x", was "person 10"/,
  ],
  ['the type of a property', [graph("MATCH (e:Everything) SET e.id = '1'")], /"id": "1", was integer 1/],
  [
    'a vector',
    [graph('MATCH (e:Everything) SET e.vector = NULL'), graph('MATCH (e:Everything) SET e.vector = vecf32([1, 2, 3])')],
    /node 0 property "vector"/,
  ],
  ['a label', [graph('MATCH (p:Person {id: 11}) SET p:Other')], /node 14: \["Other", "Person"\], was \["Person"\]/],
  ['an edge', [graph('MATCH (:Person {id: 2})-[o:OWES]->() DELETE o')], ...many(/edge/, 3)],
  [
    'a property of an edge',
    [graph('MATCH (:Person {id: 20})-[k:KNOWS]->() SET k.how = 1')],
    ...many(/property "how": integer 1/, 2),
  ],
  [
    'an index',
    [graph('DROP FULLTEXT INDEX FOR ()-[k:KNOWS]-() ON (k.how)')],
    ...many(/index of "RELATIONSHIP" "KNOWS"/, 2),
  ],
  [
    'a constraint',
    [['GRAPH.CONSTRAINT', 'DROP', 'graph:small', 'MANDATORY', 'NODE', 'Person', 'PROPERTIES', 1, 'id']],
    /constraint "MANDATORY" "NODE" "Person" \["id"\]: missing/,
  ],
  ['a function of graphs', [['GRAPH.UDF', 'DELETE', 'words']], /graph functions/],
  [
    'a key of another database',
    [
      ['SELECT', 3],
      ['SET', 'db:three', 'x'],
      ['SELECT', 0],
    ],
    /db3 string "db:three": "x"/,
  ],
  [
    'a graph of another database',
    [
      ['SELECT', 1],
      ['GRAPH.DELETE', 'graph:elsewhere'],
      ['SELECT', 0],
    ],
    ...many(/db1/, 26),
  ],
];

function graph(query: string): Words {
  return ['GRAPH.QUERY', 'graph:small', query];
}

function allBytes(): Buffer {
  return Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
}

function many(path: RegExp, count: number): readonly RegExp[] {
  return Array.from({ length: count }, () => path);
}

describe('the data set, and the reader that proves backups', () => {
  let vault: TestServer;
  let seen: Contents;

  const doorOf = (server: TestServer, role: 'vault' | 'operational'): Door => ({
    socket: server.address,
    username: 'admin',
    password: TEST_CREDENTIALS[role === 'vault' ? 'admin' : 'operational-admin'].reveal(),
  });

  beforeAll(async () => {
    vault = await startServer({ role: 'vault' });
    await fill(doorOf(vault, 'vault'), { seed: SEED, bytes: BYTES });
    seen = await readEverything(doorOf(vault, 'vault'));
  }, ENGINE_TIMEOUT_MS);
  afterAll(async () => {
    await vault[Symbol.asyncDispose]();
  });

  it('a replica that was filled by a full sync holds the same, field by field', async () => {
    await using replica = await startServer({ role: 'operational', vault: vault.address });
    const isUp = async (): Promise<boolean> => {
      await using wire = await Wire.open(doorOf(replica, 'operational'));
      return textOf(await wire.ask('INFO', 'replication')).includes('master_link_status:up');
    };
    await until(isUp, 'the full sync');
    const held = await readEverything(doorOf(replica, 'operational'));
    expect(differences(seen, held)).toEqual([]);
    expect(digestOf(held)).toBe(digestOf(seen));
  });

  it('the same seed makes the same, another one something else', async () => {
    await using other = await startServer({ role: 'vault' });
    const door = doorOf(other, 'vault');
    await fill(door, { seed: SEED, bytes: BYTES });
    const without = { without: WHEN_CONSUMERS_READ };
    expect(
      differences(await readEverything(doorOf(vault, 'vault'), without), await readEverything(door, without)),
    ).toEqual([]);
    await using wire = await Wire.open(door);
    await wire.ask('FLUSHALL');
    await wire.ask('FUNCTION', 'FLUSH');
    await fill(door, { seed: SEED + 1, bytes: BYTES });
    expect(differences(seen, await readEverything(door, without)).length).toBeGreaterThan(1);
  });

  it.each(PLANTED.map(([what, commands, ...paths]) => [what, { commands, paths }] as const))(
    '%s that differs is named',
    async (_what, { commands, paths }) => {
      await using wire = await Wire.open(doorOf(vault, 'vault'));
      for (const words of commands) await wire.ask(...words);
      const now = await readEverything(doorOf(vault, 'vault'));
      const found = differences(seen, now);
      seen = now;
      expect(found.length).toBeGreaterThanOrEqual(paths.length);
      for (const path of paths) {
        const named = found.filter((line) => path.test(line));
        expect(named, `${String(path)} in\n${found.join('\n')}`).not.toEqual([]);
      }
    },
  );
});
