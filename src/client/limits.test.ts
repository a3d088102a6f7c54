import { describe, expect, it } from 'vitest';
import { codeOf } from '../../test/support/failure.js';
import { limitsOf, syncedMaxMs } from './limits.js';

describe('limits', () => {
  it('have defaults, also where undefined was given', () => {
    const defaults = { readYourWritesMaxMs: 250, watchIntervalMs: 500, lagBytesMax: 1_048_576, queueMax: 10_016 };
    expect(limitsOf({ watchIntervalMs: undefined }, { lagBytesMax: undefined })).toMatchObject(defaults);
    expect(syncedMaxMs(undefined)).toBe(5_000);
  });

  it('are what was given before what nexus3.yaml says', () => {
    expect(limitsOf({}, { lagBytesMax: 7 }).lagBytesMax).toBe(7);
    expect(limitsOf({ lagBytesMax: 0, commandsMax: 5, readYourWrites: true }, { lagBytesMax: 7 })).toMatchObject({
      lagBytesMax: 0,
      queueMax: 26,
    });
  });

  it.each([Number.NaN, -1, 2 ** 31, Infinity])('no timer is given %s milliseconds, which would be one', (ms) => {
    for (const name of ['readYourWritesMaxMs', 'vaultWaitMaxMs', 'watchIntervalMs', 'silenceMaxMs'] as const) {
      expect(
        codeOf(() => limitsOf({ [name]: ms }, {})),
        name,
      ).toBe('USAGE');
    }
    expect(codeOf(() => syncedMaxMs(ms))).toBe('USAGE');
  });

  it('nobody is asked without a pause, and something may be under way', () => {
    expect(
      [{ watchIntervalMs: 0 }, { silenceMaxMs: 0 }, { commandsMax: 0 }].map((one) => codeOf(() => limitsOf(one, {}))),
    ).toEqual(['USAGE', 'USAGE', 'USAGE']);
  });
});
