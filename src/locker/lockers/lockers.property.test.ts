/** Any sequence of changes does to Locker what it does to a plain map in memory, and no value is ever seen in Redis. */
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { ENGINE_TIMEOUT_MS } from '../../../test/support/engine.js';
import { LockerServer } from '../../../test/support/locker-server.js';
import { rounds } from '../../../test/support/random.js';
import { Nexus3Error } from '../../errors.js';
import { Secret } from '../../protocol/secret.js';
import type { Lockers } from '../lockers.js';
import { StoredLockers } from './stored-lockers.js';

const RUNS = rounds(40, 2_000);
const TIMEOUT_MS = rounds(60_000, 1_800_000);
const NOW = new Date('2026-01-08T12:00:00Z');

let locker: LockerServer;
beforeAll(async () => {
  locker = await LockerServer.start();
}, ENGINE_TIMEOUT_MS);
afterAll(() => locker[Symbol.asyncDispose]());
beforeEach(() => locker.ask('FLUSHALL'));

interface ModelKey {
  readonly value: string | undefined;
  readonly previous: string | undefined;
}
/** Name in lower case → keys. */
type Model = Map<string, Map<string, ModelKey>>;

interface OneKey {
  readonly kind: 'restore' | 'delete' | 'forget';
  readonly name: string;
  readonly key: string;
}

type Step =
  | OneKey
  | { readonly kind: 'create' | 'delete-locker'; readonly name: string }
  | { readonly kind: 'rename'; readonly name: string; readonly to: string }
  | { readonly kind: 'set'; readonly name: string; readonly values: readonly (readonly [string, string | null])[] };

const names = fc.constantFrom('one', 'one', 'One', 'two 2');
const keys = fc.constantFrom('k', 'k', 'K.l');
/** Long enough that it is not found by chance in what is encrypted. */
const texts = fc
  .string({ unit: 'grapheme', minLength: 8, maxLength: 40 })
  .filter((text) => !/\0|\p{Surrogate}/u.test(text));
const steps: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constantFrom('create' as const, 'create' as const, 'delete-locker' as const),
      name: names,
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('rename' as const), name: names, to: names }) },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('set' as const),
      name: names,
      values: fc.uniqueArray(fc.tuple(keys, fc.option(texts, { freq: 4 })), { selector: ([key]) => key, minLength: 1 }),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constantFrom('restore' as const, 'restore' as const, 'delete' as const, 'forget' as const),
      name: names,
      key: keys,
    }),
  },
);

/** What the model says of a step: the code of the error, or undefined. */
function inModel(model: Model, step: Step): string | undefined {
  const name = step.name.toLowerCase();
  const found = model.get(name);
  if (step.kind === 'create') {
    if (found !== undefined) return 'LOCKER_EXISTS';
    model.set(name, new Map());
    return undefined;
  }
  if (found === undefined) return 'LOCKER_UNKNOWN';
  switch (step.kind) {
    case 'delete-locker':
      model.delete(name);
      return undefined;
    case 'rename': {
      const to = step.to.toLowerCase();
      if (to !== name && model.has(to)) return 'LOCKER_EXISTS';
      model.delete(name);
      model.set(to, found);
      return undefined;
    }
    case 'set':
      for (const [key, value] of step.values) setInModel(found, key, value ?? undefined);
      return undefined;
    case 'restore':
    case 'delete':
    case 'forget':
      return oneInModel(found, step);
  }
}

function setInModel(found: Map<string, ModelKey>, key: string, value: string | undefined): void {
  const before = found.get(key);
  if (before?.value === value) return;
  found.set(key, { value, previous: before?.value ?? before?.previous });
}

function oneInModel(found: Map<string, ModelKey>, { kind, key }: OneKey): string | undefined {
  const { value, previous } = found.get(key) ?? {};
  if (kind === 'restore') {
    if (previous === undefined) return 'LOCKER_KEY_UNKNOWN';
    found.set(key, { value: previous, previous: value });
    return undefined;
  }
  if (value === undefined && (kind === 'delete' || previous === undefined)) return 'LOCKER_KEY_UNKNOWN';
  if (kind === 'delete') found.set(key, { value: undefined, previous: value });
  else found.delete(key);
  return undefined;
}

async function inLocker(lockers: Lockers, step: Step): Promise<string | undefined> {
  try {
    await carryOut(lockers, step);
    return undefined;
  } catch (error) {
    if (error instanceof Nexus3Error) return error.code;
    throw error;
  }
}

async function carryOut(lockers: Lockers, step: Step): Promise<unknown> {
  switch (step.kind) {
    case 'create':
      return lockers.create(step.name, {}, NOW);
    case 'delete-locker':
      return lockers.deleteLocker(step.name);
    case 'rename':
      return lockers.rename(step.name, step.to);
    case 'set': {
      const values = step.values.map(([key, value]) => [key, value === null ? null : new Secret(value)] as const);
      return lockers.set(step.name, new Map(values), NOW);
    }
    case 'restore':
      return lockers.restore(step.name, step.key);
    default:
      return lockers.deleteKey(step.name, step.key, step.kind === 'forget');
  }
}

/** As the model has it: name → key → value, and what a restore would bring. */
async function contentOf(lockers: Lockers): Promise<Model> {
  const content: Model = new Map();
  for (const { id, name } of (await lockers.list()).slice(1)) {
    const found = new Map<string, ModelKey>();
    for (const key of (await lockers.show(id)).keys) {
      const reveal = async (): Promise<string> => (await lockers.reveal(id, key.name)).value.reveal();
      const value = key.version === null ? undefined : await reveal();
      let previous: string | undefined;
      if (key.hasPrevious) {
        await lockers.restore(id, key.name);
        previous = await reveal();
        if (value === undefined) await lockers.deleteKey(id, key.name, false);
        else await lockers.restore(id, key.name);
      }
      found.set(key.name, { value, previous });
    }
    content.set(name.toLowerCase(), found);
  }
  return content;
}

it(
  'any sequence of changes',
  async () => {
    const lockers = new StoredLockers(locker.database(), {
      environments: { needed: new Map() },
      suggest: () => '',
    });
    await fc.assert(
      fc.asyncProperty(fc.array(steps, { minLength: 1, maxLength: 40, size: 'max' }), async (later) => {
        const sequence: readonly Step[] = [{ kind: 'create', name: 'one' }, ...later];
        await locker.ask('FLUSHALL');
        const model: Model = new Map();
        const ids = new Set<string>();
        for (const step of sequence) {
          expect(await inLocker(lockers, step), JSON.stringify(step)).toBe(inModel(model, step));
          const known = (await lockers.list()).map(({ id }) => id);
          const gone = [...ids].filter((id) => !known.includes(id));
          for (const id of known) ids.add(id);
          for (const id of gone) expect(await locker.ask('HGET', 'nexus3:locker:ids', id)).toBe('');
        }
        const dump = await locker.dump();
        const stored = sequence.flatMap((step) => (step.kind === 'set' ? step.values.map(([, value]) => value) : []));
        for (const value of stored)
          if (value !== null) expect(dump.includes(JSON.stringify(value).slice(1, -1))).toBe(false);
        expect(await contentOf(lockers)).toEqual(model);
      }),
      { numRuns: RUNS },
    );
  },
  TIMEOUT_MS,
);
