import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { renderEnv, renderUrl, shellQuote, variablePrefix } from './connection-formats.js';

const PARTS = { env: 'my-track', username: 'default', host: '127.0.0.1', port: 6640, password: 'simple' };
const PRINTABLE = Array.from({ length: 95 }, (_, index) => String.fromCharCode(32 + index)).join('');
const AWKWARD = [
  PRINTABLE,
  "'",
  `'"'"'`,
  'two\nlines\n',
  '\ttab',
  '$(id) `id` $HOME \\',
  'ünï→😀',
  ' ',
  '',
  '%41',
  '#',
];

describe('a URL', () => {
  it('has user, password, host and port', () => {
    expect(renderUrl(PARTS)).toBe('redis://default:simple@127.0.0.1:6640');
    expect(renderUrl({ ...PARTS, host: '::1' })).toBe('redis://default:simple@[::1]:6640');
  });

  it('gives back any password', () => {
    fc.assert(
      fc.property(fc.oneof(fc.constantFrom(...AWKWARD), fc.string({ unit: 'grapheme' })), (password) => {
        const url = new URL(renderUrl({ ...PARTS, password }));
        expect(decodeURIComponent(url.password)).toBe(password);
        expect([url.username, url.hostname, url.port]).toEqual(['default', '127.0.0.1', '6640']);
      }),
    );
  });
});

describe('shell variables', () => {
  it('are named by the environment', () => {
    expect(variablePrefix('my-track')).toBe('NEXUS3_MY_TRACK');
    expect(renderEnv(PARTS).split('\n')[3]).toBe("NEXUS3_MY_TRACK_PASSWORD='simple'");
  });

  it.each(AWKWARD)('give a shell exactly %j', (password) => {
    const script = `${renderEnv({ ...PARTS, password })}printf %s "$NEXUS3_MY_TRACK_PASSWORD"`;
    expect(execFileSync('sh', ['-c', script], { encoding: 'utf8' })).toBe(password);
  });

  it('refuse what no shell can hold', () => {
    expect(() => shellQuote('a\0b')).toThrow(RangeError);
  });
});
