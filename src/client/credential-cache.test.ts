import { describe, expect, it } from 'vitest';
import { failureOf } from '../../test/support/failure.js';
import { Nexus3Error } from '../errors.js';
import { Secret } from '../protocol/secret.js';
import type { CacheInit } from './credential-cache.js';
import { BACKOFF_FIRST_MS, BACKOFF_MAX_MS, CredentialCache, READ_ATTEMPTS_MAX } from './credential-cache.js';
import { toCredential } from './credential.js';
import { isWrongPassword } from './wrong-password.js';

const VAULT = { host: '127.0.0.1', port: 6640 };
const down = (): Nexus3Error => new Nexus3Error('LOCKER_UNREACHABLE', 'Locker cannot be asked.', { hint: 'wait' });

/** A cache over a Locker whose nth read is what `answer` says, with a clock that only counts. */
function cacheOver(answer: (read: number) => Error | undefined, more: Partial<CacheInit> = {}) {
  const seen = { reads: 0, slept: [] as number[] };
  const cache = new CredentialCache({
    read: async (env, user) => {
      seen.reads += 1;
      const password = new Secret(`password ${String(seen.reads)}`);
      await Promise.resolve();
      const failure = answer(seen.reads);
      if (failure !== undefined) throw failure;
      return toCredential(env, user, VAULT, password);
    },
    sleep: async (ms) => {
      seen.slept.push(ms);
    },
    random: () => 0,
    ...more,
  });
  return { cache, seen };
}

const passwordOf = async (cache: CredentialCache, env = 'track'): Promise<string> =>
  (await cache.get(env)).password.reveal();

describe('credentials in memory', () => {
  it('are read once, for many callers at once as well', async () => {
    const { cache, seen } = cacheOver(() => undefined);
    const all = await Promise.all(Array.from({ length: 50 }, () => passwordOf(cache)));
    expect(new Set([...all, await passwordOf(cache)])).toEqual(new Set(['password 1']));
    expect(seen.reads).toBe(1);
    await cache.get('track', { user: 'backup' });
    await cache.get('web');
    expect(seen.reads).toBe(3);
  });

  it('are read anew after they were invalidated, once for all that found them wrong', async () => {
    const { cache, seen } = cacheOver(() => undefined);
    const credential = await cache.get('track');
    cache.invalidate('track', { credential });
    expect(await passwordOf(cache)).toBe('password 2');
    // Another caller, slower, still had the old one.
    cache.invalidate('track', { credential });
    expect(await passwordOf(cache)).toBe('password 2');
    cache.invalidate('track');
    expect(await passwordOf(cache)).toBe('password 3');
    expect(seen.reads).toBe(3);
  });

  it('stay usable while Locker is down', async () => {
    const { cache } = cacheOver((read) => (read === 1 ? undefined : down()));
    await cache.get('track');
    expect(await passwordOf(cache)).toBe('password 1');
    expect((await failureOf(cache.get('web'))).code).toBe('LOCKER_UNREACHABLE');
    expect(await passwordOf(cache)).toBe('password 1');
  });

  it('are asked for again with waits that grow, vary by chance and end', async () => {
    const { cache, seen } = cacheOver(() => down());
    expect((await failureOf(cache.get('track'))).code).toBe('LOCKER_UNREACHABLE');
    expect(seen.reads).toBe(READ_ATTEMPTS_MAX);
    expect(seen.slept).toEqual([50, 100, 200, 400, 800]);
    const longest = cacheOver(() => down(), { random: () => 1, attemptsMax: 9 });
    await failureOf(longest.cache.get('track'));
    expect(longest.seen.slept[0]).toBe(BACKOFF_FIRST_MS);
    expect(longest.seen.slept.at(-1)).toBe(BACKOFF_MAX_MS);
  });

  it('come when Locker comes back, and a failure is not kept', async () => {
    const { cache, seen } = cacheOver((read) => (read < 3 ? down() : undefined));
    expect(await passwordOf(cache)).toBe('password 3');
    const other = cacheOver((read) => (read < 2 ? down() : undefined), { attemptsMax: 1 });
    await failureOf(other.cache.get('track'));
    expect(await passwordOf(other.cache)).toBe('password 2');
    expect([seen.slept.length, other.seen.slept.length]).toEqual([2, 0]);
  });

  it('are not asked for again where waiting does not help', async () => {
    const error = new Nexus3Error('TOKEN_REVOKED', 'refused', { hint: 'grant' });
    const { cache, seen } = cacheOver(() => error);
    expect((await failureOf(cache.get('track'))).code).toBe('TOKEN_REVOKED');
    expect(seen).toEqual({ reads: 1, slept: [] });
  });

  it('end with close, also for whoever waits', async () => {
    const { cache } = cacheOver(() => down(), {
      sleep: (_, signal) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => {
            reject(new Error('aborted'));
          });
        }),
    });
    const waiting = failureOf(cache.get('track'));
    await new Promise((resolve) => setImmediate(resolve));
    await cache.close();
    expect((await waiting).message).toContain('closed');
    expect((await failureOf(cache.get('track'))).message).toContain('closed');
  });

  it('print without the password', async () => {
    const { cache } = cacheOver(() => undefined);
    expect(JSON.stringify(await cache.get('track'))).not.toContain('password 1');
    expect((await cache.get('track')).url()).toBe('redis://default:password%201@127.0.0.1:6640');
  });
});

describe('work with a credential', () => {
  const wrong = new Error('WRONGPASS invalid username-password pair or user is disabled.');

  it('is done once more with one read anew, where the server does not take the first', async () => {
    const { cache, seen } = cacheOver(() => undefined);
    const used: string[] = [];
    const result = await cache.using('track', async ({ password }) => {
      used.push(password.reveal());
      if (used.length === 1) throw wrong;
      return 'done';
    });
    expect([result, used, seen.reads]).toEqual(['done', ['password 1', 'password 2'], 2]);
  });

  it('fails where it is still not taken, and at once for anything else', async () => {
    const { cache, seen } = cacheOver(() => undefined);
    await expect(cache.using('track', () => Promise.reject(wrong))).rejects.toBe(wrong);
    expect(seen.reads).toBe(2);
    const other = new Error('ECONNRESET');
    await expect(cache.using('track', () => Promise.reject(other))).rejects.toBe(other);
    expect(seen.reads).toBe(2);
  });

  it('many at once read the new one once', async () => {
    const { cache, seen } = cacheOver(() => undefined);
    const results = Array.from({ length: 20 }, () =>
      cache.using('track', async ({ password }) => {
        await Promise.resolve();
        if (password.reveal() === 'password 1') throw wrong;
        return password.reveal();
      }),
    );
    expect(new Set(await Promise.all(results))).toEqual(new Set(['password 2']));
    expect(seen.reads).toBe(2);
  });
});

describe('a wrong password', () => {
  it.each([
    [new Error('WRONGPASS invalid username-password pair'), true],
    [new Error('outer', { cause: new Error('WRONGPASS x') }), true],
    [new AggregateError([new Error('a'), new Error('WRONGPASS x')]), true],
    [new Nexus3Error('REDIS_REPLY_UNEXPECTED', 'refused', { evidence: ['AUTH default: WRONGPASS x'], hint: '' }), true],
    [new Error('NOAUTH Authentication required.'), false],
    [new Error('NOPERM'), false],
    ['WRONGPASS', false],
    [undefined, false],
  ])('%s: %s', (error, is) => {
    expect(isWrongPassword(error)).toBe(is);
  });

  it('in a circle of causes is looked for without end? No', () => {
    const error = new Error('a');
    error.cause = error;
    expect(isWrongPassword(error)).toBe(false);
  });
});
