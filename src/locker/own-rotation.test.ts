import { describe, expect, it } from 'vitest';
import { afterStep, ownRotation } from './own-rotation.js';
import { parseRootKey, RootKey } from './root-key.js';

const BEGUN = new Date('2026-01-08T12:00:00.000Z');
const UNTIL = new Date('2026-01-08T12:00:30.000Z');
const NAMES = ['default', 'admin', 'backup'];
const rootKey = RootKey.generate();

/** Each state goes through the file's text. */
function written(key: RootKey): RootKey {
  const read = parseRootKey(key.toText());
  if (typeof read === 'string') throw new Error(read);
  expect(read.equals(rootKey)).toBe(true);
  return read;
}

describe('the rotation of Locker’s own passwords', () => {
  const prepared = written(afterStep(rootKey, { kind: 'prepare', at: BEGUN }));
  const promoted = written(afterStep(prepared, { kind: 'promote', graceUntil: UNTIL }));
  const finished = written(afterStep(promoted, { kind: 'finish' }));

  it('goes from one generation to the next, and says in the file where it is', () => {
    expect(ownRotation(rootKey)).toBeUndefined();
    expect(prepared).toMatchObject({ generation: 1, alsoAccepted: 2 });
    const startedAt = BEGUN.toISOString();
    expect(ownRotation(prepared)).toEqual({ names: NAMES, phase: 'prepared', startedAt, graceUntil: null });
    expect(promoted).toMatchObject({ generation: 2, alsoAccepted: 1 });
    const graceUntil = UNTIL.toISOString();
    expect(ownRotation(promoted)).toEqual({ names: NAMES, phase: 'promoted', startedAt, graceUntil });
    expect(finished).toMatchObject({ generation: 2, alsoAccepted: undefined });
    expect(ownRotation(finished)).toBeUndefined();
  });

  it('does no step twice, and none before its time', () => {
    expect(afterStep(prepared, { kind: 'prepare', at: UNTIL })).toBe(prepared);
    expect(afterStep(promoted, { kind: 'prepare', at: UNTIL })).toBe(promoted);
    expect(afterStep(promoted, { kind: 'promote', graceUntil: BEGUN })).toBe(promoted);
    expect(afterStep(rootKey, { kind: 'promote', graceUntil: UNTIL })).toBe(rootKey);
    expect(afterStep(prepared, { kind: 'finish' })).toBe(prepared);
    expect(afterStep(finished, { kind: 'finish' })).toBe(finished);
  });

  it('of a file without times is over', () => {
    expect(ownRotation(written(rootKey.withGenerations(3, 2)))).toMatchObject({
      phase: 'promoted',
      graceUntil: '1970-01-01T00:00:00.000Z',
    });
  });

  it('is not read from a file that is damaged', () => {
    expect(parseRootKey(promoted.toText().replace('@2026', '@2027'))).toBe('truncated-or-edited');
    expect(parseRootKey(prepared.toText().replace('@2026', '@'))).toBe('truncated-or-edited');
  });
});
