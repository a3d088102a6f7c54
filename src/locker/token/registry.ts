/** What Locker writes down of a token, as JSON in its own sealed hash. With the key, so that value keys can be wrapped anew. */
import { parseJsonObject } from '../../json.js';
import type { TokenGrant } from '../locker.js';
import type { CredentialName } from '../../protocol/users.js';
import { CREDENTIAL_NAMES } from '../../protocol/users.js';

const KEY_BYTES = 32;
const HASH = /^#[0-9a-f]{64}$/;

export interface TokenRecord extends TokenGrant {
  /** The token's key-encryption key. */
  readonly key: Buffer;
}

export function renderRecord(record: Omit<TokenRecord, 'id'>): string {
  const { env, names, label, file, createdAt, passwordHash, revoked, key } = record;
  const encoded = key.toString('base64url');
  return JSON.stringify({ env, names, label, file, createdAt, passwordHash, revoked, key: encoded });
}

/** Undefined for what is no such record. */
export function parseRecord(id: string, text: string): TokenRecord | undefined {
  const record = parseJsonObject(text) ?? {};
  const { env, label, file, createdAt, passwordHash, revoked } = record;
  const words: readonly unknown[] = Array.isArray(record['names']) ? record['names'] : [];
  const names = CREDENTIAL_NAMES.filter((name: CredentialName) => words.includes(name));
  const key = Buffer.from(typeof record['key'] === 'string' ? record['key'] : '', 'base64url');
  if (typeof env !== 'string' || typeof label !== 'string' || typeof file !== 'string') return undefined;
  if (typeof createdAt !== 'string' || typeof passwordHash !== 'string' || !HASH.test(passwordHash)) return undefined;
  if (key.length !== KEY_BYTES || typeof revoked !== 'boolean') return undefined;
  return { id, env, names, label, file, createdAt, passwordHash, revoked, key };
}

/** Without its key: what the rest of nexus3 may know. */
export function grantOf(record: TokenRecord): TokenGrant {
  const { id, env, names, label, file, createdAt, passwordHash, revoked } = record;
  return { id, env, names, label, file, createdAt, passwordHash, revoked };
}
