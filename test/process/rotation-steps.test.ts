/**
 * `rotate` cut off before every single call to Locker, a server or the runtime, in turn: what is left accepts what is
 * handed out, says what it is, and is completed by the next run. Kills at random instants are in rotation.test.ts.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SILENT } from '../../src/progress.js';
import { Secret } from '../../src/protocol/secret.js';
import { hostAddress } from '../../src/reconcile/access.js';
import { rotate } from '../../src/reconcile/rotate/rotate.js';
import type { World } from '../../src/reconcile/world.js';
import { acceptsPassword } from '../../src/redis/admin.js';
import { until } from '../support/break.js';
import { Nexus } from '../support/nexus.js';
import { rounds, SEED } from '../support/random.js';

/** Every so many calls in CI, beginning somewhere; every one in soak. */
const STRIDE = rounds(5, 1);
const TIMEOUT_MS = 600_000;

class CutOff extends Error {}

let nexus: Nexus;

beforeAll(async () => {
  nexus = await Nexus.make({ runtime: 'process', environments: { track: 'standard' } });
  // So that nothing waits for the second of `everysec`.
  await nexus.editYaml((text) => text.replace('kind: secure }', 'kind: secure, settings: { appendfsync: always } }'));
  await nexus.report(0, 'up');
});

afterAll(async () => {
  await nexus[Symbol.asyncDispose]();
});

/** The same world, in which the call after so many never happens, nor any other. */
function cutOffAfter(world: World, callsMax: number): World {
  let calls = 0;
  const guarded = <T extends object>(target: T, only?: readonly string[]): T =>
    new Proxy(target, {
      get(object, key) {
        const value: unknown = Reflect.get(object, key, object);
        if (typeof value !== 'function') return value;
        if (typeof key === 'symbol' || only?.includes(key) === false) return value.bind(object) as unknown;
        return async (...args: readonly unknown[]): Promise<unknown> => {
          calls += 1;
          if (calls > callsMax) throw new CutOff(`before call ${String(calls)}, ${key}`);
          const result: unknown = await Reflect.apply(value, object, args);
          const isPort = key === 'open' || key === 'admin';
          return isPort && typeof result === 'object' && result !== null ? guarded(result) : result;
        };
      },
    });
  return {
    ...world,
    runtime: guarded(world.runtime, ['observe']),
    servers: guarded(world.servers),
    locker: guarded(world.locker),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

const USERS = {
  track: [
    ['vault', 'default', 'default'],
    ['vault', 'admin', 'admin'],
    ['vault', 'replicator', 'replicator'],
    ['vault', 'backup', 'backup'],
    ['operational', 'admin', 'operational-admin'],
  ],
  locker: [
    ['vault', 'default', 'default'],
    ['vault', 'admin', 'admin'],
    ['vault', 'backup', 'backup'],
  ],
} as const;

async function acceptance(env: 'track' | 'locker', passwords: readonly string[]): Promise<readonly boolean[]> {
  return Promise.all(
    USERS[env].map(async ([role, user], index) =>
      acceptsPassword(hostAddress(await nexus.spec(env, role)), user, new Secret(passwords[index] ?? '')),
    ),
  );
}

async function handedOut(env: 'track' | 'locker'): Promise<readonly string[]> {
  return Promise.all(USERS[env].map(async ([, , name]) => nexus.password(env, name)));
}

describe.each(['track', 'locker'] as const)('a rotation of %s, cut off before every call', (env) => {
  const options = { envs: [env], all: false, users: [], graceSeconds: 0, dryRun: false };
  const all = USERS[env].map(() => true);
  const none = USERS[env].map(() => false);

  /** Undefined: it came to its end. */
  async function rotatedUpTo(calls: number): Promise<string | undefined> {
    await using world = await nexus.world();
    try {
      expect(await rotate(cutOffAfter(world, calls), options, SILENT)).toMatchObject({ ok: true });
      return undefined;
    } catch (error) {
      if (error instanceof CutOff) return error.message;
      throw error;
    }
  }

  it(
    'locks nobody out and is completed by the next run',
    async () => {
      for (let calls = SEED % STRIDE; ; calls += STRIDE) {
        const old = await handedOut(env);
        const cutOff = await rotatedUpTo(calls);
        const where = `cut off after ${String(calls)} calls: ${cutOff ?? 'not at all'}`;
        expect(await acceptance(env, await handedOut(env)), where).toEqual(all);
        const left = (await nexus.findings(env)).filter((one) => one !== 'rotation-unfinished vault');
        expect(left, where).toEqual([]);
        if (env === 'track') {
          await until(async () =>
            String(await nexus.anonymous(env, 'operational', 'INFO', 'replication')).includes('link_status:up'),
          );
        }
        if (cutOff === undefined) break;
        await using world = await nexus.world();
        expect(await rotate(world, options, SILENT), where).toMatchObject({ ok: true });
        expect(await acceptance(env, await handedOut(env)), where).toEqual(all);
        expect(await acceptance(env, old), where).toEqual(none);
        expect(await nexus.findings(env), where).toEqual([]);
      }
    },
    TIMEOUT_MS,
  );
});

it('is in the audit step by step', async () => {
  await using world = await nexus.world();
  const notes: string[] = [];
  const locker: World['locker'] = {
    ...world.locker,
    note: ({ action, what, outcome, detail }) => {
      notes.push([action, what, outcome, detail].join(' '));
      return Promise.resolve();
    },
  };
  const options = { envs: ['track'], all: false, users: ['default', 'admin'], graceSeconds: 0, dryRun: false } as const;
  await rotate({ ...world, locker, [Symbol.asyncDispose]: () => Promise.resolve() }, options, SILENT);
  expect(notes).toEqual(['prepared', 'promoted', 'finished'].map((step) => `rotate track: default, admin ok ${step}`));
});
