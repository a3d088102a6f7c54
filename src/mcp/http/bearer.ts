/** The token that whoever asks over HTTP has to show: compared in constant time, and followed where it is replaced. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { Secret } from '../../protocol/secret.js';

/** How long a token may have been replaced before a server knows it, in milliseconds. */
export const BEARER_AGE_MAX_MS = 2_000;
/** How often it is asked for because another one was shown, in milliseconds at least. */
export const BEARER_REREAD_MIN_MS = 500;

export interface BearerSource {
  /**
   * Changes whenever the token does; undefined: there is none, so that none is good. Cheap, and not audited.
   * @throws what keeps it from being known
   */
  version(): Promise<string | undefined>;
  read(): Promise<Secret>;
}

interface Known {
  readonly version: string;
  readonly digest: Buffer;
}

export interface BearerOptions {
  readonly source: BearerSource;
  /** Told why the token cannot be looked up; the one last known stays good meanwhile. */
  readonly onFailure: (error: unknown) => void;
  readonly now?: () => number;
}

export class Bearer {
  readonly #source: BearerSource;
  readonly #onFailure: BearerOptions['onFailure'];
  readonly #now: () => number;
  #known: Known | undefined;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #looking: Promise<void> | undefined;

  constructor({ source, onFailure, now = () => performance.now() }: BearerOptions) {
    this.#source = source;
    this.#onFailure = onFailure;
    this.#now = now;
  }

  /** Before anybody asks. @throws what keeps the token from being read */
  async open(): Promise<void> {
    await this.#look();
  }

  /** @param authorization the header as it came */
  async accepts(authorization: string | undefined): Promise<boolean> {
    const shown = digestOf(authorization);
    if (shown === undefined) return false;
    await this.#lookIfOlderThan(BEARER_AGE_MAX_MS);
    if (this.#fits(shown)) return true;
    // It may just have been replaced.
    await this.#lookIfOlderThan(BEARER_REREAD_MIN_MS);
    return this.#fits(shown);
  }

  #fits(shown: Buffer): boolean {
    return this.#known !== undefined && timingSafeEqual(this.#known.digest, shown);
  }

  async #lookIfOlderThan(ms: number): Promise<void> {
    if (this.#looking === undefined && this.#now() - this.#lookedAt < ms) return;
    try {
      await this.#look();
    } catch (error) {
      this.#onFailure(error);
    }
  }

  /** One at a time, whoever asks. */
  #look(): Promise<void> {
    this.#looking ??= this.#lookNow().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async #lookNow(): Promise<void> {
    try {
      const version = await this.#source.version();
      if (version === this.#known?.version) return;
      this.#known = undefined;
      if (version !== undefined) this.#known = { version, digest: sha256((await this.#source.read()).reveal()) };
    } finally {
      this.#lookedAt = this.#now();
    }
  }
}

/** Digests have one length, whatever was shown. */
function digestOf(authorization: string | undefined): Buffer | undefined {
  const token = /^Bearer +([\x21-\x7e]+)$/i.exec(authorization ?? '')?.[1];
  return token === undefined ? undefined : sha256(token);
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
