/** Servers that take their passwords from the library's helper go on while all credentials are rotated, Locker's too. */
import { dirname, join } from 'node:path';
import { expect } from 'vitest';
import type { CredentialCache } from '../../src/compose-credentials.js';
import { credentials } from '../../src/compose-credentials.js';
import type { Role } from '../../src/protocol/environment.js';
import { until } from './break.js';
import { startLoad } from './load.js';
import type { Nexus } from './nexus.js';
import { areAll, handedOut, syncsOf } from './rotated.js';

/** The root key itself changes after the first rotation, and then each so many. */
const ROTATIONS_A_ROOT_KEY = 5;

/** Two that read with the root key, two that hold a token each. */
export const CLIENTS = 4;

export async function rotatesUnderLoad(nexus: Nexus, rotations: number): Promise<void> {
  const before = await syncsOf(nexus);
  const first = await handedOut(nexus, 'track');
  const helpers = [byRootKey(nexus), byRootKey(nexus), await byToken(nexus, 'a'), await byToken(nexus, 'b')];
  expect(helpers).toHaveLength(CLIENTS);
  await using load = await startLoad(nexus, 'track', helpers);
  for (let count = 0; count < rotations; count += 1) {
    const where = `rotation ${String(count)}`;
    const old = await handedOut(nexus, 'track');
    await rotated(nexus, 'track');
    await areAll(nexus, false, 'track', old, where);
    const current = await nexus.password('track');
    const isKnown = (): Promise<boolean> => Promise.resolve(load.failures.length > 0 || load.haveAll(current));
    await until(isKnown, `${where}: the new password in every client`);
    expect(load.failures, where).toEqual([]);
    if (count % ROTATIONS_A_ROOT_KEY === 0) await rotatedLocker(nexus, where);
  }
  const { failures, written } = await load.stop();
  expect(failures).toEqual([]);
  expect(written.size).toBeGreaterThan(rotations);
  await areAll(nexus, false, 'track', first, 'the first ones');

  const after = await syncsOf(nexus);
  expect(after.full, 'full syncs').toBe(before.full);
  expect(after.refused, 'refused partial syncs').toBe(before.refused);
  expect(after.partial - before.partial, 'reconnects').toBe(rotations);

  const keys = [...written.keys()];
  const lost = async (role: Role): Promise<readonly string[]> => {
    const values = (await nexus.admin('track', role, 'MGET', ...keys)) as readonly (string | null)[];
    return keys.filter((key, index) => values[index] !== written.get(key));
  };
  expect(await lost('vault')).toEqual([]);
  await until(async () => (await lost('operational')).length === 0, 'replication');
  await Promise.all(helpers.map((helper) => helper.close()));
  expect((await nexus.run('locker', 'revoke', 'track')).code).toBe(0);
}

function byRootKey(nexus: Nexus): CredentialCache {
  const { NEXUS3_ROOT_KEY_FILE: rootKey, ...env } = nexus.env;
  return credentials({ rootKey, config: nexus.configFile, surroundings: { cwd: nexus.root, env } });
}

/** As its holder: nothing else is known to it. */
async function byToken(nexus: Nexus, name: string): Promise<CredentialCache> {
  const token = join(dirname(nexus.configFile), `${name}.token`);
  const { code, err } = await nexus.run('locker', 'grant', 'track', '--out', token);
  expect(code, err).toBe(0);
  return credentials({ token, surroundings: { cwd: '/', env: {} } });
}

async function rotated(nexus: Nexus, env: string): Promise<void> {
  const { code, out, err } = await nexus.run('rotate', env, '--grace', '1');
  expect(code, `${out}\n${err}`).toBe(0);
}

async function rotatedLocker(nexus: Nexus, where: string): Promise<void> {
  const old = await handedOut(nexus, 'locker');
  await rotated(nexus, 'locker');
  await areAll(nexus, false, 'locker', old, where);
}
