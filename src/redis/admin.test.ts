import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../../test/support/break.js';
import { ENGINE_TIMEOUT_MS, testEngine } from '../../test/support/engine.js';
import { startServer, TEST_CREDENTIALS, type TestServer } from '../../test/support/redis-server.js';
import { Nexus3Error } from '../errors.js';
import { CONFIG_FILE } from '../protocol/layout.js';
import { Secret } from '../protocol/secret.js';
import { passwordHash, renderUsersAcl } from '../protocol/users.js';
import { acceptsPassword, openAdmin } from './admin.js';
import { openConnection } from './connection.js';
import { openSession } from './session.js';
import { writeAndRead } from './write-read.js';

const OPERATIONAL_ADMIN = TEST_CREDENTIALS['operational-admin'];
const APPLICATION = { user: 'default', password: TEST_CREDENTIALS.default };

let vault: TestServer;
let operational: TestServer;

beforeAll(async () => {
  await testEngine();
  vault = await startServer({ role: 'vault' });
  operational = await startServer({ role: 'operational', vault: vault.address });
  using writer = await openConnection(vault.address, APPLICATION);
  const graph = (name: string, query: string): readonly string[] => ['GRAPH.QUERY', name, query];
  await writer.pipeline([
    ['SET', 'k', 'v'],
    ['SET', 'passing', 'v', 'EX', '1000'],
    graph('people', 'CREATE (a:Person {n: 1})-[:KNOWS]->(b:Person {n: 2})-[:KNOWS]->(c:City {n: 3})'),
    graph('people', 'CREATE INDEX FOR (p:Person) ON (p.n)'),
    ['GRAPH.CONSTRAINT', 'CREATE', 'people', 'UNIQUE', 'NODE', 'Person', 'PROPERTIES', '1', 'n'],
    ['SELECT', '3'],
    ['SET', 'k3', 'v'],
    graph('elsewhere', 'CREATE (:A)'),
  ]);
  await writeAndRead(vault.address, TEST_CREDENTIALS.default, operational.address);
}, ENGINE_TIMEOUT_MS);

afterAll(async () => {
  await operational[Symbol.asyncDispose]();
  await vault[Symbol.asyncDispose]();
});

async function failureOf(work: Promise<unknown>): Promise<Nexus3Error> {
  const error: unknown = await work.then(
    () => undefined,
    (caught: unknown) => caught,
  );
  if (error instanceof Nexus3Error) return error;
  throw new Error(`no error of ours: ${String(error)}`);
}

describe('an administrator', () => {
  it('is not let in with another password', async () => {
    const error = await failureOf(openAdmin(vault.address, TEST_CREDENTIALS.default));
    expect(error).toMatchObject({ code: 'REDIS_REPLY_UNEXPECTED' });
    expect(error.evidence.join()).toContain('WRONGPASS');
  });

  it('counts the same on both sides, graphs and all', async () => {
    await using on = await openAdmin(vault.address, TEST_CREDENTIALS.admin);
    await using beside = await openAdmin(operational.address, OPERATIONAL_ADMIN);
    const graphs = await on.countGraphs();
    expect(graphs).toEqual([
      { name: 'db3/elsewhere', nodes: 1, edges: 0, labels: 1, indexes: 0, constraints: 0 },
      { name: 'people', nodes: 3, edges: 2, labels: 2, indexes: 1, constraints: 1 },
    ]);
    expect(await beside.countGraphs()).toEqual(graphs);
    // k, passing, people, k3 and elsewhere; not the probe of beforeAll.
    expect(await on.countKeys()).toEqual({ keys: 5, expiring: 1 });
    expect(await beside.countKeys()).toEqual({ keys: 5, expiring: 1 });
  });

  it('says how far replication has come, on both sides of it', async () => {
    await using on = await openAdmin(vault.address, TEST_CREDENTIALS.admin);
    await using beside = await openAdmin(operational.address, OPERATIONAL_ADMIN);
    await until(async () => (await on.replicationOffset()) === (await beside.replicationOffset()), 'the same place');
    expect(await on.replicationOffset()).toBeGreaterThan(0);
  });

  it('says which constraints are still being enforced, and counts only those in force', async () => {
    await using on = await openAdmin(vault.address, TEST_CREDENTIALS.admin);
    using writer = await openConnection(vault.address, APPLICATION);
    const graph = 'many';
    await writer.send(['GRAPH.QUERY', graph, 'UNWIND range(1, 20000) AS n CREATE (:Item {id: n, kind: n % 10})']);
    for (const property of ['id', 'kind']) {
      await writer.send(['GRAPH.QUERY', graph, `CREATE INDEX FOR (i:Item) ON (i.${property})`]);
      await writer.send(['GRAPH.CONSTRAINT', 'CREATE', graph, 'UNIQUE', 'NODE', 'Item', 'PROPERTIES', '1', property]);
    }
    expect(await on.graphsEnforcing()).toEqual([graph]);
    const inForce = async (): Promise<number | undefined> =>
      (await on.countGraphs()).find(({ name }) => name === graph)?.constraints;
    expect(await inForce()).toBeLessThan(2);
    await until(async () => (await on.graphsEnforcing()).length === 0, 'what is in force');
    expect(await inForce(), 'one has failed').toBe(1);
    await writer.send(['GRAPH.DELETE', graph]);
  }, 20_000);

  it('counts and asks while graphs come and go', async () => {
    await using on = await openAdmin(vault.address, TEST_CREDENTIALS.admin);
    using writer = await openConnection(vault.address, APPLICATION);
    const names = Array.from({ length: 100 }, (_, index) => `passing${String(index)}`);
    let isOver = false;
    const churn = async (): Promise<void> => {
      while (!isOver) {
        await writer.pipeline(names.map((name) => ['GRAPH.QUERY', name, 'CREATE (:Passing)']));
        await writer.pipeline(names.map((name) => ['GRAPH.DELETE', name]));
      }
    };
    const churning = churn();
    try {
      for (let round = 0; round < 10; round += 1) {
        expect(await on.graphsEnforcing()).toEqual([]);
        expect((await on.countGraphs()).map(({ name }) => name)).toEqual(expect.arrayContaining(['people']));
      }
    } finally {
      isOver = true;
      await churning;
    }
  });

  it('does not count what the graph module keeps for itself', async () => {
    await using on = await openAdmin(vault.address, TEST_CREDENTIALS.admin);
    const before = await on.countKeys();
    using writer = await openConnection(vault.address, APPLICATION);
    await writer.send(['XADD', 'telemetry{people}', '*', 'a', 'b']);
    expect(await on.countKeys()).toEqual(before);
    await writer.send(['DEL', 'telemetry{people}']);
  });

  it('changes a directive, and is told of one that there is not', async () => {
    await using on = await openAdmin(vault.address, TEST_CREDENTIALS.admin);
    await on.setConfig('tcp-keepalive', '61');
    using admin = await openConnection(vault.address, { user: 'admin', password: TEST_CREDENTIALS.admin });
    expect(String((await admin.send(['CONFIG', 'GET', 'tcp-keepalive'])) as unknown)).toContain('61');
    await on.setConfig('tcp-keepalive', '60');
    expect((await failureOf(on.setConfig('no-such-directive', '1'))).message).toContain('CONFIG SET no-such-directive');
  });

  it('does not show a password that a server refuses', async () => {
    const password = 'x'.repeat(2_000);
    await using on = await openAdmin(operational.address, OPERATIONAL_ADMIN);
    const error = await failureOf(on.setConfig('masterauth\n', password));
    expect(JSON.stringify([error.message, error.evidence, error.hint])).not.toContain(password);
  });

  it('takes the operational off its vault and puts it back', async () => {
    await using on = await openAdmin(operational.address, OPERATIONAL_ADMIN);
    await on.replicaOfNoOne();
    const error = await failureOf(writeAndReadFast());
    expect(error.code).toBe('NOT_PROVEN');
    await on.replicaOf(vault.address);
    await on.replicaOf(vault.address);
    expect(await writeAndReadFast()).toBeGreaterThan(0);
  });

  it('puts rendered users in force, and keeps its own connection or says that it is gone', async () => {
    const path = join(vault.configDir, CONFIG_FILE.usersAcl);
    const before = await readFile(path, 'utf8');
    const changed = { ...TEST_CREDENTIALS, default: new Secret('another'), admin: new Secret('another-admin') };
    await using on = await openAdmin(vault.address, TEST_CREDENTIALS.admin);
    await writeFile(path, renderUsersAcl('vault', 'standard', changed));
    await on.loadUsers();
    expect((await failureOf(openConnection(vault.address, APPLICATION))).evidence.join()).toContain('WRONGPASS');
    await using again = await openAdmin(vault.address, changed.admin);
    await writeFile(path, before);
    await again.loadUsers();
    await writeAndReadFast();
  });

  it('lets two passwords open a user, then one, and disconnects nobody', async () => {
    const next = new Secret('the next password');
    await using on = await openAdmin(vault.address, TEST_CREDENTIALS.admin);
    using application = await openConnection(vault.address, APPLICATION);
    const [before] = await on.replicaConnections('replicator');
    const accepts = async (): Promise<readonly boolean[]> =>
      Promise.all([APPLICATION.password, next].map((password) => acceptsPassword(vault.address, 'default', password)));
    await on.setPasswords('default', [passwordHash(APPLICATION.password), passwordHash(next)]);
    expect(await accepts()).toEqual([true, true]);
    await on.setPasswords('default', [passwordHash(next)]);
    await on.setPasswords('default', [passwordHash(next)]);
    expect(await accepts()).toEqual([false, true]);
    expect(await application.send(['PING'])).toBe('PONG');
    expect(await on.replicaConnections('replicator')).toEqual([before]);
    await on.setPasswords('default', [passwordHash(APPLICATION.password)]);
    expect((await failureOf(on.setPasswords('default', ['#no-hash']))).message).toContain('ACL SETUSER default');
    expect(await accepts()).toEqual([true, false]);
  });

  it('makes the operational connect again', async () => {
    await using on = await openAdmin(vault.address, TEST_CREDENTIALS.admin);
    const before = await on.replicaConnections('replicator');
    expect(before).toHaveLength(1);
    expect(await on.replicaConnections('backup')).toEqual([]);
    await on.disconnect('replicator');
    const again = async (): Promise<readonly string[]> =>
      (await on.replicaConnections('replicator')).filter((id) => !before.includes(id));
    await until(async () => (await again()).length === 1, 'the reconnect');
    await writeAndReadFast();
  });

  it('is told of users that cannot be loaded, and the old ones stay', async () => {
    const path = join(vault.configDir, CONFIG_FILE.usersAcl);
    const before = await readFile(path, 'utf8');
    await using on = await openAdmin(vault.address, TEST_CREDENTIALS.admin);
    await writeFile(path, 'user broken +@nonsense\n');
    expect((await failureOf(on.loadUsers())).message).toContain('ACL LOAD');
    await writeFile(path, before);
    await writeAndReadFast();
  });

  it('saves a snapshot that is on disk when it says so, also twice at once', async () => {
    const path = join(operational.dataDir, 'dump.rdb');
    await using on = await openAdmin(operational.address, OPERATIONAL_ADMIN);
    await using beside = await openAdmin(operational.address, OPERATIONAL_ADMIN);
    const startedAt = Date.now();
    await sleep(10);
    await Promise.all([on.save(), beside.save()]);
    expect((await stat(path)).mtimeMs).toBeGreaterThan(startedAt);
  });

  it('is told of a snapshot that failed', async () => {
    await using lost = await startServer({
      role: 'operational',
      extraLines: ['replicaof no one', 'dir /proc', 'save ""'],
    });
    await using on = await openAdmin(lost.address, OPERATIONAL_ADMIN);
    expect((await failureOf(on.save())).message).toContain('could not save');
  });

  const writeAndReadFast = (): Promise<number> =>
    writeAndRead(vault.address, TEST_CREDENTIALS.default, operational.address);
});

describe('what is written on the vault', () => {
  it('is read on the vault itself where there is no operational', async () => {
    expect(await writeAndRead(vault.address, TEST_CREDENTIALS.default, undefined)).toBeGreaterThan(0);
  });

  it('goes the way that clients go: the password must be right', async () => {
    const error = await failureOf(writeAndRead(vault.address, TEST_CREDENTIALS.admin, operational.address));
    expect(error.code).toBe('REDIS_REPLY_UNEXPECTED');
  });

  it('is gone as soon as it was read, and counted nowhere', async () => {
    await writeAndRead(vault.address, TEST_CREDENTIALS.default, operational.address);
    using reader = await openConnection(vault.address, APPLICATION);
    const probes = ((await reader.send(['KEYS', 'nexus3:probe:*'])) as Buffer[]).map(String);
    // Those of the tests above that could not be read expire.
    for (const key of probes) {
      const ttl = await reader.send(['TTL', key]);
      expect(ttl).toBeGreaterThan(0);
      expect(ttl).toBeLessThanOrEqual(60);
    }
    await writeAndRead(vault.address, TEST_CREDENTIALS.default, operational.address);
    expect(((await reader.send(['KEYS', 'nexus3:probe:*'])) as Buffer[]).map(String).toSorted()).toEqual(
      probes.toSorted(),
    );
  });
});

describe('a session at a prompt', () => {
  it('shows replies and errors as text', async () => {
    using session = await openSession(vault.address, APPLICATION);
    expect(await session.send(['SET', 'prompt', 'a b'])).toBe('OK');
    expect(await session.send(['GET', 'prompt'])).toBe('"a b"');
    expect(await session.send(['CONFIG', 'GET', '*'])).toMatch(/^\(error\) NOPERM/);
    expect(await session.send(['NONSENSE'])).toMatch(/^\(error\) ERR unknown command/);
    expect(await session.send(['DEL', 'prompt'])).toBe('(integer) 1');
  });

  it.each(['MONITOR', 'subscribe', 'CLIENT REPLY OFF'])('refuses %s, which takes the connection over', async (line) => {
    using session = await openSession(vault.address, APPLICATION);
    expect((await failureOf(session.send(line.split(' ')))).code).toBe('USAGE');
    expect(await session.send(['PING'])).toBe('PONG');
  });
});
