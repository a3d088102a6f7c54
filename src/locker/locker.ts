/** The Locker port: how the rest of nexus3 gets and makes credentials. Types only; store.ts implements it. */
import type { CredentialName } from '../protocol/users.js';
import type { Secret } from '../protocol/secret.js';

/** What Locker holds for one environment; a name that is absent is missing there. */
export type StoredCredentials = Partial<Record<CredentialName, Secret>>;

export interface Locker {
  /**
   * Everything stored for these environments, in one round trip. Those without any entry are absent from the map.
   * @throws Nexus3Error LOCKER_UNREACHABLE, LOCKER_VALUE_UNREADABLE
   */
  read(envs: readonly string[]): Promise<ReadonlyMap<string, StoredCredentials>>;
  /**
   * Generates those of `names` that are not stored yet (an existing one is never overwritten, also when two runs race),
   * each of at least 192 random bits, and returns only when they are durable (`WAITAOF 1 0`).
   */
  generate(env: string, names: readonly CredentialName[]): Promise<StoredCredentials>;
  /** Replaces one credential by a new one, durable before it returns. */
  replace(env: string, name: CredentialName): Promise<Secret>;
  /** Forgets an environment. */
  remove(env: string): Promise<void>;
  close(): Promise<void>;
}
