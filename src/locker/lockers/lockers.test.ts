/** Lockers against a real server with the rendered users and settings of Locker's vault. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ENGINE_TIMEOUT_MS } from '../../../test/support/engine.js';
import { LockerServer } from '../../../test/support/locker-server.js';
import { Nexus3Error } from '../../errors.js';
import { Secret } from '../../protocol/secret.js';
import { CREDENTIAL_NAMES, type CredentialName } from '../../protocol/users.js';
import { VALUE_BYTES_MAX } from '../envelope.js';
import type { AuditNote } from '../locker.js';
import type { Lockers } from '../lockers.js';
import { AuditedLockers } from './audited.js';
import { StoredLockers } from './stored-lockers.js';
import { DESCRIPTION_CHARS_MAX, KEYS_MAX, LOCKERS_MAX, NOTES_CHARS_MAX } from './words.js';

const NOW = new Date('2026-01-08T12:00:00Z');
const LATER = new Date('2026-01-09T12:00:00Z');
const NEEDED: ReadonlyMap<string, readonly CredentialName[]> = new Map<string, readonly CredentialName[]>([
  ['track', CREDENTIAL_NAMES],
  ['user', ['default', 'admin', 'backup']],
]);

let locker: LockerServer;
beforeAll(async () => {
  locker = await LockerServer.start();
}, ENGINE_TIMEOUT_MS);
afterAll(() => locker[Symbol.asyncDispose]());
beforeEach(() => locker.ask('FLUSHALL'));

function newLockers(draw?: () => number): StoredLockers {
  return new StoredLockers(locker.database(), {
    environments: { needed: NEEDED },
    suggest: (word, known) => (known.some((one) => one.startsWith(word)) ? ` (near ${word})` : ''),
    ...(draw === undefined ? {} : { draw }),
  });
}

const values = (object: Readonly<Record<string, string | null>>): ReadonlyMap<string, Secret | null> =>
  new Map(Object.entries(object).map(([key, value]) => [key, value === null ? null : new Secret(value)]));

async function failure(work: Promise<unknown>): Promise<Nexus3Error> {
  const error: unknown = await work.then(
    () => undefined,
    (caught: unknown) => caught,
  );
  if (error instanceof Nexus3Error) return error;
  throw new Error(`no error of ours: ${String(error)}`);
}

const valueOf = async (lockers: Lockers, ref: string, key: string): Promise<string> =>
  (await lockers.reveal(ref, key)).value.reveal();

describe('a locker', () => {
  it('is found by its id through every rename, and by its name in whatever case', async () => {
    const lockers = newLockers();
    const { id } = await lockers.create('Stripe live', { description: 'payments', notes: 'ask Ada' }, NOW);
    expect(id).toMatch(/^l_[0-9a-f]{4}$/);
    await lockers.set(id, values({ 'api-key': 'one' }), NOW);
    const renamed = await lockers.rename('stripe LIVE', 'Payments');
    expect(renamed).toEqual({
      id,
      name: 'Payments',
      description: 'payments',
      notes: 'ask Ada',
      createdAt: NOW.toISOString(),
      keys: [{ name: 'api-key', version: 1, madeAt: NOW.toISOString(), hasPrevious: false, rotating: false }],
    });
    expect(await lockers.show('payments')).toEqual(renamed);
    expect(await valueOf(lockers, id.toUpperCase(), 'api-key')).toBe('one');
    expect((await lockers.rename(id, 'PAYMENTS')).name).toBe('PAYMENTS');
    expect((await failure(lockers.show('Stripe live'))).code).toBe('LOCKER_UNKNOWN');
  });

  it('keeps the value before the last, with when each was made, and swaps the two', async () => {
    const lockers = newLockers();
    const { id } = await lockers.create('a', {}, NOW);
    await lockers.set(id, values({ k: 'one' }), NOW);
    await lockers.set(id, values({ k: 'two' }), LATER);
    const newest = await lockers.show(id);
    expect(newest.keys).toMatchObject([{ version: 2, madeAt: LATER.toISOString(), hasPrevious: true }]);
    const { locker: older, changed } = await lockers.restore(id, 'k');
    expect(changed).toEqual(['k']);
    expect(older.keys).toMatchObject([{ version: 1, madeAt: NOW.toISOString(), hasPrevious: true }]);
    expect(await valueOf(lockers, id, 'k')).toBe('one');
    await lockers.restore(id, 'k');
    expect(await lockers.show(id)).toEqual(newest);
    expect(await valueOf(lockers, id, 'k')).toBe('two');
  });

  it('keeps what was deleted, so that it can be brought back, unless it is for good', async () => {
    const lockers = newLockers();
    const { id } = await lockers.create('a', {}, NOW);
    await lockers.set(id, values({ k: 'one' }), NOW);
    const { locker: without } = await lockers.deleteKey(id, 'k', false);
    expect(without.keys).toEqual([{ name: 'k', version: null, madeAt: null, hasPrevious: true, rotating: false }]);
    expect((await lockers.list()).find((one) => one.id === id)?.keys).toEqual([]);
    const error = await failure(lockers.reveal(id, 'k'));
    expect([error.code, error.hint]).toEqual(['LOCKER_KEY_UNKNOWN', `Bring it back: nexus3 locker restore ${id} k`]);
    expect((await failure(lockers.deleteKey(id, 'k', false))).code).toBe('LOCKER_KEY_UNKNOWN');
    await lockers.restore(id, 'k');
    expect(await valueOf(lockers, id, 'k')).toBe('one');
    expect((await failure(lockers.restore(id, 'k'))).code).toBe('LOCKER_KEY_UNKNOWN');
    await lockers.set(id, values({ k: 'two' }), NOW);
    await lockers.deleteKey(id, 'k', true);
    expect((await lockers.show(id)).keys).toEqual([]);
    expect((await failure(lockers.restore(id, 'k'))).code).toBe('LOCKER_KEY_UNKNOWN');
  });

  it('is not changed by the value that it has: a killed run can be run again', async () => {
    const lockers = newLockers();
    const { id } = await lockers.create('a', {}, NOW);
    await lockers.set(id, values({ k: 'one' }), NOW);
    await lockers.set(id, values({ k: 'two', gone: null }), NOW);
    const before = await lockers.show(id);
    expect(await lockers.set(id, values({ k: 'two', gone: null }), LATER)).toEqual({ locker: before, changed: [] });
    await lockers.restore(id, 'k');
    expect(await valueOf(lockers, id, 'k')).toBe('one');
  });

  it('that was deleted leaves nothing, and its id is never given again', async () => {
    const lockers = newLockers(() => 7);
    const { id } = await lockers.create('a', {}, NOW);
    expect(id).toBe('l_0007');
    await lockers.set(id, values({ k: 'one' }), NOW);
    await lockers.deleteLocker(id);
    expect(await locker.ask('KEYS', `nexus3:locker:${id}:*`)).toEqual([]);
    const again = await lockers.create('a', {}, NOW);
    expect(again.id).not.toBe(id);
    expect((await failure(lockers.set(id, values({ k: 'x' }), NOW))).evidence).toEqual([`${id} was deleted`]);
    expect((await failure(lockers.show(id))).code).toBe('LOCKER_UNKNOWN');
  });

  it('has the environments’ locker beside it, which is neither renamed nor deleted, nor its id or name given', async () => {
    const draws = [0xe0dd, 0xe0dd, 0x0001];
    const lockers = newLockers(() => draws.shift() ?? 2);
    expect((await lockers.create('a', {}, NOW)).id).toBe('l_0001');
    expect((await lockers.list()).map(({ id }) => id)).toEqual(['l_e0dd', 'l_0001']);
    expect((await failure(lockers.create('Environments', {}, NOW))).code).toBe('LOCKER_EXISTS');
    expect((await failure(lockers.rename('l_e0dd', 'b'))).code).toBe('LOCKER_REFUSED');
    expect((await failure(lockers.deleteLocker('environments'))).code).toBe('LOCKER_REFUSED');
    expect((await lockers.edit('l_e0dd', { notes: 'ours' })).notes).toBe('ours');
  });
});

describe('two at once', () => {
  it('of one name: one wins', async () => {
    const made = await Promise.allSettled(Array.from({ length: 6 }, () => newLockers().create('same', {}, NOW)));
    expect(made.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    const reasons = made.flatMap((one) => (one.status === 'rejected' ? [one.reason as Nexus3Error] : []));
    expect(reasons.map(({ code }) => code)).toEqual(Array.from({ length: 5 }, () => 'LOCKER_EXISTS'));
    expect(await newLockers().list()).toHaveLength(2);
  });

  it('to one name: one wins, the others keep theirs', async () => {
    const ids = await Promise.all(['a', 'b', 'c'].map(async (name) => (await newLockers().create(name, {}, NOW)).id));
    const renamed = await Promise.allSettled(ids.map((id) => newLockers().rename(id, 'same')));
    expect(renamed.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect((await newLockers().list()).filter(({ name }) => name === 'same')).toHaveLength(1);
  });

  it('in one locker: each change is whole', async () => {
    const { id } = await newLockers().create('a', {}, NOW);
    const keys = Array.from({ length: 20 }, (_, index) => `k${String(index)}`);
    const all = (value: string): ReadonlyMap<string, Secret | null> =>
      values(Object.fromEntries(keys.map((key) => [key, value])));
    await Promise.all(['x', 'y', 'z', 'w'].map((value) => newLockers().set(id, all(value), NOW)));
    const found = new Set(await Promise.all(keys.map((key) => valueOf(newLockers(), id, key))));
    expect(found.size).toBe(1);
    expect(new Set((await newLockers().show(id)).keys.map(({ version }) => version))).toEqual(new Set([4]));
  });

  it('one deletes the locker that the other writes to: nothing is left of it', async () => {
    for (let round = 0; round < 10; round += 1) {
      const { id } = await newLockers().create('a', {}, NOW);
      await Promise.allSettled([newLockers().set(id, values({ k: 'one' }), NOW), newLockers().deleteLocker(id)]);
      expect(await locker.ask('KEYS', `nexus3:locker:${id}:*`)).toEqual([]);
    }
  });
});

describe('limits', () => {
  it('of words are said all at once, and nothing is changed', async () => {
    const lockers = newLockers();
    const words = {
      description: `a\nb${'c'.repeat(DESCRIPTION_CHARS_MAX)}`,
      notes: '\u0007'.repeat(NOTES_CHARS_MAX + 1),
    };
    const error = await failure(lockers.create(' x', words, NOW));
    expect([error.code, error.evidence.length]).toEqual(['LOCKER_INPUT_INVALID', 5]);
    expect(await lockers.list()).toHaveLength(1);
    const { id } = await lockers.create('x', { notes: 'one\n\ttwo' }, NOW);
    expect((await lockers.show(id)).notes).toBe('one\n\ttwo');
  });

  it.each(['', '-a', 'a ', 'a\nb', 'ä', 'l_1a2b', 'L_1A2B', 'a'.repeat(65), 'a/b', 'a:b'])(
    'no name is %j',
    async (name) => {
      expect((await failure(newLockers().create(name, {}, NOW))).code).toBe('LOCKER_INPUT_INVALID');
    },
  );

  it.each(['', '__proto__', 'value:x', 'a b', '.a', 'a/b', 'a\n', 'ä', 'a'.repeat(65)])('no key is %j', async (key) => {
    const { id } = await newLockers().create('x', {}, NOW);
    const error = await failure(newLockers().set(id, new Map([[key, new Secret('s3cret')]]), NOW));
    expect(error.code).toBe('LOCKER_INPUT_INVALID');
    expect((await newLockers().show(id)).keys).toEqual([]);
  });

  it.each([
    ['is empty', ''],
    ['holds a NUL', 'hunter2\0x'],
    ['is half a character', 'hunter2\ud800'],
    ['is too long', 'hunter2'.repeat(VALUE_BYTES_MAX)],
  ])('a value that %s is refused, and not shown', async (_, value) => {
    const { id } = await newLockers().create('x', {}, NOW);
    const error = await failure(newLockers().set(id, values({ ok: 'fine', k: value }), NOW));
    expect([error.code, error.evidence.length]).toEqual(['LOCKER_INPUT_INVALID', 1]);
    expect(JSON.stringify([error.message, error.evidence, error.hint])).not.toContain('hunter2');
    expect((await newLockers().show(id)).keys).toEqual([]);
  });

  it('of keys in a locker', async () => {
    const lockers = newLockers();
    const { id } = await lockers.create('x', {}, NOW);
    const full = values(Object.fromEntries(Array.from({ length: KEYS_MAX }, (_, index) => [`k${String(index)}`, 'v'])));
    expect((await lockers.set(id, full, NOW)).changed).toHaveLength(KEYS_MAX);
    await lockers.deleteKey(id, 'k0', false);
    expect((await failure(lockers.set(id, values({ more: 'v' }), NOW))).code).toBe('LOCKER_FULL');
    await lockers.deleteKey(id, 'k0', true);
    expect((await lockers.set(id, values({ more: 'v' }), NOW)).changed).toEqual(['more']);
  });

  it('of lockers, and of ids: those given up stay so', async () => {
    const lockers = newLockers();
    const fill = async (count: number, name: (index: number) => string): Promise<void> => {
      const words = Array.from({ length: count }, (_, index) => [
        `l_${index.toString(16).padStart(4, '0')}`,
        name(index),
      ]);
      for (let start = 0; start < words.length; start += 5_000) {
        await locker.ask('HSET', 'nexus3:locker:ids', ...words.slice(start, start + 5_000).flat());
      }
    };
    await fill(LOCKERS_MAX, (index) => `n${String(index)}`);
    expect(await lockers.list()).toHaveLength(LOCKERS_MAX + 1);
    expect((await failure(lockers.create('one more', {}, NOW))).code).toBe('LOCKER_FULL');
    await fill(2 ** 16, () => '');
    const error = await failure(lockers.create('one more', {}, NOW));
    expect([error.code, error.message]).toEqual(['LOCKER_FULL', expect.stringContaining('none is given twice')]);
    await locker.ask('HDEL', 'nexus3:locker:ids', 'l_beef');
    expect((await lockers.create('the last', {}, NOW)).id).toBe('l_beef');
  });
});

describe('a search', () => {
  it('looks everywhere but in values, without regard to case', async () => {
    const lockers = newLockers();
    const { id } = await lockers.create('Stripe', { description: 'Zahlungen für Ä', notes: 'ask Ada' }, NOW);
    await lockers.set(id, values({ 'API-key': 'needle', gone: 'x' }), NOW);
    await lockers.deleteKey(id, 'gone', false);
    const find = async (text: string): Promise<unknown> =>
      (await lockers.search(text)).map(({ id: one, foundIn }) => [one, foundIn]);
    expect(await find('STRIPE')).toEqual([[id, ['name']]]);
    expect(await find(id.slice(2))).toEqual([[id, ['id']]]);
    expect(await find('für ä')).toEqual([[id, ['description']]]);
    expect(await find('ADA')).toEqual([[id, ['notes']]]);
    expect(await find('api-KEY')).toEqual([[id, ['key']]]);
    expect(await find('needle')).toEqual([]);
    expect(await find('gone')).toEqual([]);
    expect((await failure(lockers.search(' '))).code).toBe('LOCKER_INPUT_INVALID');
  });
});

describe('the audit', () => {
  it('has each change and each reveal, and each that was refused, before anybody sees it', async () => {
    const notes: AuditNote[] = [];
    const lockers = new AuditedLockers(newLockers(), async (note) => {
      notes.push(note);
    });
    const { id } = await lockers.create('Stripe', {}, NOW);
    await lockers.set(id, values({ a: 'one', b: 'two' }), NOW);
    await lockers.set('stripe', values({ a: 'one' }), NOW);
    await lockers.reveal('stripe', 'a');
    await failure(lockers.reveal(id, 'c'));
    await failure(lockers.reveal(id, 'a value typed here!'));
    await failure(lockers.rename('l_e0dd', 'x'));
    await lockers.deleteKey(id, 'a', false);
    await lockers.restore(id, 'a');
    await lockers.edit(id, { notes: 'x' });
    await lockers.rename(id, 'Pay');
    await lockers.deleteLocker(id);
    expect(notes.map(({ action, what, outcome, detail }) => [action, what, outcome, detail])).toEqual([
      ['create-locker', id, 'ok', undefined],
      ['set', `${id}/a,b`, 'ok', undefined],
      ['set', `${id}/a`, 'ok', 'unchanged'],
      ['reveal', `${id}/a`, 'ok', undefined],
      ['reveal', `${id}/c`, 'failed', 'LOCKER_KEY_UNKNOWN'],
      ['reveal', `${id}/?`, 'failed', 'LOCKER_KEY_UNKNOWN'],
      ['rename-locker', 'l_e0dd', 'denied', 'LOCKER_REFUSED'],
      ['delete', `${id}/a`, 'ok', undefined],
      ['restore', `${id}/a`, 'ok', undefined],
      ['edit-locker', id, 'ok', undefined],
      ['rename-locker', id, 'ok', 'Pay'],
      ['delete-locker', id, 'ok', 'Pay'],
    ]);
  });

  it('that cannot be written to hands out nothing', async () => {
    const { id } = await newLockers().create('a', {}, NOW);
    await newLockers().set(id, values({ k: 'one' }), NOW);
    const lockers = new AuditedLockers(newLockers(), () => Promise.reject(new Error('no audit')));
    await expect(lockers.reveal(id, 'k')).rejects.toThrow('no audit');
    expect((await failure(lockers.reveal(id, 'other'))).code).toBe('LOCKER_KEY_UNKNOWN');
  });

  it('that cannot be written to is said of a change that was made, not that nothing was done', async () => {
    const { id } = await newLockers().create('a', {}, NOW);
    const unwritten = new Nexus3Error('AUDIT_NOT_WRITTEN', 'No audit.', {
      evidence: ['OOM'],
      hint: 'Nothing was handed out.',
    });
    const lockers = new AuditedLockers(newLockers(), () => Promise.reject(unwritten));
    const error = await failure(lockers.set(id, values({ k: 'one' }), NOW));
    expect(error).toMatchObject({ code: 'AUDIT_NOT_WRITTEN', evidence: ['OOM'] });
    expect(error.message).toContain('was done');
    expect(error.hint).not.toContain('Nothing');
    expect((await newLockers().reveal(id, 'k')).value.reveal()).toBe('one');
    expect(await failure(lockers.reveal(id, 'k'))).toBe(unwritten);
    expect(await failure(lockers.set(id, values({ k: 'one' }), NOW))).toBe(unwritten);
  });
});

describe('Locker’s data', () => {
  it('moved from one locker or key to another do not open, and can be forgotten', async () => {
    const lockers = newLockers();
    const [a, b] = [await lockers.create('a', {}, NOW), await lockers.create('b', {}, NOW)];
    await lockers.set(a.id, values({ k: 'one', l: 'two' }), NOW);
    await locker.ask('COPY', `nexus3:locker:${a.id}:values`, `nexus3:locker:${b.id}:values`);
    expect((await failure(lockers.reveal(b.id, 'k'))).code).toBe('LOCKER_VALUE_MOVED');
    const text = String(await locker.ask('HGET', `nexus3:locker:${a.id}:values`, 'value:k'));
    await locker.ask('HSET', `nexus3:locker:${a.id}:values`, 'value:l', text);
    expect((await failure(lockers.reveal(a.id, 'l'))).code).toBe('LOCKER_VALUE_MOVED');
    expect((await failure(lockers.set(a.id, values({ l: 'x' }), NOW))).code).toBe('LOCKER_VALUE_MOVED');
    await lockers.deleteKey(a.id, 'l', true);
    expect((await lockers.show(a.id)).keys.map(({ name }) => name)).toEqual(['k']);
  });

  it('of another kind are not taken for a locker', async () => {
    await locker.ask('HSET', 'nexus3:locker:ids', 'l_zzzz', 'x', 'tokens', 'y', 'l_e0dd', 'z');
    expect((await newLockers().list()).map(({ id, name }) => [id, name])).toEqual([['l_e0dd', 'environments']]);
  });
});
