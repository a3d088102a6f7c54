/** The environments’ locker against a real server with the rendered users and settings of Locker's vault. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ENGINE_TIMEOUT_MS } from '../../../test/support/engine.js';
import { LockerServer } from '../../../test/support/locker-server.js';
import { Nexus3Error } from '../../errors.js';
import { Secret } from '../../protocol/secret.js';
import { CREDENTIAL_NAMES, type CredentialName } from '../../protocol/users.js';
import type { Lockers } from '../lockers.js';
import { LockerStore } from '../store.js';
import { StoredLockers } from './stored-lockers.js';

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

describe('the environments’ passwords', () => {
  const store = (): LockerStore => new LockerStore(locker.database());

  it('are keys like any other', async () => {
    const made = await store().generate('track', ['default', 'admin'], NOW);
    const lockers = newLockers();
    expect((await lockers.show('environments')).keys.map(({ name }) => name)).toEqual(['track.admin', 'track.default']);
    expect((await lockers.list())[0]?.keys).toEqual(['track.admin', 'track.default']);
    expect(await valueOf(lockers, 'l_e0dd', 'track.default')).toBe(made.default?.reveal());
    await lockers.set(
      'l_e0dd',
      values({ 'track.default': 'imported "1"\nä', 'user.default': 'before the first up' }),
      LATER,
    );
    expect((await store().read(['track'])).get('track')?.current.default?.reveal()).toBe('imported "1"\nä');
    expect((await store().read(['track'])).get('track')?.madeAt).toEqual({
      default: LATER.toISOString(),
      admin: NOW.toISOString(),
    });
    await lockers.restore('l_e0dd', 'track.default');
    expect((await store().read(['track'])).get('track')?.current.default?.reveal()).toBe(made.default?.reveal());
    const generated = await store().generate('user', ['default', 'admin'], NOW);
    expect(generated.default?.reveal()).toBe('before the first up');
  });

  it.each([
    ['another environment', { 'trac.default': 'x' }, 'near trac'],
    ['another user', { 'track.defaul': 'x' }, 'near defaul'],
    ['no user', { track: 'x' }, 'it has default'],
    ['what a Secure Environment lacks', { 'user.replicator': 'x' }, 'has no user'],
    ['Locker itself', { 'locker.default': 'x' }, 'root key'],
    ['too long', { 'track.default': 'x'.repeat(1_025) }, '1024'],
    ['needed', { 'track.default': null }, 'nexus3 rotate track'],
  ])('are not set for %s', async (_, given, evidence) => {
    const error = await failure(newLockers().set('l_e0dd', values(given), NOW));
    expect(error.code).toBe('LOCKER_INPUT_INVALID');
    expect(error.evidence.join()).toContain(evidence);
    expect(await locker.ask('KEYS', 'nexus3:locker:l_e0dd:env:*')).toEqual([]);
  });

  it('are each user’s own', async () => {
    const lockers = newLockers();
    await lockers.set('l_e0dd', values({ 'track.default': 'one', 'track.admin': 'two' }), NOW);
    expect((await failure(lockers.set('l_e0dd', values({ 'track.replicator': 'one' }), NOW))).code).toBe(
      'LOCKER_REFUSED',
    );
    const both = values({ 'track.replicator': 'three', 'track.backup': 'three' });
    expect((await failure(lockers.set('l_e0dd', both, NOW))).code).toBe('LOCKER_REFUSED');
    await lockers.set('l_e0dd', values({ 'track.default': 'two', 'track.admin': 'one' }), NOW);
    await lockers.set('l_e0dd', values({ 'track.default': 'four' }), NOW);
    await lockers.set('l_e0dd', values({ 'track.backup': 'two' }), NOW);
    expect((await failure(lockers.restore('l_e0dd', 'track.default'))).code).toBe('LOCKER_REFUSED');
  });

  it('are left alone while a rotation replaces them', async () => {
    await store().generate('track', CREDENTIAL_NAMES, NOW);
    await store().prepareRotation('track', ['default'], NOW);
    const lockers = newLockers();
    const view = await lockers.show('l_e0dd');
    expect(view.keys.filter(({ rotating }) => rotating).map(({ name }) => name)).toEqual(['track.default']);
    for (const work of [
      lockers.set('l_e0dd', values({ 'track.admin': 'x' }), NOW),
      lockers.set('l_e0dd', values({ 'user.default': 'x', 'track.default': 'y' }), NOW),
    ]) {
      const error = await failure(work);
      expect([error.code, error.hint]).toEqual(['LOCKER_ROTATING', 'Finish it first: nexus3 rotate track']);
    }
    expect(await lockers.show('l_e0dd')).toEqual(view);
    await store().promoteRotation('track', NOW, NOW);
    expect((await failure(lockers.restore('l_e0dd', 'track.default'))).code).toBe('LOCKER_ROTATING');
    await store().finishRotation('track');
    expect((await lockers.restore('l_e0dd', 'track.default')).changed).toEqual(['track.default']);
  });

  it('are deleted only where their environment is not configured', async () => {
    await store().generate('track', ['default'], NOW);
    await store().generate('old', ['default'], NOW);
    const lockers = newLockers();
    const error = await failure(lockers.deleteKey('l_e0dd', 'track.default', false));
    expect([error.code, error.evidence.join()]).toEqual(['LOCKER_REFUSED', expect.stringContaining('is configured')]);
    await lockers.deleteKey('l_e0dd', 'old.default', false);
    expect((await lockers.list())[0]?.keys).toEqual(['track.default']);
    await lockers.restore('l_e0dd', 'old.default');
    await lockers.deleteKey('l_e0dd', 'old.default', true);
    expect((await failure(lockers.reveal('l_e0dd', 'old.default'))).code).toBe('LOCKER_KEY_UNKNOWN');
    expect((await failure(lockers.reveal('l_e0dd', 'nonsense'))).code).toBe('LOCKER_KEY_UNKNOWN');
    expect((await failure(lockers.reveal('l_e0dd', '__proto__.default'))).code).toBe('LOCKER_KEY_UNKNOWN');
  });
});
