/**
 * `{root}/keys.json`, what it says: the backup secrets of earlier root keys, each sealed under the present one's, so that
 * backups stay readable when the root key is changed. While it is being changed, each is sealed under both. What nothing
 * opens here is kept as it is: a recovery kit may bring back the key that does. Pure, but for nonces.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { parseJsonObject } from '../json.js';
import { Secret } from '../protocol/secret.js';
import { BackupSecret, FINGERPRINT } from './backup-secret.js';
import { list, object, time, Untrue } from './untrusted.js';

export const KEYS_SCHEMA = 'nexus3.backup-keys/1';
export const KEYS_BYTES_MAX = 4 * 1024 * 1024;
const SECRETS_MAX = 10_000;
/** The present key, the next one, and some that were never taken into use. */
const SEALED_MAX = 100;
const ALGORITHM = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const SEALED_TEXT = /^[A-Za-z0-9_-]{38,400}$/;

export interface SealedSecret {
  readonly fingerprint: string;
  readonly sealed: readonly {
    /** Fingerprint of the secret that opens it. */
    readonly under: string;
    /** ISO 8601: until when it was in force. Undefined: written before that was kept. What is sealed is bound to it. */
    readonly until?: string | undefined;
    /** BASE64URL(nonce 12 ‖ ciphertext ‖ tag 16) */
    readonly text: string;
  }[];
}

export type KeyFile = readonly SealedSecret[];

/** Nothing that it has signed is dated later than `until`, but what somebody has forged who has seen it. */
export interface EarlierSecret {
  readonly secret: BackupSecret;
  /** ISO 8601. */
  readonly until: string | undefined;
}

export function renderKeyFile(secrets: KeyFile): string {
  return `${JSON.stringify({ schema: KEYS_SCHEMA, secrets }, null, 2)}\n`;
}

/** @throws Untrue */
export function parseKeyFile(text: string): KeyFile {
  const json = parseJsonObject(text);
  if (json?.['schema'] !== KEYS_SCHEMA) throw new Untrue(`it is not ${KEYS_SCHEMA}`);
  const secrets = list(json['secrets'], SECRETS_MAX, 'secrets').map((value) => {
    const { fingerprint, sealed } = object(value, 'secrets');
    return {
      fingerprint: matching(fingerprint, FINGERPRINT, 'secrets.fingerprint'),
      sealed: list(sealed, SEALED_MAX, 'secrets.sealed').map((one) => {
        const { under, until, text: sealedText } = object(one, 'secrets.sealed');
        return {
          under: matching(under, FINGERPRINT, 'secrets.sealed.under'),
          ...(until === undefined ? {} : { until: time(until, 'secrets.sealed.until') }),
          text: matching(sealedText, SEALED_TEXT, 'secrets.sealed.text'),
        };
      }),
    };
  });
  if (new Set(secrets.map(({ fingerprint }) => fingerprint)).size < secrets.length) {
    throw new Untrue('secrets: one is there twice');
  }
  return secrets;
}

/** Those that one of these secrets opens. */
export function openedBy(keys: readonly BackupSecret[], file: KeyFile): readonly EarlierSecret[] {
  return file.flatMap((one) => openOne(keys, one) ?? []);
}

/**
 * All of `earlier` sealed under `to` as well, where they are not yet; `to` itself never is.
 * @param earlier oldest first; each with the time until which it was in force, which takes the place of what stands there
 */
export function carriedOver(file: KeyFile, earlier: readonly EarlierSecret[], to: BackupSecret): KeyFile {
  const known = new Map(earlier.map((one) => [one.secret.fingerprint, one]));
  known.delete(to.fingerprint);
  const kept = file.map((one) => {
    const found = known.get(one.fingerprint);
    known.delete(one.fingerprint);
    if (found === undefined || openOne([to], one)?.until === found.until) return one;
    const others = one.sealed.filter(({ under }) => under !== to.fingerprint);
    return { ...one, sealed: [...others, sealOne(found, to)] };
  });
  const added = [...known].map(([fingerprint, found]) => ({ fingerprint, sealed: [sealOne(found, to)] }));
  return [...kept, ...added];
}

/** What `to` opens is open to no other key any more. */
export function closedToOthers(file: KeyFile, to: BackupSecret): KeyFile {
  return file.map((one) => {
    if (openOne([to], one) === undefined) return one;
    return { ...one, sealed: one.sealed.filter(({ under }) => under === to.fingerprint) };
  });
}

function sealOne({ secret, until }: EarlierSecret, under: BackupSecret): SealedSecret['sealed'][number] {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(ALGORITHM, under.sealingKey(), nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(bound(secret.fingerprint, under.fingerprint, until));
  const plain = Buffer.from(secret.toText().reveal(), 'utf8');
  const sealed = Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
  const text = sealed.toString('base64url');
  return { under: under.fingerprint, ...(until === undefined ? {} : { until }), text };
}

function openOne(keys: readonly BackupSecret[], { fingerprint, sealed }: SealedSecret): EarlierSecret | undefined {
  for (const one of sealed) {
    const key = keys.find(({ fingerprint: under }) => under === one.under);
    const secret = key === undefined ? undefined : unseal(key, fingerprint, one);
    if (secret !== undefined) return { secret, until: one.until };
  }
  return undefined;
}

function unseal(
  key: BackupSecret,
  fingerprint: string,
  { until, text }: SealedSecret['sealed'][number],
): BackupSecret | undefined {
  const sealed = Buffer.from(text, 'base64url');
  const [nonce, end] = [sealed.subarray(0, NONCE_BYTES), sealed.length - TAG_BYTES];
  const decipher = createDecipheriv(ALGORITHM, key.sealingKey(), nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(bound(fingerprint, key.fingerprint, until));
  decipher.setAuthTag(sealed.subarray(end));
  const plain = decipher.update(sealed.subarray(NONCE_BYTES, end));
  try {
    decipher.final();
  } catch {
    // Node says "unable to authenticate data" and nothing more: there is nothing to pass on.
    return undefined;
  }
  return new BackupSecret(new Secret(plain.toString('utf8')));
}

/** JSON, because no two different lists read the same in it. */
function bound(fingerprint: string, under: string, until: string | undefined): Buffer {
  return Buffer.from(
    JSON.stringify(['nexus3', 'backup-key', fingerprint, under, ...(until === undefined ? [] : [until])]),
  );
}

function matching(value: unknown, pattern: RegExp, field: string): string {
  if (typeof value !== 'string' || !pattern.test(value)) throw new Untrue(`${field}: not as it should be`);
  return value;
}
