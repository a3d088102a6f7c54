/** Never open: what a client without a password can do on an operational, in whatever state it is. Real commands. */
import { createClient } from '@redis/client';
import { FalkorDB } from 'falkordb';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ATTACKS, isRefused } from '../../test/support/attacks.js';
import { ENGINE_TIMEOUT_MS, testEngine } from '../../test/support/engine.js';
import { startServer, TEST_CREDENTIALS, type TestServer } from '../../test/support/redis-server.js';
import { openAdmin } from './admin.js';
import { Connection, openConnection } from './connection.js';
import { expectList, expectText, isErrorOf, isList, textOf, type Reply } from './replies.js';
import { writeAndRead } from './write-read.js';

/** Called administration or dangerous by Redis' own categories, and yet given, because all they do is tell. */
const GIVEN: ReadonlySet<string> = new Set([
  ...['info', 'role', 'sort_ro', 'lastsave', 'module|list'],
  ...['graph.ro_query', 'graph.list', 'graph.info', 'graph.memory'],
]);

let vault: TestServer;
let operational: TestServer;

beforeAll(async () => {
  await testEngine();
  vault = await startServer({ role: 'vault' });
  operational = await startServer({ role: 'operational', vault: vault.address });
  using writer = await openConnection(vault.address, { user: 'default', password: TEST_CREDENTIALS.default });
  await writer.pipeline([
    ['SET', 'k', 'value'],
    ['GRAPH.QUERY', 'g', 'CREATE (:L {p: 1})'],
  ]);
  await writeAndRead(vault.address, TEST_CREDENTIALS.default, operational.address);
}, ENGINE_TIMEOUT_MS);

afterAll(async () => {
  await operational[Symbol.asyncDispose]();
  await vault[Symbol.asyncDispose]();
});

/** What was not refused, of the list and of everything that this server calls dangerous. */
async function breaches(): Promise<readonly string[]> {
  using stranger = await Connection.open(operational.address);
  const found: string[] = [];
  for (const attack of ATTACKS) {
    const reply = await stranger.send(attack.split(' '));
    if (!isRefused(reply)) found.push(`${attack}: ${textOf(reply) ?? JSON.stringify(reply)}`);
  }
  for (const { name, arity } of await dangerousCommands()) {
    const words = name.split('|');
    const filler = Array.from({ length: Math.max(0, Math.abs(arity) - words.length) }, () => '1');
    const reply = await stranger.send([...words, ...filler]);
    if (!isRefused(reply)) found.push(`${name}: ${textOf(reply) ?? JSON.stringify(reply)}`);
  }
  return found;
}

/** Every command and subcommand that writes, administers or runs code, and every one of the graph module. */
async function dangerousCommands(): Promise<readonly { name: string; arity: number }[]> {
  using admin = await openConnection(operational.address, {
    user: 'admin',
    password: TEST_CREDENTIALS['operational-admin'],
  });
  const all = expectList(await admin.send(['COMMAND']), 'COMMAND').flatMap(flattenCommand);
  return all.filter(({ name, traits, isContainer }) => {
    if (isContainer || GIVEN.has(name)) return false;
    return (
      name.startsWith('graph.') ||
      ['write', 'admin', '@dangerous', '@admin', '@write', '@scripting'].some((trait) => traits.includes(trait))
    );
  });
}

interface CommandTraits {
  readonly name: string;
  readonly arity: number;
  readonly traits: readonly string[];
  readonly isContainer: boolean;
}

/** `[name, arity, flags, first, last, step, categories, tips, key specifications, subcommands]` */
function flattenCommand(entry: Reply): readonly CommandTraits[] {
  const [name, arity, flags, , , , categories, , , subcommands] = expectList(entry, 'COMMAND');
  const subs = isList(subcommands) ? subcommands.flatMap(flattenCommand) : [];
  const traits = [...expectList(flags, 'COMMAND'), ...expectList(categories, 'COMMAND')].map((trait) =>
    expectText(trait, 'COMMAND'),
  );
  return [
    { name: expectText(name, 'COMMAND').toLowerCase(), arity: Number(arity), traits, isContainer: subs.length > 0 },
    ...subs,
  ];
}

describe('a client without a password on the operational', () => {
  it('is refused everything that is not reading', async () => {
    expect((await dangerousCommands()).length).toBeGreaterThan(150);
    expect(await breaches()).toEqual([]);
  });

  it('is refused the same within a transaction', async () => {
    using stranger = await Connection.open(operational.address);
    const replies = await stranger.pipeline([['MULTI'], ['SET', 'k', 'other'], ['EXEC']]);
    expect(isErrorOf(replies[1], 'NOPERM')).toBe(true);
    expect(JSON.stringify(replies[2])).toContain('EXECABORT');
  });

  it('is refused the same after the administrator promoted it', async () => {
    await using admin = await openAdmin(operational.address, TEST_CREDENTIALS['operational-admin']);
    await admin.replicaOfNoOne();
    expect(await breaches()).toEqual([]);
    await admin.replicaOf(vault.address);
  });

  it('is refused the same after a restart', async () => {
    await operational.restart();
    expect(await breaches()).toEqual([]);
  });

  it('does not become the administrator by guessing', async () => {
    using stranger = await Connection.open(operational.address);
    for (const guess of ['', 'admin', TEST_CREDENTIALS.admin, TEST_CREDENTIALS.replicator]) {
      // One by one: a failed AUTH behind an unsent reply is not answered at all.
      expect(await stranger.send(['AUTH', 'admin', guess])).toMatchObject({ kind: 'WRONGPASS' });
    }
    expect(await stranger.send(['HELLO', '2', 'AUTH', 'admin', 'admin'])).toMatchObject({ kind: 'WRONGPASS' });
    expect(isRefused(await stranger.send(['ACL', 'WHOAMI']))).toBe(true);
  });
});

describe('the clients people use connect and read without a password', () => {
  beforeAll(() => writeAndRead(vault.address, TEST_CREDENTIALS.default, operational.address));

  it('node-redis', async () => {
    const client = createClient({ socket: { ...operational.address, reconnectStrategy: false } });
    await client.connect();
    expect(await client.get('k')).toBe('value');
    expect(await client.multi().get('k').exists('k').exec()).toEqual(['value', 1]);
    await expect(client.set('k', 'other')).rejects.toThrow('NOPERM');
    client.destroy();
  });

  it('ioredis', async () => {
    const client = new Redis({ ...operational.address, lazyConnect: true, retryStrategy: () => null });
    await client.connect();
    expect(await client.get('k')).toBe('value');
    expect(await client.pipeline().get('k').strlen('k').exec()).toEqual([
      [null, 'value'],
      [null, 5],
    ]);
    await expect(client.set('k', 'other')).rejects.toThrow('NOPERM');
    client.disconnect();
  });

  it('falkordb', async () => {
    const client = await FalkorDB.connect({ socket: { ...operational.address } });
    const graph = client.selectGraph('g');
    expect((await graph.roQuery('MATCH (n:L) RETURN n.p AS p')).data).toEqual([{ p: 1 }]);
    expect(await client.list()).toEqual(['g']);
    await expect(graph.query('CREATE (:L)')).rejects.toThrow('NOPERM');
    await client.close();
  });
});
