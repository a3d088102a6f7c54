/**
 * How Locker's values are encrypted before Redis sees them: AES-256-GCM. Each hash in Redis (a locker, or one
 * environment) has a data key, wrapped by the key-encryption key; from it every name has a key of its own, so that a token
 * can be given the key of one value and opens no other. What a text belongs to is bound in as additional data, so a text
 * that is moved to another locker, environment, name, slot or version does not open.
 *
 * Text: `v2.VERSION.BASE64URL(nonce 12 ‖ ciphertext ‖ tag 16)`. VERSION counts the values that a name has had. `v1`, written
 * before names had keys of their own, is sealed with the data key itself; it is read, never written.
 */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { Secret } from '../protocol/secret.js';

const ALGORITHM = 'aes-256-gcm';
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** The longest value, in bytes of UTF-8. */
export const VALUE_BYTES_MAX = 32 * 1024;
/** The longest text that is looked at. */
const TEXT_CHARACTERS_MAX = 64 * 1024;

/** What one hash in Redis belongs to; `env` is empty for a locker that is not the environments'. */
export interface HashPlace {
  readonly lockerId: string;
  readonly env: string;
}

/** `value`: in use. `next`: prepared by a rotation. `previous`: the one before, kept to be restored. */
export type Slot = 'value' | 'next' | 'previous';

/** What a text belongs to. */
export interface Place extends HashPlace {
  readonly name: string;
  readonly slot: Slot;
}

type Format = 'v1' | 'v2';

/** The key of one hash. Keeps to itself: it can only seal and open. */
export class DataKey {
  readonly #key: Buffer;

  private constructor(key: Buffer) {
    this.#key = key;
  }

  static generate(): DataKey {
    return new DataKey(randomBytes(KEY_BYTES));
  }

  wrap(keyEncryptionKey: Buffer, place: HashPlace, version: number): string {
    return seal(keyEncryptionKey, 'v1', bound('v1', place, 'data-key', version), version, this.#key);
  }

  /** Undefined: another root key, or the text was changed, moved or cut. */
  static unwrap(keyEncryptionKey: Buffer, place: HashPlace, text: string): DataKey | undefined {
    const key = open(keyEncryptionKey, text, (format, version) => bound(format, place, 'data-key', version));
    return key?.length === KEY_BYTES ? new DataKey(key) : undefined;
  }

  seal(place: Place, version: number, value: Secret): string {
    return this.valueKey(place).seal(place, version, value);
  }

  /** Undefined: another key, or the text was changed, moved or cut. */
  open(place: Place, text: string): Secret | undefined {
    if (!text.startsWith('v1.')) return this.valueKey(place).open(place, text);
    if (place.slot !== 'value') return undefined;
    const value = open(this.#key, text, (format, version) => bound(format, place, `value:${place.name}`, version));
    return value === undefined ? undefined : new Secret(value.toString('utf8'));
  }

  /** The key of one name: all that somebody needs who may read that one. */
  valueKey({ lockerId, env, name }: Omit<Place, 'slot'>): ValueKey {
    const purpose = JSON.stringify(['nexus3', 'v2', 'value-key', lockerId, env, name]);
    return new ValueKey(Buffer.from(hkdfSync('sha256', this.#key, 'nexus3', purpose, KEY_BYTES)));
  }
}

/** The key of one name in one hash. */
export class ValueKey {
  readonly #key: Buffer;

  /** @param key 32 bytes */
  constructor(key: Buffer) {
    this.#key = key;
  }

  seal(place: Place, version: number, value: Secret): string {
    const plain = Buffer.from(value.reveal(), 'utf8');
    return seal(this.#key, 'v2', bound('v2', place, `${place.slot}:${place.name}`, version), version, plain);
  }

  open(place: Place, text: string): Secret | undefined {
    const value = open(this.#key, text, (format, version) =>
      bound(format, place, `${place.slot}:${place.name}`, version),
    );
    return value === undefined ? undefined : new Secret(value.toString('utf8'));
  }

  /** Sealed for whoever holds this token's key. */
  wrapFor(tokenKey: Buffer, tokenId: string, place: Omit<Place, 'slot'>): string {
    return seal(tokenKey, 'v2', bound('v2', place, `token-key:${tokenId}:${place.name}`, 1), 1, this.#key);
  }

  /** Undefined: not for this token, or the text was changed, moved or cut. */
  static unwrapFor(tokenKey: Buffer, tokenId: string, place: Omit<Place, 'slot'>, text: string): ValueKey | undefined {
    const key = open(tokenKey, text, (format, version) =>
      bound(format, place, `token-key:${tokenId}:${place.name}`, version),
    );
    return key?.length === KEY_BYTES ? new ValueKey(key) : undefined;
  }
}

/** The VERSION of a text, without opening it; undefined for what is no such text. */
export function versionOf(text: string): number | undefined {
  return parse(text)?.version;
}

function seal(key: Buffer, format: Format, additionalData: Buffer, version: number, plain: Buffer): string {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(additionalData);
  const sealed = Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
  return `${format}.${String(version)}.${sealed.toString('base64url')}`;
}

function open(
  key: Buffer,
  text: string,
  additionalData: (format: Format, version: number) => Buffer,
): Buffer | undefined {
  const parsed = parse(text);
  if (parsed === undefined) return undefined;
  const { format, version, sealed } = parsed;
  const decipher = createDecipheriv(ALGORITHM, key, sealed.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES });
  decipher.setAAD(additionalData(format, version));
  decipher.setAuthTag(sealed.subarray(sealed.length - TAG_BYTES));
  const plain = decipher.update(sealed.subarray(NONCE_BYTES, sealed.length - TAG_BYTES));
  try {
    return Buffer.concat([plain, decipher.final()]);
  } catch {
    // Node says "unable to authenticate data" and nothing more: there is nothing to pass on.
    return undefined;
  }
}

/** JSON, because no two different lists read the same in it. */
function bound(format: Format, { lockerId, env }: HashPlace, what: string, version: number): Buffer {
  return Buffer.from(JSON.stringify(['nexus3', format, lockerId, env, what, version]), 'utf8');
}

function parse(text: string): { format: Format; version: number; sealed: Buffer } | undefined {
  if (text.length > TEXT_CHARACTERS_MAX) return undefined;
  const match = /^(v1|v2)\.([1-9]\d{0,14})\.([A-Za-z0-9_-]+)$/.exec(text);
  const encoded = match?.[3] ?? '';
  const sealed = Buffer.from(encoded, 'base64url');
  // One text a value: bits that base64 would ignore must not be changed either.
  if (sealed.length < NONCE_BYTES + TAG_BYTES || sealed.toString('base64url') !== encoded) return undefined;
  return { format: match?.[1] === 'v1' ? 'v1' : 'v2', version: Number(match?.[2]), sealed };
}
