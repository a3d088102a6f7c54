import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ENGINE_TIMEOUT_MS, testEngine } from '../../test/support/engine.js';
import { startFakeServer } from '../../test/support/fake-server.js';
import { freePort, startServer, TEST_CREDENTIALS, type TestServer } from '../../test/support/redis-server.js';
import type { Address } from '../protocol/redis-conf.js';
import { graphModuleArguments, runtimeDirectives } from '../protocol/redis-conf.js';
import { CREDENTIAL_NAMES } from '../protocol/users.js';
import { Secret } from '../protocol/secret.js';
import { DEFAULT_SETTINGS } from '../protocol/settings.js';
import { openConnection } from './connection.js';
import type { InstanceView } from './observation.js';
import { keysOf } from './observation.js';
import { probeInstance } from './probe.js';
import { writeAndRead } from './write-read.js';

/** As the protocol done by hand leaves an operational: anyone may do anything. */
const OPEN_USERS = 'user default on nopass sanitize-payload ~* &* +@all\n';
/** Anyone may look, but not administer. */
const HALF_OPEN_USERS = `user default on nopass sanitize-payload ~* &* -@all +@read +ping +info +config|get
user admin on sanitize-payload #${'0'.repeat(64)} ~* &* +@all\n`;

let vault: TestServer;
let operational: TestServer;
const servers: TestServer[] = [];

beforeAll(async () => {
  await testEngine();
  vault = await startServer({ role: 'vault' });
  operational = await startServer({ role: 'operational', vault: vault.address });
  servers.push(operational, vault);
  using writer = await openConnection(vault.address, { user: 'default', password: TEST_CREDENTIALS.default });
  await writer.pipeline([
    ['SET', 'k', 'v'],
    ['SELECT', '2'],
    ['SET', 'k', 'v', 'EX', '1000'],
  ]);
  await writeAndRead(vault.address, TEST_CREDENTIALS.default, operational.address);
}, ENGINE_TIMEOUT_MS);

afterAll(async () => {
  for (const server of servers) await server[Symbol.asyncDispose]();
});

function probe(address: Address, adminPassword?: Secret, masterauth?: Secret): Promise<InstanceView> {
  return probeInstance({ address, adminPassword, directives: ['maxmemory-policy', 'no-such-directive'], masterauth });
}

function opened(view: InstanceView): Extract<InstanceView, { state: 'open' }> {
  if (view.state !== 'open') throw new Error(`${view.state}: ${JSON.stringify(view)}`);
  return view;
}

describe('a look at a healthy pair', () => {
  it('shows the vault', async () => {
    const { server, anonymous } = opened(await probe(vault.address, TEST_CREDENTIALS.admin));
    expect(anonymous).toEqual({ pingAnswered: false, masterauthShown: false });
    expect(server).toMatchObject({ role: 'master', aofEnabled: true, loading: false, replica: undefined });
    expect(server.engine.graphModule).toBeGreaterThan(40_000);
    expect(server.moduleArguments).toEqual(graphModuleArguments(DEFAULT_SETTINGS));
    expect(server.processId).toBe(vault.pid);
    expect(server.replicas).toHaveLength(1);
    expect(server.keyspace.map(({ db }) => db)).toEqual([0, 2]);
    expect(keysOf(server)).toBe(2);
    expect([...server.config]).toEqual([['maxmemory-policy', 'noeviction']]);
  });

  it('shows the operational', async () => {
    const view = opened(
      await probe(operational.address, TEST_CREDENTIALS['operational-admin'], TEST_CREDENTIALS.replicator),
    );
    expect(view.anonymous).toEqual({ pingAnswered: true, masterauthShown: false });
    expect(view.server).toMatchObject({
      role: 'replica',
      aofEnabled: false,
      masterauthMatches: true,
      masteruser: 'replicator',
      replica: { master: vault.address, link: 'up', syncing: false },
    });
  });

  it('never shows a password, not even the one in force', async () => {
    const view = await probe(operational.address, TEST_CREDENTIALS['operational-admin'], new Secret('stale'));
    expect(opened(view).server.masterauthMatches).toBe(false);
    const shown = JSON.stringify(view, (_, value: unknown) => (value instanceof Map ? [...value] : value));
    for (const name of CREDENTIAL_NAMES) expect(shown).not.toContain(TEST_CREDENTIALS[name].reveal());
  });
});

describe('a look at a server that does not let the administrator in', () => {
  it('says locked with a wrong password, at once, and tells nothing of a vault', async () => {
    const startedAt = performance.now();
    const view = await probe(vault.address, new Secret('wrong'));
    expect(view).toEqual({
      state: 'locked',
      anonymous: { pingAnswered: false, masterauthShown: false },
      detail: expect.stringContaining('WRONGPASS') as string,
    });
    expect(performance.now() - startedAt).toBeLessThan(1_000);
  });

  it('says so, too, when it asks for as many settings as check does', async () => {
    const directives = runtimeDirectives('vault', DEFAULT_SETTINGS).map(({ name }) => name);
    expect(directives.length).toBeGreaterThan(10);
    const request = { address: vault.address, adminPassword: new Secret('wrong'), directives, masterauth: undefined };
    expect((await probeInstance(request)).state).toBe('locked');
    const known = opened(await probeInstance({ ...request, adminPassword: TEST_CREDENTIALS.admin }));
    expect([...known.server.config.keys()].toSorted()).toEqual(directives.toSorted());
  });

  it('tells what anybody is told of an operational', async () => {
    for (const password of [new Secret('wrong'), undefined]) {
      const view = await probe(operational.address, password);
      if (view.state !== 'locked') throw new Error(view.state);
      expect(view.server).toMatchObject({ role: 'replica', users: [], masterauthMatches: undefined });
      expect(view.server?.config.size).toBe(0);
    }
  });

  it('sees that anyone may write, and read the replication password', async () => {
    const foreign = await startServer({ role: 'operational', vault: vault.address, usersAcl: OPEN_USERS });
    servers.push(foreign);
    const view = opened(await probe(foreign.address));
    expect(view.anonymous).toEqual({ pingAnswered: true, masterauthShown: true });
    expect(view.server.users).toEqual([OPEN_USERS.trimEnd()]);
    expect((await probe(foreign.address, TEST_CREDENTIALS.admin)).state).toBe('locked');
  });

  it('sees a password that is shown though the rest is closed', async () => {
    const foreign = await startServer({ role: 'operational', vault: vault.address, usersAcl: HALF_OPEN_USERS });
    servers.push(foreign);
    const view = await probe(foreign.address, TEST_CREDENTIALS['operational-admin']);
    expect(view).toMatchObject({ state: 'locked', anonymous: { pingAnswered: true, masterauthShown: true } });
  });
});

describe('a look at a server that cannot answer', () => {
  it('loads its data', async () => {
    // Each of 300 keys takes 10 ms to load.
    const server = await startServer({
      role: 'operational',
      vault: vault.address,
      extraLines: ['replicaof no one', 'key-load-delay 10000', 'loading-process-events-interval-bytes 1024'],
    });
    servers.push(server);
    {
      using admin = await openConnection(server.address, {
        user: 'admin',
        password: TEST_CREDENTIALS['operational-admin'],
      });
      const value = randomBytes(4_000).toString('hex');
      const writes = Array.from({ length: 300 }, (_, index) => ['SET', `key-${String(index)}`, value]);
      await admin.pipeline([...writes, ['SAVE']]);
    }
    await server.restart();
    const view = await probe(server.address, TEST_CREDENTIALS['operational-admin']);
    // LOADING is an answer that only those get who are let in.
    expect(view).toEqual({ state: 'loading', anonymous: { pingAnswered: true, masterauthShown: false } });
  });

  it('is not there', async () => {
    const view = await probe({ host: '127.0.0.1', port: await freePort() }, TEST_CREDENTIALS.admin);
    expect(view).toMatchObject({ state: 'unreachable', cause: 'refused' });
  });

  it('is not Redis, and is not told the password', async () => {
    await using echo = await startFakeServer((socket) => socket.on('data', (chunk) => socket.write(chunk)));
    expect(await probe(echo.address, TEST_CREDENTIALS.admin)).toMatchObject({
      state: 'unreachable',
      cause: 'not-redis',
    });
    expect(echo.received()).not.toContain(TEST_CREDENTIALS.admin.reveal());
  });

  it('hangs', async () => {
    await using silent = await startFakeServer(() => undefined);
    expect(await probe(silent.address)).toMatchObject({ state: 'unreachable', cause: 'timeout' });
  });

  it('answers PONG to everything', async () => {
    await using parrot = await startFakeServer((socket) =>
      socket.on('data', (chunk: Buffer) => socket.write('+PONG\r\n'.repeat(chunk.toString().split('*').length - 1))),
    );
    expect((await probe(parrot.address, TEST_CREDENTIALS.admin)).state).toBe('locked');
  });

  it('knows only one section of INFO at a time, as before Redis 7', async () => {
    await using old = await startFakeServer((socket) =>
      socket.on('data', (chunk: Buffer) => {
        const info = 'redis_version:6.2.7\r\nrun_id:a\r\nrole:master\r\n';
        const text = chunk.toString();
        if (text.includes('everything')) socket.write(`$${String(info.length)}\r\n${info}\r\n`);
        else if (text.includes('INFO')) socket.write('-ERR syntax error\r\n-ERR Unknown subcommand\r\n*0\r\n*0\r\n');
        else socket.write('+PONG\r\n*0\r\n');
      }),
    );
    expect(opened(await probe(old.address)).server.engine.version).toBe('6.2.7');
  });
});
