/** What a rotation has done, seen from outside: which passwords are handed out, and which a server accepts. */
import { expect } from 'vitest';
import type { Role } from '../../src/protocol/environment.js';
import { Secret } from '../../src/protocol/secret.js';
import { hostAddress } from '../../src/reconcile/access.js';
import { acceptsPassword } from '../../src/redis/admin.js';
import type { Nexus } from './nexus.js';

/** Every user of the environment `track`, by the name of its credential. */
const USERS_OF_TRACK = [
  ['vault', 'default', 'default'],
  ['vault', 'admin', 'admin'],
  ['vault', 'replicator', 'replicator'],
  ['vault', 'backup', 'backup'],
  ['operational', 'admin', 'operational-admin'],
] as const;
const USERS_OF_LOCKER = [
  ['vault', 'default', 'default'],
  ['vault', 'admin', 'admin'],
  ['vault', 'backup', 'backup'],
] as const;

export interface Known {
  readonly role: Role;
  readonly user: string;
  readonly password: string;
}

/** What Locker hands out now. */
export async function handedOut(nexus: Nexus, env: string): Promise<readonly Known[]> {
  const users = env === 'locker' ? USERS_OF_LOCKER : USERS_OF_TRACK;
  const known: Known[] = [];
  for (const [role, user, name] of users) known.push({ role, user, password: await nexus.password(env, name) });
  return known;
}

export async function accepted(nexus: Nexus, env: string, { role, user, password }: Known): Promise<boolean> {
  return acceptsPassword(hostAddress(await nexus.spec(env, role)), user, new Secret(password));
}

/** @param is whether each is to be accepted */
export async function areAll(
  nexus: Nexus,
  is: boolean,
  env: string,
  known: readonly Known[],
  where: string,
): Promise<void> {
  for (const one of known) {
    expect(await accepted(nexus, env, one), `${where} ${env}/${one.role} ${one.user}`).toBe(is);
  }
}

/** How often the password has been made anew. */
export async function versionOfDefault(nexus: Nexus): Promise<number> {
  const sealed = await nexus.admin('locker', 'vault', 'HGET', 'nexus3:locker:l_e0dd:env:track', 'value:default');
  return Number(/^v2\.(\d+)\./.exec(String(sealed))?.[1]);
}

export async function syncsOf(nexus: Nexus): Promise<{ full: number; partial: number; refused: number }> {
  const info = String(await nexus.admin('track', 'vault', 'INFO', 'stats'));
  const count = (name: string): number => Number(new RegExp(`${name}:(\\d+)`).exec(info)?.[1]);
  return { full: count('sync_full'), partial: count('sync_partial_ok'), refused: count('sync_partial_err') };
}
