import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseToken, Token } from './token.js';

const PLACE = {
  env: 'track',
  kind: 'standard',
  locker: { host: '127.0.0.1', port: 6720 },
  vault: { host: '::1', port: 6640 },
} as const;
const made = (): Token => Token.generate(PLACE);

function parsed(text: string): Token {
  const token = parseToken(text);
  if (typeof token === 'string') throw new Error(token);
  return token;
}

describe('a token', () => {
  it('is one line that says what it is, and comes back from it', () => {
    const token = made();
    const text = token.toText();
    expect(text).toMatch(
      /^nexus3-token-2 t_[0-9a-f]{8} track standard 127\.0\.0\.1:6720 \[::1\]:6640 [\w-]{43} [0-9a-f]{16}\n$/,
    );
    const back = parsed(text);
    expect(back).toMatchObject({ id: token.id, ...PLACE });
    expect(back.password.reveal()).toBe(token.password.reveal());
    expect(back.keyEncryptionKey).toEqual(token.keyEncryptionKey);
    expect(back.toText()).toBe(text);
  });

  it('has a password and a key that say nothing of each other, nor of another token', () => {
    const [one, other] = [made(), made()];
    const all = [one, other].flatMap((token) => [
      token.password.reveal(),
      token.keyEncryptionKey.toString('base64url'),
      token.toText().split(' ')[6],
    ]);
    expect(new Set(all).size).toBe(6);
  });

  it('says of which kind its environment is; of one from before, protocol v1.0 says it, or it counts as standard', () => {
    expect(parsed(Token.generate({ ...PLACE, env: 'hidden', kind: 'secure' }).toText()).kind).toBe('secure');
    const { locker, vault } = PLACE;
    const kindless = (env: string) => new Token(Buffer.alloc(32, 7), { id: 't_01234567', env, locker, vault }).toText();
    expect(kindless('hidden')).toMatch(/^nexus3-token-1 t_01234567 hidden 127\.0\.0\.1:6720 \[::1\]:6640 B/);
    expect(['user', 'track', 'hidden'].map((env) => parsed(kindless(env)).kind)).toEqual([
      'secure',
      'standard',
      'standard',
    ]);
    expect(parsed(kindless('hidden')).toText()).toBe(kindless('hidden'));
  });

  it('prints as its id', () => {
    const token = made();
    const printed = [inspect({ token }), String(token), JSON.stringify({ token })].join(' ');
    expect(printed).toContain(token.id);
    expect(printed).not.toContain(token.toText().split(' ')[6]);
  });

  it('is not taken when it is cut or changed anywhere', () => {
    const text = made().toText().trimEnd();
    fc.assert(
      fc.property(fc.nat({ max: text.length - 1 }), fc.constantFrom('cut', 'a', 'Z', '7', ' ', ':'), (at, change) => {
        const changed = change === 'cut' ? text.slice(0, at) : text.slice(0, at) + change + text.slice(at + 1);
        fc.pre(changed.split(/\s+/).join(' ').trim() !== text);
        expect(typeof parseToken(changed)).toBe('string');
      }),
    );
  });

  it.each([
    ['', 'empty'],
    ['nexus3-tok', 'truncated-or-edited'],
    ['nexus3-root-key-1 abc def', 'unknown-format'],
    ['hello', 'unknown-format'],
  ])('%j is %s', (text, fault) => {
    expect(parseToken(text)).toBe(fault);
  });

  it('survives whatever is thrown at it', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => typeof parseToken(text) === 'string'));
  });
});
