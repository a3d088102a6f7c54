/**
 * How Locker's values are encrypted before Redis sees them: AES-256-GCM, one data key for each environment, that key
 * wrapped by the key-encryption key. What a text belongs to is bound in as additional data, so a text that is moved to
 * another locker, environment, name or version does not open.
 *
 * Text: `v1.VERSION.BASE64URL(nonce 12 ‖ ciphertext ‖ tag 16)`. VERSION counts the values that a name has had.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { Secret } from '../protocol/secret.js';

const ALGORITHM = 'aes-256-gcm';
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const FORMAT = 'v1';
/** The longest text that is looked at. */
const TEXT_CHARACTERS_MAX = 64 * 1024;

/** What a text belongs to. `data-key` is the name of an environment's wrapped key. */
export interface Place {
  readonly lockerId: string;
  readonly env: string;
  readonly name: string;
}

/** An environment's data key. Keeps to itself: it can only seal and open. */
export class DataKey {
  readonly #key: Buffer;

  private constructor(key: Buffer) {
    this.#key = key;
  }

  static generate(): DataKey {
    return new DataKey(randomBytes(KEY_BYTES));
  }

  wrap(keyEncryptionKey: Buffer, place: Omit<Place, 'name'>, version: number): string {
    return seal(keyEncryptionKey, { ...place, name: WRAPPED_KEY }, version, this.#key);
  }

  /** Undefined: another root key, or the text was changed, moved or cut. */
  static unwrap(keyEncryptionKey: Buffer, place: Omit<Place, 'name'>, text: string): DataKey | undefined {
    const key = open(keyEncryptionKey, { ...place, name: WRAPPED_KEY }, text);
    return key?.length === KEY_BYTES ? new DataKey(key) : undefined;
  }

  seal(place: Place, version: number, value: Secret): string {
    return seal(this.#key, valuePlace(place), version, Buffer.from(value.reveal(), 'utf8'));
  }

  /** Undefined: another key, or the text was changed, moved or cut. */
  open(place: Place, text: string): Secret | undefined {
    const value = open(this.#key, valuePlace(place), text);
    return value === undefined ? undefined : new Secret(value.toString('utf8'));
  }
}

/** The VERSION of a text, without opening it; undefined for what is no such text. */
export function versionOf(text: string): number | undefined {
  return parse(text)?.version;
}

const WRAPPED_KEY = 'data-key';

/** So that no value, whatever its name, stands where a wrapped key stands. */
function valuePlace(place: Place): Place {
  return { ...place, name: `value:${place.name}` };
}

function seal(key: Buffer, place: Place, version: number, plain: Buffer): string {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(additionalData(place, version));
  const sealed = Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
  return `${FORMAT}.${String(version)}.${sealed.toString('base64url')}`;
}

function open(key: Buffer, place: Place, text: string): Buffer | undefined {
  const parsed = parse(text);
  if (parsed === undefined) return undefined;
  const { version, sealed } = parsed;
  const decipher = createDecipheriv(ALGORITHM, key, sealed.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES });
  decipher.setAAD(additionalData(place, version));
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
function additionalData({ lockerId, env, name }: Place, version: number): Buffer {
  return Buffer.from(JSON.stringify(['nexus3', FORMAT, lockerId, env, name, version]), 'utf8');
}

function parse(text: string): { version: number; sealed: Buffer } | undefined {
  if (text.length > TEXT_CHARACTERS_MAX) return undefined;
  const match = /^v1\.([1-9]\d{0,14})\.([A-Za-z0-9_-]+)$/.exec(text);
  const encoded = match?.[2] ?? '';
  const sealed = Buffer.from(encoded, 'base64url');
  // One text a value: bits that base64 would ignore must not be changed either.
  if (sealed.length < NONCE_BYTES + TAG_BYTES || sealed.toString('base64url') !== encoded) return undefined;
  return { version: Number(match?.[1]), sealed };
}
