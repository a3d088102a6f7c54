/** The store against a real server with the rendered users and settings of Locker's vault. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { QUIET_AUDIT } from '../../test/support/quiet-audit.js';
import { ENGINE_TIMEOUT_MS, testEngine } from '../../test/support/engine.js';
import { freePort, startServer, type TestServer } from '../../test/support/redis-server.js';
import { Nexus3Error } from '../errors.js';
import type { Address } from '../protocol/redis-conf.js';
import { Secret } from '../protocol/secret.js';
import { DEFAULT_SETTINGS } from '../protocol/settings.js';
import { CREDENTIAL_NAMES } from '../protocol/users.js';
import { openTextConnection } from '../redis/text-connection.js';
import { LockerAccess } from './access.js';
import type { ConnectLocker, LockerConnection } from './channel.js';
import { LockerDatabase } from './database.js';
import { deriveOwnCredentials } from './derive.js';
import type { StoredCredentials } from './locker.js';
import { RootKey } from './root-key.js';
import { LockerStore } from './store.js';

const rootKey = RootKey.generate();
const own = deriveOwnCredentials(rootKey);
const TRACK = 'nexus3:locker:l_e0dd:env:track';
const NOW = new Date('2026-01-08T12:00:00Z');
const LATER = new Date('2026-01-08T12:01:00Z');

let server: TestServer;
const connect: ConnectLocker = () => connectTo(server.address);
const connectTo = (address: Address): Promise<LockerConnection> =>
  openTextConnection(address, { user: 'default', password: own.default });

beforeAll(async () => {
  await testEngine();
  // Every write is on disk at once, so that only the tests about waiting wait.
  const settings = { ...DEFAULT_SETTINGS, appendfsync: 'always' } as const;
  server = await startServer({ role: 'vault', kind: 'secure', credentials: own, settings });
}, ENGINE_TIMEOUT_MS);
afterAll(() => server[Symbol.asyncDispose]());
beforeEach(() => ask('FLUSHALL'));

async function ask(...command: readonly string[]): Promise<unknown> {
  const connection = await connect();
  try {
    return (await connection.ask([command]))[0];
  } finally {
    connection.close();
  }
}

/** A store that is closed when the test ends. */
function newStore(key = rootKey, through = connect): LockerStore & AsyncDisposable {
  const store = new LockerStore(new LockerDatabase(key, through));
  return Object.assign(store, { [Symbol.asyncDispose]: () => store.close() });
}

async function failureOf(work: Promise<unknown>): Promise<Nexus3Error> {
  const error: unknown = await work.then(
    () => undefined,
    (caught: unknown) => caught,
  );
  if (error instanceof Nexus3Error) return error;
  throw new Error(`no error of ours: ${String(error)}`);
}

describe('Locker', () => {
  it('knows nothing of an environment that it never heard of', async () => {
    await using store = newStore();
    expect([...(await store.read(['track', 'web']))]).toEqual([]);
    expect([...(await store.read([]))]).toEqual([]);
  });

  it('generates what is missing, once, and each its own', async () => {
    await using store = newStore();
    const first = await store.generate('track', ['default', 'admin'], NOW);
    const second = await store.generate('track', CREDENTIAL_NAMES, NOW);
    const other = await store.generate('web', ['default'], NOW);
    expect(second.default?.reveal()).toBe(first.default?.reveal());
    const all = [...Object.values(second), ...Object.values(other)].map((secret) => secret.reveal());
    expect(all).toHaveLength(6);
    expect(new Set(all).size).toBe(6);
    expect(all.every((password) => /^[\w-]{43}$/.test(password))).toBe(true);
  });

  it('gives another run the same, for many environments at once', async () => {
    await using store = newStore();
    const made = await store.generate('track', ['default', 'replicator'], NOW);
    await store.generate('web', ['default'], NOW);
    await using later = newStore();
    const found = await later.read(['web', 'nothing', 'track']);
    expect([...found.keys()].toSorted()).toEqual(['track', 'web']);
    expect(found.get('track')?.current.replicator?.reveal()).toBe(made.replicator?.reveal());
  });

  it('lets racing runs all end with the same', async () => {
    const stores = Array.from({ length: 6 }, () => newStore());
    const made = await Promise.all(stores.map((store) => store.generate('track', CREDENTIAL_NAMES, NOW)));
    const revealed = made.map((stored) => CREDENTIAL_NAMES.map((name) => stored[name]?.reveal()));
    expect(revealed).toEqual(revealed.map(() => revealed[0]));
    expect(new Set(revealed[0]).size).toBe(5);
    await Promise.all(stores.map((store) => store.close()));
  });

  it('makes the credentials of a whole registry durable in the time of two waits, not of twelve', async () => {
    await using slow = await startServer({ role: 'vault', kind: 'secure', credentials: own });
    await using store = newStore(rootKey, () => connectTo(slow.address));
    const names = Array.from({ length: 12 }, (_, index) => `env-${String(index)}`);
    const startedAt = performance.now();
    await Promise.all(names.map((name) => store.generate(name, CREDENTIAL_NAMES, NOW)));
    const tookMs = performance.now() - startedAt;
    // The second wait begins right after the disk was reached, and the disk is reached once a second.
    expect(tookMs).toBeGreaterThan(700);
    expect(tookMs).toBeLessThan(4_000);
    expect((await store.read(names)).size).toBe(12);
  });

  it('has it on disk when it says so: a kill loses nothing', async () => {
    await using mortal = await startServer({ role: 'vault', kind: 'secure', credentials: own });
    await using store = newStore(rootKey, () => connectTo(mortal.address));
    const made = await store.generate('track', ['default'], NOW);
    process.kill(mortal.pid, 'SIGKILL');
    await mortal.restart();
    expect((await store.read(['track'])).get('track')?.current.default?.reveal()).toBe(made.default?.reveal());
  });

  it('replaces credentials in three steps, and accepts both until the last', async () => {
    await using store = newStore();
    const before = await store.generate('track', ['default', 'admin'], NOW);
    const prepared = await store.prepareRotation('track', ['default'], NOW);
    expect(prepared).toEqual({ names: ['default'], phase: 'prepared', startedAt: NOW.toISOString(), graceUntil: null });
    expect(await store.prepareRotation('track', ['admin'], LATER), 'the one under way').toEqual(prepared);
    const early = (await store.read(['track'])).get('track');
    expect(early?.current.default?.reveal()).toBe(before.default?.reveal());
    expect(early?.alsoAccepted.default?.reveal()).not.toBe(before.default?.reveal());
    const promoted = await store.promoteRotation('track', LATER, LATER);
    expect(await store.promoteRotation('track', NOW, NOW), 'once').toEqual(promoted);
    const late = (await store.read(['track'])).get('track');
    expect(late?.current.default?.reveal()).toBe(early?.alsoAccepted.default?.reveal());
    expect(late?.alsoAccepted.default?.reveal()).toBe(before.default?.reveal());
    expect(late?.madeAt).toEqual({ default: LATER.toISOString(), admin: NOW.toISOString() });
    await store.finishRotation('track');
    const after = (await store.read(['track'])).get('track');
    expect(after).toMatchObject({ alsoAccepted: {}, rotation: undefined });
    expect(after?.current.default?.reveal()).toBe(late?.current.default?.reveal());
    expect(after?.current.admin?.reveal()).toBe(before.admin?.reveal());
    expect(await ask('HGET', TRACK, 'value:default')).toMatch(/^v2\.2\./);
    expect(await ask('HGET', TRACK, 'previous:default')).toMatch(/^v2\.1\./);
  });

  it('forgets an environment whole', async () => {
    await using store = newStore();
    await store.generate('track', ['default'], NOW);
    await store.remove('track');
    expect((await store.read(['track'])).size).toBe(0);
    expect(await ask('KEYS', 'nexus3:locker:l_e0dd:env:*')).toEqual([]);
  });

  it('leaves no value in plain text on the server or its disk', async () => {
    await using store = newStore();
    const made = await store.generate('track', CREDENTIAL_NAMES, NOW);
    const files = await readdir(server.dataDir, { recursive: true, withFileTypes: true });
    const contents = await Promise.all(
      files.filter((file) => file.isFile()).map((file) => readFile(join(file.parentPath, file.name), 'latin1')),
    );
    const everything = [JSON.stringify(await ask('HGETALL', TRACK)), ...contents].join('\n');
    expect(everything).toContain('value:default');
    for (const secret of Object.values(made)) expect(everything).not.toContain(secret.reveal());
  });
});

describe('Locker refuses, and shows no value,', () => {
  const secrets: string[] = [];
  beforeEach(async () => {
    await using store = newStore();
    const made = [
      await store.generate('track', ['default', 'admin'], NOW),
      await store.generate('web', ['default'], NOW),
    ];
    secrets.splice(0, Infinity, ...made.flatMap((stored) => Object.values(stored).map((secret) => secret.reveal())));
  });

  const readTrack = async (key = rootKey): Promise<Nexus3Error> => {
    await using store = newStore(key);
    const error = await failureOf(store.read(['track']));
    const shown = JSON.stringify([error.message, error.hint, error.evidence, error.stack]);
    for (const secret of secrets) expect(shown).not.toContain(secret);
    return error;
  };

  it('a value that was changed', async () => {
    const text = String(await ask('HGET', TRACK, 'value:default'));
    await ask('HSET', TRACK, 'value:default', `${text.slice(0, -2)}${text.endsWith('AA') ? 'BB' : 'AA'}`);
    expect(await readTrack()).toMatchObject({ code: 'LOCKER_VALUE_TAMPERED', exitCode: 3 });
  });

  it('a value that was changed, for its environment alone, and no new one is made in its place', async () => {
    await ask('HSET', TRACK, 'value:default', 'nonsense');
    await using store = newStore();
    const found = await store.readEach(['track', 'nothing', 'web']);
    expect(found.get('track')).toMatchObject({ code: 'LOCKER_VALUE_TAMPERED' });
    expect(Object.keys((found.get('web') as StoredCredentials).current)).toEqual(['default']);
    expect(found.has('nothing')).toBe(false);
    expect((await failureOf(store.generate('track', ['default'], NOW))).code).toBe('LOCKER_VALUE_TAMPERED');
    expect(await ask('HGET', TRACK, 'value:default')).toBe('nonsense');
  });

  it('a value moved to another name', async () => {
    await ask('HSET', TRACK, 'value:default', String(await ask('HGET', TRACK, 'value:admin')));
    expect(await readTrack()).toMatchObject({
      code: 'LOCKER_VALUE_MOVED',
      evidence: ['track: value:default holds what was sealed as value:admin'],
    });
  });

  it('another environment’s values and key', async () => {
    await ask('COPY', 'nexus3:locker:l_e0dd:env:web', TRACK, 'REPLACE');
    expect(await readTrack()).toMatchObject({
      code: 'LOCKER_VALUE_MOVED',
      evidence: ['track: data-key holds what was sealed as data-key of web'],
    });
  });

  it('a value of another environment, and one that only counts as a later version', async () => {
    const own = String(await ask('HGET', TRACK, 'value:default'));
    await ask(
      'HSET',
      TRACK,
      'value:default',
      String(await ask('HGET', 'nexus3:locker:l_e0dd:env:web', 'value:default')),
    );
    expect((await readTrack()).evidence).toEqual([
      'track: value:default holds what was sealed as value:default of web',
    ]);
    await ask('HSET', TRACK, 'value:default', own.replace('v2.1.', 'v2.9.'));
    expect(await readTrack()).toMatchObject({
      code: 'LOCKER_VALUE_MOVED',
      evidence: ['track: value:default holds what was sealed as version 1 of value:default'],
    });
  });

  it('a data key that was changed, while the root key opens others', async () => {
    const text = String(await ask('HGET', TRACK, 'data-key'));
    await ask('HSET', TRACK, 'data-key', text.slice(0, -8));
    expect(await readTrack()).toMatchObject({ code: 'LOCKER_VALUE_TAMPERED', exitCode: 3 });
  });

  it('to change what was tampered with', async () => {
    await ask('HSET', TRACK, 'value:default', String(await ask('HGET', TRACK, 'value:admin')));
    await using store = newStore();
    const before = await ask('HGETALL', TRACK);
    expect(
      (
        await failureOf(
          store.prepareRotation('track', ['default'], NOW).then(() => store.promoteRotation('track', NOW, NOW)),
        )
      ).code,
    ).toBe('LOCKER_VALUE_MOVED');
    expect((await failureOf(store.generate('track', CREDENTIAL_NAMES, NOW))).code).toBe('LOCKER_VALUE_MOVED');
    expect(await ask('HGET', TRACK, 'value:default')).toBe(
      (before as string[])[(before as string[]).indexOf('value:default') + 1],
    );
  });

  it('values without their key', async () => {
    await ask('HDEL', TRACK, 'data-key');
    expect((await readTrack()).code).toBe('LOCKER_VALUE_UNREADABLE');
  });

  it('to open anything with another root key, and to write over it', async () => {
    const other = RootKey.generate();
    expect((await readTrack(other)).evidence.join()).toContain('root key');
    await using store = newStore(other);
    expect((await failureOf(store.generate('track', CREDENTIAL_NAMES, NOW))).code).toBe('LOCKER_VALUE_UNREADABLE');
    expect((await failureOf(store.prepareRotation('track', ['default'], NOW))).code).toBe('LOCKER_VALUE_UNREADABLE');
    expect(await ask('HLEN', TRACK)).toBe(5);
  });
});

describe('when Locker cannot be asked', () => {
  it('it says so when nothing listens', async () => {
    const address = { host: '127.0.0.1', port: await freePort() };
    await using store = newStore(rootKey, () => connectTo(address));
    expect(await failureOf(store.read([]))).toMatchObject({ code: 'LOCKER_UNREACHABLE', exitCode: 3 });
  });

  it('it says so when the password is another, without the password', async () => {
    const wrong = new Secret('another-password-than-the-one');
    await using store = newStore(rootKey, () =>
      openTextConnection(server.address, { user: 'default', password: wrong }),
    );
    const error = await failureOf(store.read([]));
    expect(error.code).toBe('LOCKER_UNREACHABLE');
    expect(error.evidence.join()).toContain('WRONGPASS');
    expect(JSON.stringify([error, error.message, error.cause])).not.toContain(wrong.reveal());
  });

  it('it comes back by itself after a restart', async () => {
    await using mortal = await startServer({ role: 'vault', kind: 'secure', credentials: own });
    await using store = newStore(rootKey, () => connectTo(mortal.address));
    await store.generate('track', ['default'], NOW);
    await mortal.restart();
    expect((await store.read(['track'])).size).toBe(1);
  });

  it.each([
    ['is off', 'appendonly no', 'LOCKER_UNREACHABLE'],
    ['never reaches the disk', 'appendfsync no', 'NOT_PROVEN'],
  ])('a credential is not handed out when the append-only file %s', async (_, line, code) => {
    await using volatile = await startServer({ role: 'vault', kind: 'secure', credentials: own, extraLines: [line] });
    const store = new LockerStore(new LockerDatabase(rootKey, () => connectTo(volatile.address), 300));
    const error = await failureOf(store.generate('track', ['default'], NOW));
    expect(error.code).toBe(code);
    expect(error.evidence.join()).toContain('WAITAOF');
    // Nor by a run that finds it there already.
    expect((await failureOf(store.generate('track', ['default'], NOW))).code).toBe(code);
    await store.close();
  });
});

describe('Locker’s access', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'nexus3-locker-'));
    await writeFile(join(folder, 'root.key'), rootKey.toText(), { mode: 0o600 });
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('hands out one credential, also Locker’s own, and says what is missing', async () => {
    const access = new LockerAccess({
      rootKeyPath: join(folder, 'root.key'),
      connect: (password) => openTextConnection(server.address, { user: 'default', password }),
      ...QUIET_AUDIT,
    });
    const made = await (await access.open()).generate('track', ['default'], NOW);
    expect((await access.getCredential('track', 'default')).reveal()).toBe(made.default?.reveal());
    expect((await access.getCredential('locker', 'default')).reveal()).toBe(own.default.reveal());
    const error = await failureOf(access.getCredential('track', 'backup'));
    expect(error.code).toBe('LOCKER_CREDENTIAL_MISSING');
    expect(error.hint).toContain('nexus3 up track');
    await access.close();
  });

  it('makes a root key only when asked, and then uses it', async () => {
    const access = new LockerAccess({ rootKeyPath: join(folder, 'new', 'root.key'), connect, ...QUIET_AUDIT });
    const early = await Promise.all([failureOf(access.ownCredentials(false)), failureOf(access.open())]);
    expect(early.map(({ code }) => code)).toEqual(['ROOT_KEY_MISSING', 'ROOT_KEY_MISSING']);
    const created = await access.ownCredentials(true);
    expect((await access.ownCredentials(false)).admin.reveal()).toBe(created.admin.reveal());
  });
});
