import fc from 'fast-check';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { CREDENTIAL_NAMES } from '../protocol/users.js';
import { deriveKeyEncryptionKey, deriveOwnCredentials } from './derive.js';
import { parseRootKey, RootKey } from './root-key.js';

const fixed = new RootKey(Buffer.alloc(32, 7));

describe('a root key as text', () => {
  it('is one line that reads back as the same key', () => {
    const key = RootKey.generate();
    expect(key.toText()).toMatch(/^nexus3-root-key-1 [\w-]{43} [0-9a-f]{16}\n$/);
    const read = parseRootKey(key.toText());
    expect(read instanceof RootKey && read.equals(key)).toBe(true);
  });

  it('is not taken when it is cut short anywhere', () => {
    const text = fixed.toText().trimEnd();
    for (let length = 0; length < text.length; length += 1) {
      expect(parseRootKey(text.slice(0, length)), String(length)).toBe(length === 0 ? 'empty' : 'truncated-or-edited');
    }
  });

  it('is not taken when one character is another', () => {
    const text = fixed.toText().trimEnd();
    fc.assert(
      fc.property(fc.nat(text.length - 1), fc.constantFrom('a', 'Z', '0', '9', '-', '_', '.', ' '), (at, character) => {
        fc.pre(text[at] !== character);
        expect(parseRootKey(text.slice(0, at) + character + text.slice(at + 1))).toBeTypeOf('string');
      }),
    );
  });

  it('carries the generations of Locker’s own passwords, once there is more than the first', () => {
    const rotating = fixed.withGenerations(3, 2);
    expect(rotating.toText()).toMatch(/^nexus3-root-key-2 [\w-]{43} 3 2 [0-9a-f]{16}\n$/);
    expect(parseRootKey(rotating.toText())).toMatchObject({ generation: 3, alsoAccepted: 2 });
    expect(parseRootKey(fixed.withGenerations(3).toText())).toMatchObject({ generation: 3, alsoAccepted: undefined });
    expect(parseRootKey(rotating.toText().replace(' 3 2 ', ' 2 3 '))).toBe('truncated-or-edited');
    expect(parseRootKey(rotating.toText().slice(0, -4))).toBe('truncated-or-edited');
    expect(fixed.withGenerations(1).toText()).toBe(fixed.toText());
  });

  it('never throws, whatever the file holds', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => void parseRootKey(text)));
  });
});

describe('a root key in memory', () => {
  it('shows itself nowhere', () => {
    const shown = [inspect(fixed), JSON.stringify({ fixed }), String(fixed)].join();
    expect(shown).toBe('[root key],{"fixed":"[root key]"},[root key]');
  });

  it('must be whole', () => {
    expect(() => new RootKey(Buffer.alloc(31))).toThrow('32 bytes');
  });
});

describe('what is derived', () => {
  it('never changes: it must open what was stored years ago', () => {
    expect(deriveOwnCredentials(fixed).default.reveal()).toMatchInlineSnapshot(
      `"ZZmZc4TEhbxw6U8CApYehppuUW7Z0LOUGZsJtT8qzWI"`,
    );
    expect(deriveKeyEncryptionKey(fixed).toString('hex')).toMatchInlineSnapshot(
      `"029aee5c15a2797baab3835889d1eaa7351062a85873d306d1045069d9f28f49"`,
    );
  });

  it('differs for each purpose, generation and root key, and is 256 bits', () => {
    const all = [
      deriveOwnCredentials(fixed),
      deriveOwnCredentials(fixed, 2),
      deriveOwnCredentials(RootKey.generate()),
    ].flatMap((own) => CREDENTIAL_NAMES.map((name) => own[name].reveal()));
    expect(new Set(all).size).toBe(15);
    expect(all.every((password) => Buffer.from(password, 'base64url').length === 32)).toBe(true);
  });
});
