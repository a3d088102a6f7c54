/** Seeded bytes, words and numbers for the data set, quick enough for a gigabyte. */
import { createCipheriv, createHash, type Cipher } from 'node:crypto';
import { chance } from '../random.js';

const POOL_BYTES = 1024 * 1024;
const WORDS = `ledger vault copper harbour lantern meadow orchard quarry ripple saddle timber umbrella velvet willow
yonder zephyr anchor beacon cinder dapple ember fathom glacier hollow ivory juniper kestrel lagoon marble nectar`.split(
  /\s+/,
);

export class Chance {
  readonly #number: () => number;
  readonly #stream: Cipher;
  #pool = Buffer.alloc(0);
  #used = 0;

  constructor(seed: number) {
    this.#number = chance(seed);
    const key = createHash('sha256').update(String(seed)).digest();
    this.#stream = createCipheriv('aes-256-ctr', key, Buffer.alloc(16));
  }

  /** Whole, in [from, to]. */
  between(from: number, to: number): number {
    return from + Math.floor(this.#number() * (to - from + 1));
  }

  /** In [-1, 1), with four decimals: exact in every place where a vector is kept as 32 bits and printed again. */
  vector(dimension: number): readonly number[] {
    return Array.from({ length: dimension }, () => this.between(-512, 511) / 512);
  }

  /** No compression makes these smaller. */
  bytes(count: number): Buffer {
    if (count > POOL_BYTES) return this.#stream.update(Buffer.alloc(count));
    if (this.#used + count > this.#pool.length) {
      this.#pool = this.#stream.update(Buffer.alloc(POOL_BYTES));
      this.#used = 0;
    }
    this.#used += count;
    // A copy: what is poured is kept until the server has answered, but not the whole pool with it.
    return Buffer.from(this.#pool.subarray(this.#used - count, this.#used));
  }

  word(): string {
    return WORDS[this.between(0, WORDS.length - 1)] ?? '';
  }

  sentence(words: number): string {
    return Array.from({ length: words }, () => this.word()).join(' ');
  }
}
