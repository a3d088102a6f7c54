/**
 * The root key: 32 random bytes from which everything of Locker's is derived. This file is its form in memory and as
 * text; root-key-file.ts keeps it on disk.
 */
import { createHash, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto';
import { inspect } from 'node:util';

const ROOT_KEY_BYTES = 32;
/** Say what the file is, and how to read it. The second one, for a key with generations, came with `rotate locker`. */
const VERSION_WORD = 'nexus3-root-key-1';
const GENERATIONS_WORD = 'nexus3-root-key-2';
/** Locker's own passwords begin with this one; a rotation of them counts up. */
export const FIRST_GENERATION = 1;
const GENERATION = /^[1-9]\d{0,8}$/;
/** Of a rotation under way: `2`, `2@BEGUN` or `1@BEGUN@GRACE-UNTIL`, times in ISO 8601. */
const ALSO = /^([1-9]\d{0,8})(?:@([\dTZ:.-]{20,27})(?:@([\dTZ:.-]{20,27}))?)?$/;
/** Hex digits of the SHA-256 over the line before it: a truncated or edited key is recognised, not used. */
const CHECKSUM_DIGITS = 16;

/** When a rotation of Locker's own passwords began, and until when the old ones are accepted at least. ISO 8601. */
export interface RotationTimes {
  readonly startedAt: string;
  readonly graceUntil: string | null;
}

/** In memory. It prints as `[root key]` wherever it is logged, joined, inspected or put into JSON. */
export class RootKey {
  readonly #bytes: Buffer;
  /** Of Locker's own passwords: which are in use. */
  readonly generation: number;
  /** While a rotation of them is under way: which are accepted besides. */
  readonly alsoAccepted: number | undefined;
  readonly rotationTimes: RotationTimes | undefined;

  constructor(bytes: Buffer, generation = FIRST_GENERATION, alsoAccepted?: number, rotationTimes?: RotationTimes) {
    if (bytes.length !== ROOT_KEY_BYTES) throw new RangeError(`a root key has ${String(ROOT_KEY_BYTES)} bytes`);
    this.#bytes = Buffer.from(bytes);
    this.generation = generation;
    this.alsoAccepted = alsoAccepted;
    this.rotationTimes = rotationTimes;
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

  /** The same key with other generations of Locker's own passwords. */
  withGenerations(generation: number, alsoAccepted?: number, rotationTimes?: RotationTimes): RootKey {
    return new RootKey(this.#bytes, generation, alsoAccepted, rotationTimes);
  }

  /** The same key; generations are not compared. */
  equals(other: RootKey): boolean {
    return timingSafeEqual(this.#bytes, other.#bytes);
  }

  /**
   * For the file, and only there, one line: `nexus3-root-key-1 KEY CHECKSUM`, or with generations
   * `nexus3-root-key-2 KEY GENERATION ALSO CHECKSUM`, where ALSO is `-` for none; behind it, each after an `@`, when the
   * rotation began and until when its grace lasts.
   */
  toText(): string {
    const key = this.#bytes.toString('base64url');
    const plain = this.generation === FIRST_GENERATION && this.alsoAccepted === undefined;
    const times = [this.rotationTimes?.startedAt, this.rotationTimes?.graceUntil].filter(
      (time) => typeof time === 'string',
    );
    const also = this.alsoAccepted === undefined ? '-' : [String(this.alsoAccepted), ...times].join('@');
    const body = plain ? `${VERSION_WORD} ${key}` : `${GENERATIONS_WORD} ${key} ${String(this.generation)} ${also}`;
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
  const words = line.split(/\s+/);
  const [word = '', key = '', ...rest] = words;
  // A file that ends within the version word is a truncated key, not another format.
  if (![VERSION_WORD, GENERATIONS_WORD].some((known) => known.startsWith(word))) return 'unknown-format';
  const bytes = Buffer.from(key, 'base64url');
  const whole = bytes.length === ROOT_KEY_BYTES && bytes.toString('base64url') === key;
  const generations = word === GENERATIONS_WORD ? rest.slice(0, 2) : [];
  const sum = checksum([word, key, ...generations].join(' '));
  if (!whole || rest.length !== generations.length + 1 || rest.at(-1) !== sum) return 'truncated-or-edited';
  if (word === VERSION_WORD) return new RootKey(bytes);
  const [generation = '', also = ''] = generations;
  const [note, accepted, startedAt, graceUntil] = ALSO.exec(also) ?? [];
  if (!GENERATION.test(generation) || (also !== '-' && note === undefined)) return 'truncated-or-edited';
  if (accepted === undefined) return new RootKey(bytes, Number(generation));
  const times = startedAt === undefined ? undefined : { startedAt, graceUntil: graceUntil ?? null };
  return new RootKey(bytes, Number(generation), Number(accepted), times);
}

function checksum(body: string): string {
  return createHash('sha256').update(body, 'utf8').digest('hex').slice(0, CHECKSUM_DIGITS);
}
