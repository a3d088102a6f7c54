/**
 * The root key: 32 random bytes from which everything of Locker's is derived. This file is its form in memory and as
 * text; root-key-file.ts keeps it on disk.
 */
import { createHash, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto';
import { inspect } from 'node:util';

const ROOT_KEY_BYTES = 32;
/** Says what the file is, and how to read it. A second format gets a second word. */
const VERSION_WORD = 'nexus3-root-key-1';
/** Hex digits of the SHA-256 over the line before it: a truncated or edited key is recognised, not used. */
const CHECKSUM_DIGITS = 16;

/** In memory. It prints as `[root key]` wherever it is logged, joined, inspected or put into JSON. */
export class RootKey {
  readonly #bytes: Buffer;

  constructor(bytes: Buffer) {
    if (bytes.length !== ROOT_KEY_BYTES) throw new RangeError(`a root key has ${String(ROOT_KEY_BYTES)} bytes`);
    this.#bytes = Buffer.from(bytes);
  }

  static generate(): RootKey {
    return new RootKey(randomBytes(ROOT_KEY_BYTES));
  }

  /**
   * HKDF-SHA256 (RFC 5869) for one purpose; another purpose gives bytes that say nothing of these.
   * @param purpose every word of it, in order; no two purposes may read the same when written as JSON.
   */
  derive(purpose: readonly (string | number)[], bytes: number): Buffer {
    return Buffer.from(hkdfSync('sha256', this.#bytes, 'nexus3', JSON.stringify(purpose), bytes));
  }

  equals(other: RootKey): boolean {
    return timingSafeEqual(this.#bytes, other.#bytes);
  }

  /** For the file, and only there: `nexus3-root-key-1 KEY CHECKSUM`, one line. */
  toText(): string {
    const body = `${VERSION_WORD} ${this.#bytes.toString('base64url')}`;
    return `${body} ${checksum(body)}\n`;
  }

  toString(): string {
    return '[root key]';
  }

  toJSON(): string {
    return '[root key]';
  }

  [inspect.custom](): string {
    return '[root key]';
  }
}

/** Why a text is not a root key. Never says anything of its content. */
export type RootKeyFault = 'empty' | 'unknown-format' | 'truncated-or-edited';

export function parseRootKey(text: string): RootKey | RootKeyFault {
  const line = text.trim();
  if (line === '') return 'empty';
  const [word = '', key = '', sum = '', ...rest] = line.split(/\s+/);
  // A file that ends within the version word is a truncated key, not another format.
  if (word !== VERSION_WORD && !VERSION_WORD.startsWith(word)) return 'unknown-format';
  const bytes = Buffer.from(key, 'base64url');
  const whole = bytes.length === ROOT_KEY_BYTES && bytes.toString('base64url') === key && rest.length === 0;
  if (!whole || sum !== checksum(`${word} ${key}`)) return 'truncated-or-edited';
  return new RootKey(bytes);
}

function checksum(body: string): string {
  return createHash('sha256').update(body, 'utf8').digest('hex').slice(0, CHECKSUM_DIGITS);
}
