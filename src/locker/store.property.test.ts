/** Whatever is done to the credentials of environments, in whatever order and by two runs at once: nobody is locked out. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ENGINE_TIMEOUT_MS, testEngine } from '../../test/support/engine.js';
import { rounds } from '../../test/support/random.js';
import { startServer, type TestServer } from '../../test/support/redis-server.js';
import { DEFAULT_SETTINGS } from '../protocol/settings.js';
import type { CredentialName, Passwords } from '../protocol/users.js';
import { CREDENTIAL_NAMES, LOCKER_KEY } from '../protocol/users.js';
import { openTextConnection } from '../redis/text-connection.js';
import type { LockerConnection } from './channel.js';
import { LockerDatabase } from './database.js';
import { deriveOwnCredentials } from './derive.js';
import { versionOf } from './envelope.js';
import type { Rotation } from './locker.js';
import { RootKey } from './root-key.js';
import { LockerStore } from './store.js';

const TIMEOUT_MS = 600_000;
const STEPS_MAX = 15;
const ENVS = ['track', 'web', 'notes'] as const;
const NOW = new Date('2026-01-08T12:00:00Z');
const rootKey = RootKey.generate();
const own = deriveOwnCredentials(rootKey);

let server: TestServer;
beforeAll(async () => {
  await testEngine();
  const settings = { ...DEFAULT_SETTINGS, appendfsync: 'always' } as const;
  server = await startServer({ role: 'vault', kind: 'secure', credentials: own, settings });
}, ENGINE_TIMEOUT_MS);
afterAll(() => server[Symbol.asyncDispose]());

const connect = (): Promise<LockerConnection> =>
  openTextConnection(server.address, { user: 'default', password: own.default });
const newStore = (): LockerStore => new LockerStore(new LockerDatabase(rootKey, connect));

type Values = Readonly<Partial<Record<CredentialName, string>>>;

/** One environment as a run of nexus3 sees it, and the versions as they lie there. */
interface Seen {
  readonly current: Values;
  readonly also: Values;
  readonly rotation: Rotation | undefined;
  readonly versions: Readonly<Partial<Record<CredentialName, number>>>;
}

const NOTHING: Seen = { current: {}, also: {}, rotation: undefined, versions: {} };

interface Operation {
  readonly kind: 'generate' | 'prepare' | 'promote' | 'finish' | 'remove';
  readonly names: readonly CredentialName[];
}

interface Step {
  readonly env: (typeof ENVS)[number];
  readonly first: Operation;
  /** What the other run does at the same time. */
  readonly second: Operation | undefined;
  /** Both runs end before this, and others come. */
  readonly restart: boolean;
}

const names = fc.uniqueArray(fc.constantFrom(...CREDENTIAL_NAMES), { minLength: 1 });
const kind = (...kinds: readonly Operation['kind'][]): fc.Arbitrary<Operation> =>
  fc.record({ kind: fc.constantFrom(...kinds), names });
const step: fc.Arbitrary<Step> = fc.record({
  env: fc.constantFrom(...ENVS),
  first: kind('generate', 'generate', 'prepare', 'prepare', 'promote', 'promote', 'finish', 'remove'),
  second: fc.option(kind('generate', 'prepare', 'promote', 'finish'), { nil: undefined }),
  restart: fc.boolean(),
});

/** What a run may do to an environment as it sees it; `rotate` asks for nothing else. What it was given to use. */
async function perform(store: LockerStore, env: string, operation: Operation, seen: Seen): Promise<Values> {
  const { kind: what, names: some } = operation;
  const there = some.filter((name) => seen.current[name] !== undefined);
  if (what === 'generate') return reveal(await store.generate(env, some, NOW));
  if (what === 'prepare' && there.length > 0) await store.prepareRotation(env, there, NOW);
  else if (what === 'promote' && seen.rotation !== undefined) await promote(store, env);
  else if (what === 'finish' && seen.rotation?.phase === 'promoted') await store.finishRotation(env);
  else if (what === 'remove') await store.remove(env);
  return {};
}

function reveal(values: Passwords): Values {
  return Object.fromEntries(Object.entries(values).map(([name, secret]) => [name, secret.reveal()]));
}

/** The other run may have finished it meanwhile. */
async function promote(store: LockerStore, env: string): Promise<void> {
  await store.promoteRotation(env, NOW, NOW).catch((error: unknown) => {
    if (!(error instanceof Error) || !error.message.startsWith('no rotation')) throw error;
  });
}

async function look(store: LockerStore, env: string): Promise<Seen> {
  const stored = (await store.read([env])).get(env);
  if (stored === undefined) return NOTHING;
  const connection = await connect();
  const keys = CREDENTIAL_NAMES.map((name) => ['HGET', LOCKER_KEY.environment(env), `value:${name}`]);
  const texts = await connection.ask(keys);
  connection.close();
  const versions = CREDENTIAL_NAMES.map((name, index) => [name, versionOf(String(texts[index]))] as const);
  return {
    current: reveal(stored.current),
    also: reveal(stored.alsoAccepted),
    rotation: stored.rotation,
    versions: Object.fromEntries(versions.filter(([, version]) => version !== undefined)),
  };
}

/** What holds after any step but a removal, also of two runs at once. @param used every password that was ever in use */
function holdsAlways(before: Seen, after: Seen, finished: boolean, used: ReadonlySet<string>): void {
  for (const name of CREDENTIAL_NAMES) {
    const [was, is] = [before.current[name], after.current[name]];
    if (was === undefined) continue;
    expect(is, `${name} is lost`).toBeDefined();
    if (!finished) expect([is, after.also[name]], `${name} is refused`).toContain(was);
    expect(after.versions[name], name).toBeGreaterThanOrEqual(before.versions[name] ?? 0);
    if (is === was) continue;
    expect(after.versions[name], name).toBeGreaterThan(before.versions[name] ?? 0);
    expect(used.has(is ?? ''), `${name} comes back`).toBe(false);
  }
}

/** Whoever was given a password gets in with it. */
function holdsGiven(values: Values, after: Seen): void {
  for (const name of CREDENTIAL_NAMES) {
    if (values[name] === undefined) continue;
    expect([after.current[name], after.also[name]], `${name}, as it was given`).toContain(values[name]);
  }
}

/** What one run alone makes of it, exactly. */
function holdsAlone({ kind: what, names: some }: Operation, before: Seen, after: Seen): void {
  const there = some.filter((name) => before.current[name] !== undefined);
  const { rotation } = before;
  if (what === 'generate') {
    expect(after).toMatchObject({ ...before, versions: before.versions });
    expect(Object.keys(after.current).toSorted()).toEqual(
      [...new Set([...Object.keys(before.current), ...some])].toSorted(),
    );
  } else if (what === 'prepare' && there.length > 0 && rotation === undefined) {
    expect(after.current).toEqual(before.current);
    expect(after.rotation).toMatchObject({ phase: 'prepared' });
    expect(Object.keys(after.also).toSorted()).toEqual(there.toSorted());
    for (const name of there) expect(after.also[name]).not.toBe(before.current[name]);
  } else if (what === 'promote' && rotation?.phase === 'prepared') {
    expect(after.current).toEqual({ ...before.current, ...before.also });
    expect(after.also).toEqual(Object.fromEntries(rotation.names.map((name) => [name, before.current[name]])));
  } else if (what === 'finish' && rotation?.phase === 'promoted') {
    expect(after).toEqual({ ...before, also: {}, rotation: undefined });
  } else if (what === 'remove') {
    expect(after).toEqual(NOTHING);
  } else {
    expect(after).toEqual(before);
  }
}

async function liveThrough(steps: readonly Step[]): Promise<void> {
  const connection = await connect();
  await connection.ask([['FLUSHALL']]);
  connection.close();
  let stores = [newStore(), newStore()] as const;
  const used = new Set<string>();
  const seen = new Map<string, Seen>();
  for (const { env, first, second, restart } of steps) {
    if (restart) {
      await Promise.all(stores.map((store) => store.close()));
      stores = [newStore(), newStore()];
    }
    const before = seen.get(env) ?? NOTHING;
    // What is removed is nobody's any more: that is not raced.
    const other = first.kind === 'remove' ? undefined : second;
    const both = [first, ...(other === undefined ? [] : [other])];
    const given = await Promise.all(
      both.map((operation, index) => perform(stores[index === 0 ? 0 : 1], env, operation, before)),
    );
    const after = await look(stores[0], env);
    expect(await look(stores[1], env), 'both runs see the same').toEqual(after);
    for (const values of given) holdsGiven(values, after);
    const finished = both.some((operation) => operation.kind === 'finish');
    if (first.kind !== 'remove') holdsAlways(before, after, finished, used);
    if (other === undefined) holdsAlone(first, before, after);
    for (const value of Object.values(after.current)) used.add(value);
    seen.set(env, after);
    for (const neighbour of ENVS) expect(await look(stores[0], neighbour)).toEqual(seen.get(neighbour) ?? NOTHING);
  }
  await Promise.all(stores.map((store) => store.close()));
}

describe('Locker’s store', () => {
  it(
    'hands out only passwords that are accepted, and loses none, in any order and with two runs at once',
    async () => {
      const steps = fc.array(step, { minLength: 3, maxLength: STEPS_MAX });
      await fc.assert(fc.asyncProperty(steps, liveThrough), { numRuns: rounds(60, 1_500) });
    },
    TIMEOUT_MS,
  );
});
