import { describe, expect, it } from 'vitest';
import { Nexus3Error } from '../errors.js';
import { Cursors } from './cursors.js';

function codeOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof Nexus3Error) return error.code;
  }
  return 'it did not fail';
}

const PLACE = { side: 'operational', epoch: 3 } as const;

describe('a scan', () => {
  it('begins anywhere', () => {
    expect(new Cursors().placeFor(['SCAN', '0'])).toBeUndefined();
    expect(new Cursors().placeFor(['GET', '17'])).toBeUndefined();
  });

  it('goes on where its cursor was given', () => {
    const cursors = new Cursors();
    cursors.note(['scan', '0'], ['17', []], PLACE);
    expect(cursors.placeFor(['SCAN', '17', 'COUNT', '5'])).toEqual(PLACE);
    cursors.note(['HSCAN', 'a', '0'], [Buffer.from('9'), []], PLACE);
    expect(cursors.placeFor(['HSCAN', 'a', '9'])).toEqual(PLACE);
  });

  it('does not go on with a cursor that nobody gave, of another key or of another kind', () => {
    const cursors = new Cursors();
    cursors.note(['HSCAN', 'a', '0'], ['9', []], PLACE);
    for (const words of [
      ['SCAN', '9'],
      ['HSCAN', 'b', '9'],
      ['SSCAN', 'a', '9'],
    ]) {
      expect(codeOf(() => cursors.placeFor(words))).toBe('CURSOR_LOST');
    }
  });

  it('does not go on where both servers have given the same cursor', () => {
    const cursors = new Cursors();
    cursors.note(['SCAN', '0'], ['17', []], PLACE);
    cursors.note(['SCAN', '0'], ['17', []], { side: 'operational', epoch: 4 });
    expect(cursors.placeFor(['SCAN', '17'])).toEqual({ side: 'operational', epoch: 4 });
    cursors.note(['SCAN', '0'], ['17', []], { side: 'vault', epoch: 1 });
    expect(codeOf(() => cursors.placeFor(['SCAN', '17']))).toBe('CURSOR_LOST');
  });

  it('goes on where another one has gone on from the same cursor of the other server', () => {
    const cursors = new Cursors();
    const other = { side: 'vault', epoch: 1 } as const;
    cursors.note(['SCAN', '0'], ['17', []], other);
    cursors.note(['SCAN', '17'], ['0', []], other);
    // Whoever asks the same once more is still right.
    expect(cursors.placeFor(['SCAN', '17'])).toEqual(other);
    cursors.note(['SCAN', '0'], ['17', []], PLACE);
    expect(cursors.placeFor(['SCAN', '17'])).toEqual(PLACE);
    // That one is waited for.
    cursors.note(['SCAN', '17'], ['0', []], other);
    cursors.note(['SCAN', '0'], ['17', []], other);
    expect(codeOf(() => cursors.placeFor(['SCAN', '17']))).toBe('CURSOR_LOST');
  });

  it('is over at cursor 0', () => {
    const cursors = new Cursors();
    cursors.note(['SCAN', '17'], ['0', []], PLACE);
    expect(cursors.placeFor(['SCAN', '0'])).toBeUndefined();
  });

  it('keeps so many cursors and no more', () => {
    const cursors = new Cursors();
    for (let cursor = 1; cursor <= 10_001; cursor += 1) cursors.note(['SCAN', '0'], [String(cursor), []], PLACE);
    expect(codeOf(() => cursors.placeFor(['SCAN', '1']))).toBe('CURSOR_LOST');
    expect(cursors.placeFor(['SCAN', '2'])).toEqual(PLACE);
  });
});
