import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEFAULT_SETTINGS, parseMemory } from './settings.js';

describe('memory sizes', () => {
  it.each([
    ['0', 0],
    ['1024', 1024],
    ['1b', 1],
    ['1k', 1000],
    ['1kb', 1024],
    ['2m', 2_000_000],
    ['2MB', 2_097_152],
    ['1g', 1_000_000_000],
    ['1Gb', 1_073_741_824],
  ])('%s is %d bytes', (text, bytes) => {
    expect(parseMemory(text)).toBe(bytes);
  });

  it.each(['', ' 1', '1 gb', '-1', '1.5gb', '1tb', '0x10', '1e3', 'gb', '1\n', '9'.repeat(16)])(
    '%j is none',
    (text) => {
      expect(parseMemory(text)).toBeUndefined();
    },
  );

  it('of the defaults is readable', () => {
    expect(parseMemory(DEFAULT_SETTINGS.maxmemory)).toBe(0);
  });

  it('are never negative, never NaN, whatever is typed', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^\d{0,17}[bkmgKMG]{0,2}$/)), (text) => {
        const bytes = parseMemory(text);
        expect(bytes === undefined || (Number.isInteger(bytes) && bytes >= 0)).toBe(true);
      }),
    );
  });
});
