/** What a token's holder can do on a real Locker, and what it can open with everything that Locker holds. */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ATTACKS, isRefused } from '../../../test/support/attacks.js';
import { ENGINE_TIMEOUT_MS, testEngine } from '../../../test/support/engine.js';
import { failureOf } from '../../../test/support/failure.js';
import { startServer, type TestServer } from '../../../test/support/redis-server.js';
import { Secret } from '../../protocol/secret.js';
import { DEFAULT_SETTINGS } from '../../protocol/settings.js';
import type { CredentialName } from '../../protocol/users.js';
import { CREDENTIAL_NAMES, LOCKER_KEY, renderUsersAcl } from '../../protocol/users.js';
import { type Connection, openConnection } from '../../redis/connection.js';
import { textOf } from '../../redis/replies.js';
import { openTextConnection } from '../../redis/text-connection.js';
import { LockerDatabase } from '../database.js';
import { deriveKeyEncryptionKey, deriveOwnCredentials } from '../derive.js';
import { DataKey, ValueKey } from '../envelope.js';
import { KEY } from '../keys.js';
import type { NewToken, TokenGrant } from '../locker.js';
import { RootKey } from '../root-key.js';
import { FIELD, toFields } from '../sealed-hash.js';
import { LockerStore } from '../store.js';
import { openWithToken } from './open.js';
import type { Token } from './token.js';
import { loadToken } from './token-file.js';
import { LockerTokens } from './tokens.js';

const rootKey = RootKey.generate();
const own = deriveOwnCredentials(rootKey);
const AT = new Date('2026-01-08T12:00:00Z');

let server: TestServer;
let folder: string;
let database: LockerDatabase;
let store: LockerStore;
let tokens: LockerTokens;

beforeAll(async () => {
  await testEngine();
  const settings = { ...DEFAULT_SETTINGS, appendfsync: 'always' } as const;
  server = await startServer({ role: 'vault', kind: 'secure', credentials: own, settings });
  folder = await mkdtemp(join(tmpdir(), 'nexus3-tokens-'));
}, ENGINE_TIMEOUT_MS);
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});
beforeEach(async () => {
  const connectAs = (user: string, password: Secret) => openTextConnection(server.address, { user, password });
  database = new LockerDatabase(rootKey, () => connectAs('default', own.default));
  await database.ask([['FLUSHALL']]);
  store = new LockerStore(database);
  await store.generate('track', CREDENTIAL_NAMES, AT);
  await store.generate('web', CREDENTIAL_NAMES, AT);
  tokens = new LockerTokens({ database, rootKeyPath: join(folder, 'root.key'), connectAs });
  return () => database.close();
});

async function create(env: string, names: readonly CredentialName[], file = 'a.token'): Promise<NewToken> {
  const place = { locker: server.address, vault: server.address };
  const made = await tokens.create({
    env,
    kind: 'standard',
    names,
    label: '',
    file: join(folder, file),
    ...place,
    at: AT,
  });
  await made.writeFile();
  return made;
}

async function putInForce(): Promise<void> {
  const tokenUsers = (await tokens.list()).filter(({ revoked }) => !revoked);
  const users = renderUsersAcl('vault', 'secure', { ...own, tokenUsers }, { withoutGraphs: false });
  await writeFile(join(server.configDir, 'users.acl'), users);
  using admin = await openConnection(server.address, { user: 'admin', password: own.admin });
  expect(await admin.send(['ACL', 'LOAD'])).toBe('OK');
}

async function asHolder({ file, id }: TokenGrant): Promise<Connection> {
  const { password } = await loadToken(file);
  return openConnection(server.address, { user: id, password });
}

async function fieldsOf(env: string): Promise<ReadonlyMap<string, string>> {
  return toFields((await database.ask([['HGETALL', KEY.environment(env)]]))[0]);
}

describe('a token’s user on Locker', () => {
  let granted: TokenGrant;
  beforeEach(async () => {
    const made = await create('track', ['default']);
    granted = made.grant;
    await putInForce();
    await made.prove();
  });

  it('reads its environment’s hash, and writes to its own inbox', async () => {
    using holder = await asHolder(granted);
    expect(await holder.send(['PING'])).toBe('PONG');
    expect(await holder.send(['HGETALL', LOCKER_KEY.environment('track')])).toHaveLength(
      2 * (await fieldsOf('track')).size,
    );
    const entry = await holder.send(['XADD', LOCKER_KEY.inbox(granted.id), 'MAXLEN', '~', '1000', '*', 'note', '{}']);
    expect(textOf(entry)).toMatch(/^\d+-0$/);
  });

  it.each([
    ...ATTACKS,
    'HGET TRACK value:default',
    'HSET TRACK value:default x',
    'HDEL TRACK value:default',
    'DEL TRACK',
    'XADD TRACK * a b',
    'XRANGE INBOX - +',
    'XREAD STREAMS INBOX 0',
    'XLEN INBOX',
    'XTRIM INBOX MAXLEN 0',
    'XDEL INBOX 0-1',
    'HGETALL INBOX',
    'HGETALL nexus3:locker:l_e0dd:env:web',
    'HGETALL nexus3:locker:l_e0dd:meta',
    'HGETALL nexus3:locker:tokens',
    'HGETALL nexus3:locker:ids',
    'HGETALL nexus3:locker:audit:key',
    'HGETALL nexus3:locker:audit:head',
    'XADD nexus3:locker:audit * note x',
    'XADD nexus3:locker:audit:inbox:t_00000000 * note x',
    'XRANGE nexus3:locker:audit - +',
    'SCAN 0',
    'RANDOMKEY',
    'TYPE TRACK',
    'EXISTS TRACK',
    'OBJECT ENCODING TRACK',
    'MULTI',
    'SUBSCRIBE x',
    'SELECT 1',
    'CLIENT SETNAME x',
    'INFO',
    'COMMAND',
    'ECHO x',
  ])('may not: %s', async (command) => {
    using holder = await asHolder(granted);
    const words = command
      .replace('TRACK', LOCKER_KEY.environment('track'))
      .replace('INBOX', LOCKER_KEY.inbox(granted.id))
      .split(' ');
    expect(isRefused(await holder.send(words)), command).toBe(true);
  });

  it('is out at once, with its connections, when it was taken back', async () => {
    using holder = await asHolder(granted);
    expect(await holder.send(['PING'])).toBe('PONG');
    await tokens.markRevoked([granted.id]);
    await putInForce();
    expect((await failureOf(holder.send(['HGETALL', LOCKER_KEY.environment('track')]))).code).toBe('REDIS_UNREACHABLE');
    expect((await failureOf(asHolder(granted))).evidence.join()).toContain('WRONGPASS');
  });
});

describe('the holder of a token, with a full dump of Locker', () => {
  /** All that can be tried: each text of the dump with each key that the token gives. */
  function opened(token: Token, dump: ReadonlyMap<string, ReadonlyMap<string, string>>): readonly string[] {
    const found: string[] = [];
    for (const [env, fields] of dump) {
      for (const name of CREDENTIAL_NAMES) {
        const place = { lockerId: 'l_e0dd', env, name };
        for (const [field, wrapped] of fields) {
          const key = ValueKey.unwrapFor(token.keyEncryptionKey, token.id, place, wrapped);
          if (key === undefined) continue;
          expect(field).toBe(FIELD.tokenKey(token.id, name));
          for (const [at, text] of fields) {
            for (const slot of ['value', 'next', 'previous'] as const) {
              for (const other of CREDENTIAL_NAMES) {
                if (key.open({ ...place, name: other, slot }, text) !== undefined) found.push(`${env} ${at}`);
              }
            }
          }
        }
        if (DataKey.unwrap(token.keyEncryptionKey, place, fields.get(FIELD.dataKey) ?? ''))
          found.push(`${env} data key`);
      }
    }
    return found.toSorted();
  }

  async function dump(): Promise<ReadonlyMap<string, ReadonlyMap<string, string>>> {
    return new Map([
      ['track', await fieldsOf('track')],
      ['web', await fieldsOf('web')],
    ]);
  }

  it('opens exactly the granted names', async () => {
    const { grant } = await create('track', ['default', 'backup']);
    await create('web', ['default'], 'b.token');
    const token = await loadToken(grant.file);
    expect(opened(token, await dump())).toEqual(['track value:backup', 'track value:default']);
    expect(JSON.stringify([...(await fieldsOf('track'))])).not.toContain(token.toText().split(' ')[6]);
  });

  it('opens nothing that is stored after it was shut out, and those who stay go on', async () => {
    const gone = await create('track', ['default']);
    const stays = await create('track', ['default', 'admin'], 'b.token');
    await store.prepareRotation('track', ['default'], AT);
    const token = await loadToken(gone.grant.file);
    const kept = toFields((await database.ask([['HGETALL', KEY.environment('track')]]))[0]);
    const wrapped = kept.get(FIELD.tokenKey(token.id, 'default')) ?? '';
    const place = { lockerId: 'l_e0dd', env: 'track', name: 'default' };
    const keptKey = ValueKey.unwrapFor(token.keyEncryptionKey, token.id, place, wrapped);
    expect(keptKey?.open({ ...place, slot: 'value' }, kept.get('value:default') ?? '')).toBeInstanceOf(Secret);

    const before = (await store.read(['track'])).get('track');
    await tokens.markRevoked([token.id]);
    await tokens.shutOut('track', [token.id]);
    await tokens.forget([token.id]);
    const after = await fieldsOf('track');
    for (const slot of ['value', 'next', 'previous'] as const) {
      expect(keptKey?.open({ ...place, slot }, after.get(FIELD.in(slot, 'default')) ?? '')).toBeUndefined();
    }
    expect([...after.keys()].filter((field) => field.includes(token.id))).toEqual([]);
    const again = (await store.read(['track'])).get('track');
    for (const name of CREDENTIAL_NAMES) {
      expect(again?.current[name]?.reveal()).toBe(before?.current[name]?.reveal());
    }
    expect(again?.alsoAccepted.default?.reveal()).toBe(before?.alsoAccepted.default?.reveal());
    const staying = await loadToken(stays.grant.file);
    expect(openWithToken(staying, 'admin', after).reveal()).toBe(before?.current.admin?.reveal());
    expect((await tokens.list()).map(({ id }) => id)).toEqual([staying.id]);
  });

  it('is not given a value that is sealed with the data key itself: it is sealed as it should be first', async () => {
    const hash = database.hash(
      { key: KEY.environment('track'), place: { lockerId: 'l_e0dd', env: 'track' }, label: 'track' },
      (await database.ask([['HGETALL', KEY.environment('track')]]))[0],
    );
    const dataKey = hash.fields.get(FIELD.dataKey) ?? '';
    const old = sealedAsV1(dataKey, 'default', 'an old password');
    await database.ask([['HSET', KEY.environment('track'), 'value:default', old]]);
    const { grant } = await create('track', ['default']);
    const fields = await fieldsOf('track');
    expect(fields.get('value:default')).toMatch(/^v2\.3\./);
    expect(openWithToken(await loadToken(grant.file), 'default', fields).reveal()).toBe('an old password');
  });
});

describe('granting', () => {
  it('leaves nothing behind where the credential is not there', async () => {
    expect((await failureOf(create('nothing', ['default']))).code).toBe('LOCKER_CREDENTIAL_MISSING');
    expect([await tokens.list(), await database.ask([['EXISTS', KEY.environment('nothing')]])]).toEqual([[], [0]]);
  });

  it('keeps the secret in the file and nowhere else', async () => {
    const { grant } = await create('track', ['default']);
    const token = await loadToken(grant.file);
    const registry = JSON.stringify(await database.ask([['HGETALL', KEY.tokens]]));
    for (const secret of [token.toText().split(' ')[6] ?? '', token.password.reveal()]) {
      expect(registry).not.toContain(secret);
      expect(JSON.stringify(grant)).not.toContain(secret);
    }
    expect(await readFile(grant.file, 'utf8')).toBe(token.toText());
  });

  it('says so where a new root key is half in place', async () => {
    const { grant } = await create('track', ['default']);
    const place = { lockerId: 'l_e0dd', env: 'track' };
    const next = DataKey.generate().wrap(deriveKeyEncryptionKey(RootKey.generate()), place, 1);
    await database.ask([['HSET', KEY.environment('track'), FIELD.nextDataKey, next]]);
    const error = await failureOf(tokens.shutOut('track', [grant.id]));
    expect([error.code, error.hint]).toEqual(['NOT_PROVEN', expect.stringContaining('locker rekey')]);
  });
});

/** As values were sealed before names had keys of their own: with the data key itself; see envelope.ts. */
function sealedAsV1(wrappedDataKey: string, name: string, value: string): string {
  const bound = (what: string, version: number): Buffer =>
    Buffer.from(JSON.stringify(['nexus3', 'v1', 'l_e0dd', 'track', what, version]));
  const wrapped = Buffer.from(wrappedDataKey.split('.')[2] ?? '', 'base64url');
  const decipher = createDecipheriv('aes-256-gcm', deriveKeyEncryptionKey(rootKey), wrapped.subarray(0, 12));
  decipher.setAAD(bound('data-key', 1)).setAuthTag(wrapped.subarray(-16));
  const dataKey = Buffer.concat([decipher.update(wrapped.subarray(12, -16)), decipher.final()]);
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', dataKey, nonce).setAAD(bound(`value:${name}`, 3));
  const sealed = Buffer.concat([nonce, cipher.update(value), cipher.final(), cipher.getAuthTag()]);
  return `v1.3.${sealed.toString('base64url')}`;
}
