/**
 * Credentials in memory, and nowhere else. Asked for often, read once: many callers share one read, a Locker that is down
 * is asked again with back-off, and what was read stays usable meanwhile.
 */
import { Nexus3Error } from '../errors.js';
import type { CredentialName } from '../protocol/users.js';
import type { Credential } from './credential.js';
import { isWrongPassword } from './wrong-password.js';

/** How often Locker is asked for one credential before the caller is told; with the waits below about 3 s. */
export const READ_ATTEMPTS_MAX = 6;
/** The waits between, each twice the one before, each shortened by chance to between half and all of it. */
export const BACKOFF_FIRST_MS = 100;
export const BACKOFF_MAX_MS = 2_000;

/** Which of an environment's credentials. */
export interface GetOptions {
  /** `default`, which is what applications use, unless another one is named. */
  readonly user?: CredentialName | undefined;
}

/** Which credential is not taken any more. */
export interface InvalidateOptions extends GetOptions {
  /** Only if it is still this one: another caller may have had it read anew already. */
  readonly credential?: Credential | undefined;
}

export interface CacheInit {
  /** Of Locker, each time. */
  read(env: string, user: CredentialName): Promise<Credential>;
  /** Rejects when it is aborted. */
  sleep(ms: number, signal: AbortSignal): Promise<unknown>;
  /** In [0, 1). */
  random(): number;
  readonly attemptsMax?: number | undefined;
}

/** One for a whole process is meant: callers that ask at the same time share one read. It keeps no connection open. */
export class CredentialCache implements AsyncDisposable {
  readonly #init: CacheInit;
  readonly #known = new Map<string, Credential>();
  readonly #reading = new Map<string, Promise<Credential>>();
  readonly #closing = new AbortController();

  constructor(init: CacheInit) {
    this.#init = init;
  }

  /**
   * From memory, or from Locker where it is not there yet, which Locker's audit notes. A Locker that is down is asked again with
   * back-off, by default for about 3 s.
   * @throws Nexus3Error LOCKER_…, ROOT_KEY_…, TOKEN_…, CONFIG_…, ENVIRONMENT_UNKNOWN; USAGE once it is closed
   */
  async get(env: string, { user = 'default' }: GetOptions = {}): Promise<Credential> {
    if (this.#closing.signal.aborted) throw closed();
    const key = keyOf(env, user);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const reading = this.#reading.get(key) ?? this.#read(key, env, user);
    this.#reading.set(key, reading);
    return reading;
  }

  /** The server does not take it any more: the next `get` reads it anew. What is not known is passed over. */
  invalidate(env: string, { user = 'default', credential }: InvalidateOptions = {}): void {
    const key = keyOf(env, user);
    if (credential === undefined || this.#known.get(key) === credential) this.#known.delete(key);
  }

  /**
   * Does some work with a credential; where it fails with WRONGPASS ({@link isWrongPassword}), once more with one read anew.
   * @throws whatever the work throws, and what `get` does
   */
  async using<T>(env: string, work: (credential: Credential) => Promise<T>, options: GetOptions = {}): Promise<T> {
    const credential = await this.get(env, options);
    try {
      return await work(credential);
    } catch (error) {
      if (!isWrongPassword(error)) throw error;
      this.invalidate(env, { ...options, credential });
    }
    return work(await this.get(env, options));
  }

  /** Forgets everything; whoever waits for a Locker that is down is told. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#known.clear();
    await Promise.allSettled(this.#reading.values());
    this.#known.clear();
  }

  /** As `close`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #read(key: string, env: string, user: CredentialName): Promise<Credential> {
    try {
      const credential = await this.#readPatiently(env, user);
      this.#known.set(key, credential);
      return credential;
    } finally {
      this.#reading.delete(key);
    }
  }

  async #readPatiently(env: string, user: CredentialName): Promise<Credential> {
    const attemptsMax = this.#init.attemptsMax ?? READ_ATTEMPTS_MAX;
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#init.read(env, user);
      } catch (error) {
        if (attempt >= attemptsMax || !mayPass(error)) throw error;
      }
      await this.#wait(attempt);
    }
  }

  async #wait(attempt: number): Promise<void> {
    const longest = Math.min(BACKOFF_MAX_MS, BACKOFF_FIRST_MS * 2 ** (attempt - 1));
    const ms = longest * (0.5 + this.#init.random() / 2);
    await this.#init.sleep(ms, this.#closing.signal).catch(() => undefined);
    if (this.#closing.signal.aborted) throw closed();
  }
}

/** A Locker that is down or just starting may be up in a moment; nothing else becomes right by waiting. */
function mayPass(error: unknown): boolean {
  return error instanceof Nexus3Error && error.code === 'LOCKER_UNREACHABLE';
}

function keyOf(env: string, user: CredentialName): string {
  return `${env} ${user}`;
}

function closed(): Nexus3Error {
  return new Nexus3Error('USAGE', 'These credentials were closed.', {
    hint: 'Call credentials() again, or close it when nothing asks any more.',
  });
}
