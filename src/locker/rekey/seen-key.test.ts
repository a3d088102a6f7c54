/** What a root key that somebody has seen opens after `locker rekey`, with everything that ever lay in Locker’s Redis. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ENGINE_TIMEOUT_MS } from '../../../test/support/engine.js';
import { LockerServer } from '../../../test/support/locker-server.js';
import { LockerAccess } from '../access.js';
import { deriveKeyEncryptionKey } from '../derive.js';
import { DataKey } from '../envelope.js';
import { KEY, placeOfKey } from '../keys.js';
import type { TokenGrant } from '../locker.js';
import { readRootKey } from '../root-key-file.js';
import type { RootKey } from '../root-key.js';
import { FIELD, type Fields, SLOTS, toFields } from '../sealed-hash.js';
import { openWithToken } from '../token/open.js';
import { loadToken } from '../token/token-file.js';
import { writeKey } from './key-files.js';

const NOW = new Date('2026-01-08T12:00:00Z');
const SEEN = KEY.environment('seen');
const warned: string[] = [];
let folder: string;
let server: LockerServer;
let access: LockerAccess;

type Dump = ReadonlyMap<string, Fields>;

beforeAll(async () => {
  server = await LockerServer.start();
  folder = await mkdtemp(join(tmpdir(), 'nexus3-seen-key-'));
  const rootKeyPath = join(folder, 'root.key');
  await writeKey(rootKeyPath, server.rootKey);
  // Its passwords are not what this is about: this server keeps those of the first key.
  const connect = () => server.connect();
  access = new LockerAccess({ rootKeyPath, connect, auditEntriesMax: 100, warn: (text) => warned.push(text) });
}, ENGINE_TIMEOUT_MS);
afterAll(async () => {
  await access.close();
  await server[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

async function dump(): Promise<Dump> {
  const keys = (await server.ask('KEYS', '*')) as readonly string[];
  const sealed = keys.filter((key) => placeOfKey(key) !== undefined);
  const replies = await Promise.all(sealed.map((key) => server.ask('HGETALL', key)));
  return new Map(sealed.map((key, index) => [key, toFields(replies[index] as readonly string[])]));
}

async function rootKey(): Promise<RootKey> {
  const key = await readRootKey(access.custody.rootKeyFile.path);
  if (key === undefined) throw new Error('no root key');
  return key;
}

async function grant(name: 'default' | 'admin'): Promise<TokenGrant> {
  const { address } = server.server;
  const file = join(folder, `${name}.token`);
  const place = { locker: address, vault: address };
  const request = { env: 'seen', kind: 'standard', names: [name], label: '', file, ...place, at: NOW } as const;
  const made = await (await access.tokens()).create(request);
  await made.writeFile();
  return made.grant;
}

/** @returns `KEY FIELD` of each text in `now` that one of the data keys opens which the old key opens in `seen` */
function openedBy(
  old: RootKey,
  seen: readonly Dump[],
  now: Dump,
): { readonly keys: number; readonly opened: string[] } {
  const keyEncryptionKey = deriveKeyEncryptionKey(old);
  const opened: string[] = [];
  let keys = 0;
  for (const [key, fields] of now) {
    const place = placeOfKey(key);
    if (place === undefined) continue;
    const wrapped = seen.flatMap((one) => [FIELD.dataKey, FIELD.nextDataKey].map((field) => one.get(key)?.get(field)));
    for (const dataKey of wrapped.map((text) => DataKey.unwrap(keyEncryptionKey, place, text ?? ''))) {
      if (dataKey === undefined) continue;
      keys += 1;
      for (const [field, text] of fields) {
        const [, slot, name = ''] = /^(\w+):(.*)$/.exec(field) ?? [];
        const found = SLOTS.find((one) => one === slot);
        if (found === undefined) continue;
        if (dataKey.open({ ...place, name, slot: found }, text) !== undefined) opened.push(`${key} ${field}`);
      }
    }
  }
  return { keys, opened };
}

describe('a root key that somebody has seen', () => {
  it('opens nothing that is stored after rekey, also with every data key that ever lay in Redis; tokens still do', async () => {
    const { rekey } = access.custody;
    const old = await rootKey();
    const store = await access.open();
    await store.generate('seen', ['default', 'admin'], NOW);
    const { id, file } = await grant('default');
    const revoked = await grant('admin');
    await (await access.tokens()).markRevoked([revoked.id]);
    await access.getCredential('seen', 'default');
    await rekey.prepare();
    const seen = [await dump()];
    await rekey.openToNext();
    seen.push(await dump());
    expect(openedBy(old, seen, await dump()).opened).toContain(`${SEEN} value:default`);
    await rekey.commit();
    await store.generate('late', ['default'], NOW);
    seen.push(await dump());
    await rekey.closeToOld();
    const once = await dump();
    // What is closed stays as it is.
    await rekey.closeToOld();
    expect(await dump()).toEqual(once);
    seen.push(once);
    await rekey.finish();
    await store.prepareRotation('seen', ['default', 'admin'], NOW);
    await store.promoteRotation('seen', NOW, NOW);
    const now = await dump();
    const { keys, opened } = openedBy(old, seen, now);
    expect(opened).toEqual([]);
    expect(keys).toBeGreaterThan(4);
    expect([...now.keys()]).toEqual(expect.arrayContaining([KEY.auditKey, KEY.tokens, SEEN]));

    const fields = now.get(SEEN) ?? new Map<string, string>();
    const tokenKeys = [...fields.keys()].filter((field) => field.startsWith('token-key:'));
    expect(tokenKeys).toEqual([FIELD.tokenKey(id, 'default')]);
    const password = await access.getCredential('seen', 'default');
    expect(openWithToken(await loadToken(file), 'default', fields).reveal()).toBe(password.reveal());
    expect(warned).toEqual([]);
  });

  it('a value before the present one that somebody changed does not keep rekey from its end: it goes, and that is said', async () => {
    const { rekey } = access.custody;
    const store = await access.open();
    await store.finishRotation('seen');
    const password = await access.getCredential('seen', 'default');
    await server.ask('HSET', SEEN, 'previous:default', 'v2.1.nonsense');
    await rekey.prepare();
    await rekey.openToNext();
    await rekey.commit();
    await rekey.closeToOld();
    await rekey.finish();
    expect((await access.getCredential('seen', 'default')).reveal()).toBe(password.reveal());
    expect(await server.ask('HEXISTS', SEEN, 'previous:default')).toBe(0);
    expect(await server.ask('HEXISTS', SEEN, 'previous:admin')).toBe(1);
    expect(warned).toEqual([expect.stringContaining('previous:default of seen')]);
  });

  it('a value that somebody changed keeps rekey from its commit; changed after that, it stays as it is, and is found', async () => {
    const { rekey } = access.custody;
    const text = String(await server.ask('HGET', SEEN, 'value:default'));
    await rekey.prepare();
    await server.ask('HSET', SEEN, 'value:default', 'v2.1.nonsense');
    await expect(rekey.openToNext()).rejects.toMatchObject({ code: 'LOCKER_VALUE_TAMPERED' });
    await server.ask('HSET', SEEN, 'value:default', text);
    await rekey.openToNext();
    await rekey.commit();
    await server.ask('HSET', SEEN, 'value:default', 'v2.1.nonsense');
    await rekey.closeToOld();
    await rekey.finish();
    expect((await access.getCredential('seen', 'admin')).reveal()).not.toBe('');
    await expect(access.getCredential('seen', 'default')).rejects.toMatchObject({ code: 'LOCKER_VALUE_TAMPERED' });
  });
});
