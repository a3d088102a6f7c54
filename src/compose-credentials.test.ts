/** The helper as a program uses it: a real Locker, a real vault, and the clients that people have. */
import { createClient } from '@redis/client';
import { Redis } from 'ioredis';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ENGINE_TIMEOUT_MS, testEngine } from '../test/support/engine.js';
import { failureOf } from '../test/support/failure.js';
import { startServer, TEST_CREDENTIALS, type TestServer } from '../test/support/redis-server.js';
import { credentials, isWrongPassword } from './compose-credentials.js';
import { LockerDatabase } from './locker/database.js';
import { deriveOwnCredentials } from './locker/derive.js';
import { KEY } from './locker/keys.js';
import type { NewToken } from './locker/locker.js';
import { RootKey } from './locker/root-key.js';
import { LockerStore } from './locker/store.js';
import { LockerTokens } from './locker/token/tokens.js';
import type { Secret } from './protocol/secret.js';
import { DEFAULT_SETTINGS } from './protocol/settings.js';
import { renderUsersAcl } from './protocol/users.js';
import { openAdmin } from './redis/admin.js';
import { openTextConnection } from './redis/text-connection.js';

const rootKey = RootKey.generate();
const own = deriveOwnCredentials(rootKey);
const AT = new Date('2026-01-08T12:00:00Z');

let locker: TestServer;
let vault: TestServer;
let folder: string;
let database: LockerDatabase;
let store: LockerStore;
let tokens: LockerTokens;
let surroundings: { cwd: string; env: Record<string, string> };

beforeAll(async () => {
  await testEngine();
  const settings = { ...DEFAULT_SETTINGS, appendfsync: 'always' } as const;
  locker = await startServer({ role: 'vault', kind: 'secure', credentials: own, settings });
  vault = await startServer({ role: 'vault', kind: 'secure', withoutModule: true });
  folder = await mkdtemp(join(tmpdir(), 'nexus3-helper-'));
  const yaml = [
    'version: 1',
    'runtime: process',
    // Not the person’s own, in which another Locker may lie.
    `dataRoot: ${join(folder, 'data')}`,
    'environments:',
    `  locker: { vault: ${String(locker.address.port)}, kind: secure }`,
    `  track: { vault: ${String(vault.address.port)}, kind: secure }`,
  ];
  await writeFile(join(folder, 'nexus3.yaml'), `${yaml.join('\n')}\n`);
  await writeFile(join(folder, 'root.key'), rootKey.toText(), { mode: 0o600 });
  surroundings = { cwd: folder, env: {} };
  const connectAs = (user: string, password: Secret) => openTextConnection(locker.address, { user, password });
  database = new LockerDatabase(rootKey, () => connectAs('default', own.default));
  store = new LockerStore(database);
  tokens = new LockerTokens({ database, rootKeyPath: join(folder, 'root.key'), connectAs });
}, ENGINE_TIMEOUT_MS);
afterAll(async () => {
  await database.close();
  await Promise.all([locker[Symbol.asyncDispose](), vault[Symbol.asyncDispose]()]);
  await rm(folder, { recursive: true, force: true });
});
beforeEach(async () => {
  await database.ask([['FLUSHALL']]);
  await store.generate('track', ['default', 'admin'], AT);
});

async function loadUsers(server: TestServer, text: string, admin: Secret): Promise<void> {
  await writeFile(join(server.configDir, 'users.acl'), text);
  await using connection = await openAdmin(server.address, admin);
  await connection.loadUsers();
}

async function grant(file: string): Promise<NewToken> {
  const place = { locker: locker.address, vault: vault.address };
  const made = await tokens.create({
    env: 'track',
    kind: 'standard',
    names: ['default'],
    label: '',
    file,
    ...place,
    at: AT,
  });
  await loadUsers(locker, renderUsersAcl('vault', 'secure', { ...own, tokenUsers: await tokens.list() }), own.admin);
  await made.writeFile();
  return made;
}

/** What the vault takes from now on is what Locker holds. */
async function vaultTakes(password: Secret): Promise<void> {
  const users = renderUsersAcl('vault', 'secure', { ...TEST_CREDENTIALS, default: password }, { withoutGraphs: true });
  await loadUsers(vault, users, TEST_CREDENTIALS.admin);
}

async function rotate(): Promise<void> {
  await store.prepareRotation('track', ['default'], AT);
  await store.promoteRotation('track', AT, AT);
  await store.finishRotation('track');
  const password = (await store.read(['track'])).get('track')?.current.default;
  if (password !== undefined) await vaultTakes(password);
}

describe('with the root key', () => {
  it('reads what Locker holds, and says where the vault answers', async () => {
    await using helper = credentials({ surroundings });
    const credential = await helper.get('track');
    const stored = (await store.read(['track'])).get('track')?.current.default;
    expect(credential.password.reveal()).toBe(stored?.reveal());
    expect(credential).toMatchObject({ env: 'track', user: 'default', username: 'default', ...vault.address });
    expect((await helper.get('locker')).password.reveal()).toBe(own.default.reveal());
  });

  it('says what is wrong', async () => {
    await using helper = credentials({ surroundings, attemptsMax: 1 });
    expect((await failureOf(helper.get('nothing'))).code).toBe('ENVIRONMENT_UNKNOWN');
    expect((await failureOf(helper.get('track', { user: 'backup' }))).code).toBe('LOCKER_CREDENTIAL_MISSING');
    await using keyless = credentials({ surroundings, attemptsMax: 1, rootKey: 'none.key' });
    expect((await failureOf(keyless.get('track'))).code).toBe('ROOT_KEY_MISSING');
    await writeFile(join(folder, 'other.key'), RootKey.generate().toText(), { mode: 0o600 });
    await using wrong = credentials({ surroundings, attemptsMax: 1, rootKey: 'other.key' });
    expect((await failureOf(wrong.get('track'))).code).toBe('LOCKER_PASSWORD_REFUSED');
  });

  it('waits for a Locker that is just coming up', async () => {
    await using helper = credentials({ surroundings });
    const restarted = locker.restart();
    const credential = await helper.get('track');
    await restarted;
    expect(credential.env).toBe('track');
  });
});

describe('with a token', () => {
  it('needs nothing else, and leaves a note in its inbox', async () => {
    const { grant: granted } = await grant(join(folder, 'a.token'));
    await using helper = credentials({ surroundings: { cwd: '/', env: { NEXUS3_TOKEN_FILE: granted.file } } });
    const { password } = await helper.get('track');
    expect(password.reveal()).toBe((await store.read(['track'])).get('track')?.current.default?.reveal());
    expect((await failureOf(helper.get('track', { user: 'admin' }))).code).toBe('TOKEN_NOT_FOR');
    expect((await failureOf(helper.get('locker'))).code).toBe('TOKEN_NOT_FOR');
    const [entries] = await database.ask([['XRANGE', KEY.inbox(granted.id), '-', '+']]);
    const notes = (entries as readonly (readonly [string, readonly [string, string]])[]).map(
      ([, [, note]]) => JSON.parse(note) as unknown,
    );
    const who = { user: expect.any(String) as string, pid: process.pid, token: granted.id };
    expect(notes).toMatchObject([
      { action: 'get', what: 'track/default', outcome: 'ok', who, at: expect.any(String) as string },
      { action: 'get', what: 'track/admin', outcome: 'ok' },
      { action: 'get', what: 'track/admin', outcome: 'denied', detail: 'TOKEN_NOT_FOR' },
    ]);
  });

  it('takes up a token that was put in the place of a revoked one', async () => {
    const file = join(folder, 'b.token');
    const { grant: first } = await grant(file);
    await using helper = credentials({ token: file });
    await helper.get('track');
    await tokens.forget([first.id]);
    await loadUsers(locker, renderUsersAcl('vault', 'secure', own), own.admin);
    expect((await helper.get('track')).env).toBe('track');
    helper.invalidate('track');
    expect((await failureOf(helper.get('track'))).code).toBe('TOKEN_REVOKED');
    await grant(file);
    expect((await helper.get('track')).env).toBe('track');
  });
});

describe('a vault whose password was rotated', () => {
  it('is reached with node-redis and ioredis after one WRONGPASS', async () => {
    await using helper = credentials({ surroundings });
    await vaultTakes((await helper.get('track')).password);
    const pings = {
      'node-redis': (url: string) => pingWithNodeRedis(url),
      ioredis: (url: string) => pingWithIoredis(url),
    };
    for (const [name, ping] of Object.entries(pings)) {
      const before = await helper.get('track');
      expect(await ping(before.url()), name).toBe('PONG');
      await rotate();
      const error: unknown = await ping(before.url()).catch((caught: unknown) => caught);
      expect(isWrongPassword(error), `${name}: ${String(error)}`).toBe(true);
      expect(await helper.using('track', ({ url }) => ping(url())), name).toBe('PONG');
      expect((await helper.get('track')).password.reveal()).not.toBe(before.password.reveal());
    }
  });
});

async function pingWithNodeRedis(url: string): Promise<string> {
  const client = createClient({ url, socket: { reconnectStrategy: false } });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await client.ping();
  } finally {
    client.destroy();
  }
}

async function pingWithIoredis(url: string): Promise<string> {
  const client = new Redis(url, { lazyConnect: true, retryStrategy: () => null, maxRetriesPerRequest: 0 });
  client.on('error', () => undefined);
  try {
    return await client.ping();
  } finally {
    client.disconnect();
  }
}
