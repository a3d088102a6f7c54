/** A holder of the root key that runs on while the key is changed under it. */
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { QUIET_AUDIT } from '../../test/support/quiet-audit.js';
import { Nexus3Error } from '../errors.js';
import type { Secret } from '../protocol/secret.js';
import { LockerAccess } from './access.js';
import type { LockerConnection } from './channel.js';
import { deriveOwnCredentials } from './derive.js';
import { KeyRing } from './key-ring.js';
import { RootKey } from './root-key.js';

let folder: string;
const path = (): string => join(folder, 'root.key');
const [first, second] = [RootKey.generate(), RootKey.generate()];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nexus3-ring-'));
  await put(first);
});
afterEach(() => rm(folder, { recursive: true }));

async function put(key: RootKey, name = 'root.key'): Promise<void> {
  await writeFile(join(folder, `${name}.tmp`), key.toText(), { mode: 0o600 });
  await rename(join(folder, `${name}.tmp`), join(folder, name));
}

describe('the key ring', () => {
  it('sees a key that was put in the place of the one it knows', async () => {
    const ring = new KeyRing(path());
    expect((await ring.load(false)).root.equals(first)).toBe(true);
    expect(await ring.load(false), 'not read again').toBe(ring.latest);
    await put(second);
    await ring.refresh();
    expect(ring.latest.root.equals(second)).toBe(true);
    await put(second.withGenerations(2));
    expect((await ring.load(false)).root.generation).toBe(2);
  });

  it('knows the other key from the first step of a change to its last', async () => {
    const ring = new KeyRing(path());
    expect((await ring.load(false)).other).toBeUndefined();
    await put(second, 'root.key.next');
    expect((await ring.load(false)).other?.equals(second)).toBe(true);
    await put(first, 'root.key.previous');
    expect((await ring.load(false)).other?.equals(second)).toBe(true);
    await rename(join(folder, 'root.key.next'), path());
    const committed = await ring.load(false);
    expect([committed.root.equals(second), committed.other?.equals(first)]).toEqual([true, true]);
    await rm(join(folder, 'root.key.previous'));
    expect((await ring.load(false)).other).toBeUndefined();
  });

  it('keeps what it knows when the file cannot be read any more, and says so only to who asks for it anew', async () => {
    const ring = new KeyRing(path());
    await ring.load(false);
    await writeFile(path(), 'damaged');
    await ring.refresh();
    expect(ring.latest.root.equals(first)).toBe(true);
    await expect(ring.load(false)).rejects.toMatchObject({ code: 'ROOT_KEY_INVALID' });
  });
});

describe('a holder whose password is refused', () => {
  const refusal = new Nexus3Error('REDIS_REPLY_UNEXPECTED', 'The server refused AUTH default.', {
    evidence: ['AUTH: WRONGPASS invalid'],
    hint: '',
  });
  const answering: LockerConnection = {
    isOpen: true,
    ask: (commands) => Promise.resolve(commands.map(([name]) => (name === 'PING' ? 'PONG' : null))),
    close: () => undefined,
  };

  it('reads the key again, once, and goes on with it', async () => {
    const tried: string[] = [];
    const connect = async (password: Secret): Promise<LockerConnection> => {
      tried.push(password.reveal());
      // Replaced between the look and the login.
      if (tried.length === 1) await put(second);
      if (password.reveal() === deriveOwnCredentials(second).default.reveal()) return answering;
      throw refusal;
    };
    const access = new LockerAccess({ rootKeyPath: path(), connect, ...QUIET_AUDIT });
    expect([...(await (await access.open()).read([]))]).toEqual([]);
    expect(tried).toHaveLength(2);
    await access.close();
  });

  it('says why, where it is fenced', async () => {
    const connect = (): Promise<LockerConnection> => Promise.reject(refusal);
    const whyFenced = (): Nexus3Error => new Nexus3Error('RESTORE_REFUSED', 'Fenced.', { hint: '' });
    const access = new LockerAccess({ rootKeyPath: path(), connect, whyFenced, ...QUIET_AUDIT });
    await expect((await access.open()).read([])).rejects.toMatchObject({ code: 'RESTORE_REFUSED' });
    await access.close();
  });

  it('says so where the key is still the same', async () => {
    let tries = 0;
    const connect = (): Promise<LockerConnection> => {
      tries += 1;
      return Promise.reject(refusal);
    };
    const access = new LockerAccess({ rootKeyPath: path(), connect, ...QUIET_AUDIT });
    await expect((await access.open()).read([])).rejects.toMatchObject({ code: 'LOCKER_PASSWORD_REFUSED' });
    expect(tries).toBe(1);
    await access.close();
  });
});
