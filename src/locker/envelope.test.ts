import fc from 'fast-check';
import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { Secret } from '../protocol/secret.js';
import { DataKey, ValueKey, versionOf, type Place } from './envelope.js';

const PLACE: Place = { lockerId: 'l_e0dd', env: 'track', name: 'default', slot: 'value' };
const ENVIRONMENT = { lockerId: 'l_e0dd', env: 'track' };

describe('a sealed value', () => {
  it('opens to what it was, whatever that is', () => {
    const key = DataKey.generate();
    const character = fc.oneof(
      fc.constantFrom('\n', '"', '\\', '\0', '𝄞'),
      fc.string({ unit: 'binary', maxLength: 1 }),
    );
    const values = fc.string({ unit: character, maxLength: 1_024 });
    fc.assert(
      fc.property(values, fc.integer({ min: 1, max: 1e15 - 1 }), (value, version) => {
        const text = key.seal(PLACE, version, new Secret(value));
        expect(key.open(PLACE, text)?.reveal()).toBe(value);
        expect(versionOf(text)).toBe(version);
      }),
    );
  });

  it('never looks the same twice, and is one word', () => {
    const key = DataKey.generate();
    const texts = Array.from({ length: 50 }, () => key.seal(PLACE, 1, new Secret('same')));
    expect(new Set(texts).size).toBe(50);
    expect(texts.every((text) => /^v2\.1\.[\w-]+$/.test(text))).toBe(true);
  });

  it.each([
    ['locker', { ...PLACE, lockerId: 'l_0001' }],
    ['environment', { ...PLACE, env: 'web' }],
    ['name', { ...PLACE, name: 'admin' }],
    ['slot', { ...PLACE, slot: 'previous' as const }],
    ['name that holds another', { ...PLACE, env: 'track","default', name: '' }],
  ])('does not open in another %s', (_, elsewhere) => {
    const key = DataKey.generate();
    const text = key.seal(PLACE, 1, new Secret('value'));
    expect(key.open(elsewhere, text)).toBeUndefined();
  });

  it('does not open as another version', () => {
    const key = DataKey.generate();
    const text = key.seal(PLACE, 1, new Secret('value'));
    expect(key.open(PLACE, text.replace('v2.1.', 'v2.2.'))).toBeUndefined();
  });

  it('does not open when any character is another, or when it is cut', () => {
    const key = DataKey.generate();
    const text = key.seal(PLACE, 1, new Secret('value'));
    fc.assert(
      fc.property(
        fc.nat(text.length - 1),
        fc.constantFrom('a', 'Z', '0', '9', '-', '_', '.', '+', '='),
        (at, character) => {
          fc.pre(text[at] !== character);
          expect(key.open(PLACE, text.slice(0, at) + character + text.slice(at + 1))).toBeUndefined();
          expect(key.open(PLACE, text.slice(0, at))).toBeUndefined();
        },
      ),
    );
  });

  it('does not open when its last character is another, also where base64 would not care', () => {
    const key = DataKey.generate();
    for (const value of ['a', 'ab', 'abc']) {
      const text = key.seal(PLACE, 1, new Secret(value));
      const others = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'.replace(text.slice(-1), '');
      const opened = others.split('').filter((last) => key.open(PLACE, text.slice(0, -1) + last) !== undefined);
      expect(opened).toEqual([]);
    }
  });

  it('never throws, whatever stands in its place', () => {
    const key = DataKey.generate();
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          fc.base64String().map((text) => `v2.1.${text}`),
        ),
        (text) => {
          expect(key.open(PLACE, text)).toBeUndefined();
        },
      ),
    );
  });
});

describe('a value of an earlier format', () => {
  const keyEncryptionKey = Buffer.alloc(32, 9);
  // Made by the version of nexus3 before names had keys of their own.
  const wrapped = 'v1.1.BQUFBQUFBQUFBQUFy3OyUg_cGElGIFH62WttcQXItpSx17LIBnASpW7zpAuN04Hp3yvhnlwwYmupYUVf';
  const sealed = 'v1.1.BQUFBQUFBQUFBQUFo0sehImFzxK7pWzaMjkIv7lD6LmYls2sRjVw';

  it('opens as it did', () => {
    const key = DataKey.unwrap(keyEncryptionKey, ENVIRONMENT, wrapped);
    expect(key?.open(PLACE, sealed)?.reveal()).toBe('from before');
    expect(key?.open({ ...PLACE, name: 'admin' }, sealed)).toBeUndefined();
    expect(key?.open({ ...PLACE, slot: 'previous' }, sealed)).toBeUndefined();
  });
});

describe('the key of one value', () => {
  const key = DataKey.generate();
  const tokenKey = randomBytes(32);
  const wrapped = key.valueKey(PLACE).wrapFor(tokenKey, 't_00000001', PLACE);

  it('opens that value, and no other', () => {
    const only = ValueKey.unwrapFor(tokenKey, 't_00000001', PLACE, wrapped);
    expect(only?.open(PLACE, key.seal(PLACE, 3, new Secret('mine')))?.reveal()).toBe('mine');
    const admin: Place = { ...PLACE, name: 'admin' };
    expect(only?.open(admin, key.seal(admin, 3, new Secret('theirs')))).toBeUndefined();
  });

  it('does not unwrap for another token, with another key, or for another name', () => {
    expect(ValueKey.unwrapFor(tokenKey, 't_00000002', PLACE, wrapped)).toBeUndefined();
    expect(ValueKey.unwrapFor(randomBytes(32), 't_00000001', PLACE, wrapped)).toBeUndefined();
    expect(ValueKey.unwrapFor(tokenKey, 't_00000001', { ...PLACE, name: 'admin' }, wrapped)).toBeUndefined();
  });
});

describe('a wrapped data key', () => {
  const keyEncryptionKey = randomBytes(32);
  const key = DataKey.generate();
  const wrapped = key.wrap(keyEncryptionKey, ENVIRONMENT, 1);
  const sealed = key.seal(PLACE, 1, new Secret('value'));

  it('unwraps to the key that it was', () => {
    expect(DataKey.unwrap(keyEncryptionKey, ENVIRONMENT, wrapped)?.open(PLACE, sealed)?.reveal()).toBe('value');
  });

  it('does not unwrap for another environment, under another root key, or from a value', () => {
    expect(DataKey.unwrap(keyEncryptionKey, { ...ENVIRONMENT, env: 'web' }, wrapped)).toBeUndefined();
    expect(DataKey.unwrap(randomBytes(32), ENVIRONMENT, wrapped)).toBeUndefined();
    expect(DataKey.unwrap(keyEncryptionKey, ENVIRONMENT, sealed)).toBeUndefined();
    expect(DataKey.unwrap(keyEncryptionKey, ENVIRONMENT, '')).toBeUndefined();
  });

  it('shows nothing of itself', () => {
    expect(inspect(key, { showHidden: true, depth: 5 })).not.toMatch(/Buffer|Uint8Array/);
  });
});
