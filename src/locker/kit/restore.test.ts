/** A recovery kit restored into a real Locker that has moved on, or that somebody has changed. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ENGINE_TIMEOUT_MS } from '../../../test/support/engine.js';
import { LockerServer } from '../../../test/support/locker-server.js';
import { QUIET_AUDIT } from '../../../test/support/quiet-audit.js';
import { Secret } from '../../protocol/secret.js';
import { LockerAccess } from '../access.js';
import type { Restored } from '../custody.js';
import { KEY } from '../keys.js';
import type { Tokens } from '../locker.js';
import { writeKey } from '../rekey/key-files.js';
import { openWithToken } from '../token/open.js';
import { loadToken } from '../token/token-file.js';
import { FIELD, toFields } from '../sealed-hash.js';
import { dumpLocker } from './dump.js';
import type { KitDocument } from './document.js';
import { restoreLocker } from './restore.js';

const NOW = new Date('2026-01-08T12:00:00Z');
const TRACK = KEY.environment('track');
const NAMES = ['default', 'admin', 'operational-admin'] as const;
const NOTHING: Restored = { added: [], kept: [], replaced: [], dropped: [] };
let folder: string;
let server: LockerServer;
let access: LockerAccess;
let tokens: Tokens;

beforeAll(async () => {
  server = await LockerServer.start();
  folder = await mkdtemp(join(tmpdir(), 'nexus3-restore-'));
}, ENGINE_TIMEOUT_MS);
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});
beforeEach(async () => {
  await server.ask('FLUSHALL');
  const rootKeyPath = join(folder, 'root.key');
  await writeKey(rootKeyPath, server.rootKey);
  access = new LockerAccess({ rootKeyPath, connect: () => server.connect(), ...QUIET_AUDIT });
  const store = await access.open();
  await store.generate('track', NAMES, NOW);
  await password('default');
  tokens = await access.tokens();
  return () => access.close();
});

async function password(name: (typeof NAMES)[number]): Promise<string> {
  return (await access.getCredential('track', name)).reveal();
}

async function makeKit(): Promise<KitDocument> {
  const origin = { createdAt: NOW.toISOString(), host: 'here', nexus3: '0' };
  return { ...origin, rootKey: server.rootKey.toText().trim(), hashes: await dumpLocker(server.database()) };
}

async function restore(kit: KitDocument, overwrite = true): Promise<Restored> {
  return restoreLocker(server.database(), kit, { overwrite, configured: new Set(['track']) });
}

async function rotate(): Promise<void> {
  const store = await access.open();
  await store.prepareRotation('track', NAMES, NOW);
  await store.promoteRotation('track', NOW, NOW);
}

async function grant(name: 'default' | 'admin'): Promise<string> {
  const { address } = server.server;
  const file = join(folder, `${name}.token`);
  const place = { locker: address, vault: address };
  const request = { env: 'track', kind: 'standard', names: [name], label: '', file, ...place, at: NOW } as const;
  const made = await tokens.create(request);
  await made.writeFile();
  return made.grant.id;
}

async function revoke(id: string): Promise<void> {
  await tokens.markRevoked([id]);
  await tokens.shutOut('track', [id]);
  await tokens.forget([id]);
}

const broken = (field: string, key = TRACK): Promise<unknown> => server.ask('HSET', key, field, 'v2.1.nonsense');
const isThere = async (field: string, key = TRACK): Promise<boolean> => (await server.ask('HEXISTS', key, field)) === 1;

describe('--overwrite with a rotation under way', () => {
  it('is refused before anything is changed', async () => {
    const kit = await makeKit();
    await rotate();
    const before = await server.dump();
    await expect(restore(kit)).rejects.toMatchObject({
      code: 'LOCKER_ROTATING',
      hint: 'Finish it first: nexus3 rotate track',
    });
    expect(await server.dump()).toBe(before);
    expect(await restore(kit, false)).toMatchObject({
      replaced: [],
      kept: NAMES.map((n) => `l_e0dd/track.${n}`).sort(),
    });
    await (await access.open()).finishRotation('track');
    expect((await restore(kit)).replaced).toEqual(['l_e0dd/track.default']);
  });

  it('repairs what was changed and leaves the rest, so that the rotation can be finished', async () => {
    const kit = await makeKit();
    await rotate();
    const rotated = await password('default');
    await broken('previous:default');
    const restored = await restore(kit);
    expect(restored).toMatchObject({ replaced: [], dropped: ['l_e0dd/track previous:default'] });
    expect(await password('default')).toBe(rotated);
    expect((await (await access.open()).read(['track'])).get('track')?.rotation?.phase).toBe('promoted');
  });

  it('ends one that has not begun to change anything and cannot go on', async () => {
    const kit = await makeKit();
    const store = await access.open();
    await store.prepareRotation('track', NAMES, NOW);
    await broken('next:default');
    await restore(kit);
    expect((await store.read(['track'])).get('track')?.rotation).toBeUndefined();
    await store.prepareRotation('track', NAMES, NOW);
    await server.ask('HSET', TRACK, 'rotation', 'nonsense');
    await restore(kit);
    expect((await store.read(['track'])).get('track')?.rotation).toBeUndefined();
  });
});

describe('--overwrite with a kit from before the last rotation', () => {
  it('leaves nexus3 its way into the servers', async () => {
    const kit = await makeKit();
    const before = await password('default');
    await rotate();
    await (await access.open()).finishRotation('track');
    const admin = await password('admin');
    expect(await restore(kit)).toEqual({
      ...NOTHING,
      replaced: ['l_e0dd/track.default'],
      kept: ['l_e0dd/track.admin', 'l_e0dd/track.operational-admin'],
    });
    expect([await password('default'), await password('admin')]).toEqual([before, admin]);
    // One that somebody has changed is of no use.
    await broken('value:admin');
    expect((await restore(kit)).replaced).toEqual(['l_e0dd/track.admin']);
    expect(await password('admin')).not.toBe(admin);
  });
});

describe('--overwrite where somebody has changed', () => {
  it.each(['nonsense', 'of another hash'])('the data key (%s): it is the kit’s again', async (kind) => {
    const id = await grant('default');
    const before = await password('default');
    const kit = await makeKit();
    const other = String(await server.ask('HGET', KEY.auditKey, FIELD.dataKey));
    await server.ask('HSET', TRACK, FIELD.dataKey, kind === 'nonsense' ? kind : other);
    await expect(restore(kit, false)).rejects.toMatchObject({ name: 'Nexus3Error' });
    await restore(kit);
    expect(await password('default')).toBe(before);
    const fields = toFields((await server.ask('HGETALL', TRACK)) as readonly string[]);
    expect(openWithToken(await loadToken(join(folder, 'default.token')), 'default', fields).reveal()).toBe(before);
    expect(fields.has(FIELD.tokenKey(id, 'default'))).toBe(true);
    expect(await restore(kit)).toEqual(NOTHING);
  });

  it('the data key, after it was made anew: every value of the kit is there again, and what is not in it goes', async () => {
    const kit = await makeKit();
    const before = await password('default');
    const id = await grant('default');
    await revoke(id);
    await rotate();
    await (await access.open()).finishRotation('track');
    await (await access.open()).generate('track', ['backup'], NOW);
    await broken(FIELD.dataKey);
    const { replaced, dropped } = await restore(kit);
    expect(replaced).toEqual(NAMES.map((name) => `l_e0dd/track.${name}`).sort());
    expect(dropped).toEqual([...NAMES.map((n) => `l_e0dd/track previous:${n}`), 'l_e0dd/track value:backup'].sort());
    expect(await password('default')).toBe(before);
    expect(await isThere('value:backup')).toBe(false);
    expect(await restore(kit)).toEqual(NOTHING);
  });

  it('a value before the present one: it goes', async () => {
    await rotate();
    await (await access.open()).finishRotation('track');
    const kit = await makeKit();
    await broken('previous:admin');
    expect(await restore(kit)).toEqual({ ...NOTHING, dropped: ['l_e0dd/track previous:admin'] });
    expect(await isThere('previous:admin')).toBe(false);
    expect(await isThere('previous:default')).toBe(true);
  });

  it('a Locker that another root key opens is not touched', async () => {
    const kit = await makeKit();
    for (const key of [TRACK, KEY.auditKey]) await broken(FIELD.dataKey, key);
    const before = await server.dump();
    await expect(restore(kit)).rejects.toMatchObject({ code: 'LOCKER_VALUE_UNREADABLE' });
    expect(await server.dump()).toBe(before);
  });
});

describe('what was taken back or deleted since', () => {
  it('a token stays taken back, also with --overwrite; into a Locker without any it comes, and is named', async () => {
    const [id, stays] = [await grant('default'), await grant('admin')];
    const kit = await makeKit();
    await revoke(id);
    for (const overwrite of [false, true]) {
      expect((await restore(kit, overwrite)).added).toEqual([]);
      expect((await tokens.list()).map((one) => one.id)).toEqual([stays]);
      expect(await isThere(FIELD.tokenKey(id, 'default'))).toBe(false);
    }
    await tokens.markRevoked([stays]);
    await restore(kit);
    expect((await tokens.list()).map(({ revoked }) => revoked)).toEqual([true]);
    await revoke(stays);
    await server.ask('DEL', TRACK);
    await restore(kit);
    expect(await tokens.list()).toEqual([]);
    expect(await isThere(FIELD.tokenKey(id, 'default'))).toBe(false);
    await server.ask('DEL', KEY.tokens);
    expect((await restore(kit)).added).toEqual([`tokens.${id}`, `tokens.${stays}`].sort());
  });

  it('a locker stays deleted, unless the kit’s is wanted', async () => {
    const lockers = await access.lockers({ environments: { needed: new Map() }, suggest: () => '' });
    const { id } = await lockers.create('mine', {}, NOW);
    await lockers.set(id, new Map([['key', new Secret('kept')]]), NOW);
    const kit = await makeKit();
    await lockers.deleteLocker(id);
    expect(await restore(kit, false)).toEqual({ ...NOTHING, kept: [`${KEY.ids} ${id}`] });
    expect(await server.ask('EXISTS', KEY.meta(id), KEY.values(id))).toBe(0);
    expect((await restore(kit)).replaced).toEqual([`${KEY.ids} ${id}`]);
    expect((await lockers.reveal('mine', 'key')).value.reveal()).toBe('kept');
  });
});
