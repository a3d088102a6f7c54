/** The steps of a new root key against a real server, with a run beside them that knows only the old one. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { QUIET_AUDIT } from '../../../test/support/quiet-audit.js';
import { ENGINE_TIMEOUT_MS, testEngine } from '../../../test/support/engine.js';
import { startServer, type TestServer } from '../../../test/support/redis-server.js';
import type { Secret } from '../../protocol/secret.js';
import { DEFAULT_SETTINGS } from '../../protocol/settings.js';
import { openTextConnection } from '../../redis/text-connection.js';
import { LockerAccess } from '../access.js';
import type { LockerConnection } from '../channel.js';
import { LockerDatabase } from '../database.js';
import { deriveOwnCredentials } from '../derive.js';
import { RootKey } from '../root-key.js';
import { LockerStore } from '../store.js';
import { keyFiles, writeKey } from './key-files.js';

const [old, next] = [RootKey.generate(), RootKey.generate()];
const NOW = new Date('2026-01-08T12:00:00Z');
let folder: string;
let server: TestServer;
let access: LockerAccess;

const connect = (password: Secret): Promise<LockerConnection> =>
  openTextConnection(server.address, { user: 'default', password });
/** A run that began before the change and never looks at a file. */
const holderOf = (key: RootKey): LockerStore =>
  new LockerStore(new LockerDatabase(key, () => connect(deriveOwnCredentials(key).default)));

beforeAll(async () => {
  await testEngine();
  const credentials = { ...deriveOwnCredentials(old), alsoAccepted: deriveOwnCredentials(next) };
  const settings = { ...DEFAULT_SETTINGS, appendfsync: 'always' } as const;
  server = await startServer({ role: 'vault', kind: 'secure', credentials, settings });
  folder = await mkdtemp(join(tmpdir(), 'nexus3-rekey-'));
  const path = join(folder, 'root.key');
  await writeKey(path, old);
  await writeKey(keyFiles(path).next, next);
  access = new LockerAccess({ rootKeyPath: path, connect, ...QUIET_AUDIT });
}, ENGINE_TIMEOUT_MS);
afterAll(async () => {
  await access.close();
  await server[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

describe('a new root key', () => {
  it('takes along what a run with the old key adds at any step, and then nothing opens with the old one', async () => {
    const { rekey } = access.custody;
    const holder = holderOf(old);
    const added: string[] = [];
    const add = async (env: string): Promise<void> => {
      const made = await holder.generate(env, ['default'], NOW);
      added.push(env);
      // Whoever knows the files reads it at once, whichever key it is under.
      expect((await access.getCredential(env, 'default')).reveal(), env).toBe(made.default?.reveal());
      for (const earlier of added) await access.getCredential(earlier, 'default');
    };
    await add('before');
    expect((await rekey.state()).phase).toBe('prepared');
    // The audit's key besides, from here on.
    expect(await rekey.openToNext()).toBe(2);
    expect((await holderOf(next).read(['before'])).size).toBe(1);
    await add('before-the-commit');
    await rekey.commit();
    expect((await rekey.state()).phase).toBe('committed');
    await add('after-the-commit');
    await rekey.closeToOld();
    await add('after-the-first-pass');
    expect(await rekey.closeToOld()).toBe(5);
    expect((await holderOf(next).read(added)).size).toBe(4);
    for (const env of added) {
      await expect(holderOf(old).read([env]), env).rejects.toMatchObject({ code: 'LOCKER_VALUE_UNREADABLE' });
    }
    // This server still takes both passwords: that is noticed, and the old key stays.
    await expect(rekey.proveOldRefused()).rejects.toMatchObject({ code: 'NOT_PROVEN' });
    await rekey.finish();
    expect((await rekey.state()).phase).toBe('none');
    for (const env of added) await access.getCredential(env, 'default');
  });

  it('stops before anything is changed where something does not open with the old one', async () => {
    const { path } = access.custody.rootKeyFile;
    await writeKey(keyFiles(path).next, RootKey.generate());
    const connection = await connect(deriveOwnCredentials(next).default);
    await connection.ask([['HSET', 'nexus3:locker:l_e0dd:env:broken', 'data-key', 'nonsense']]);
    await expect(access.custody.rekey.openToNext()).rejects.toMatchObject({
      code: 'LOCKER_VALUE_UNREADABLE',
      evidence: [expect.stringContaining('broken')],
    });
    connection.close();
  });
});
