import { describe, expect, it } from 'vitest';
import { codeOf } from '../../test/support/failure.js';
import type { CursorPlace } from './cursors.js';
import { Cursors } from './cursors.js';

const PLACE = { side: 'operational', epoch: 3 } as const;
const VAULT = { side: 'vault', epoch: 1 } as const;
const TABLE_MAX = 2 ** 33;

/** What the program gets where the server gives this. */
function given(cursors: Cursors, bare: string | Buffer, place: CursorPlace = PLACE): string | Buffer {
  const reply: [string | Buffer, unknown[]] = [bare, []];
  cursors.mark([['SCAN', '0']], [reply], place);
  return reply[0];
}

describe('a scan', () => {
  it('begins anywhere, and so does what is none', () => {
    expect(new Cursors().continued([['SCAN', '0'], ['GET', '17'], ['SCAN']])).toBeUndefined();
  });

  it('goes on where its cursor was given, with the cursor as it was given', () => {
    const cursors = new Cursors();
    const [operational, vault] = [given(cursors, '17'), given(cursors, '17', VAULT)];
    const words = ['scan', operational, 'COUNT', '5'];
    expect(cursors.continued([words])).toEqual({
      place: PLACE,
      cursor: operational,
      commands: [['scan', '17', 'COUNT', '5']],
    });
    expect(words[1]).toBe(operational);
    expect(
      cursors.continued([
        ['GET', 'a'],
        ['HSCAN', 'a', vault],
        ['SSCAN', 'b', '0'],
      ]),
    ).toEqual({
      place: VAULT,
      cursor: vault,
      commands: [
        ['GET', 'a'],
        ['HSCAN', 'a', '17'],
        ['SSCAN', 'b', '0'],
      ],
    });
  });

  it('has a cursor of the kind that it was asked for', () => {
    const cursors = new Cursors();
    const bytes = given(cursors, Buffer.from('9'));
    expect(bytes).toBeInstanceOf(Buffer);
    expect(cursors.continued([['ZSCAN', 'a', bytes]])?.commands).toEqual([['ZSCAN', 'a', '9']]);
  });

  it('is over at cursor 0', () => {
    expect(given(new Cursors(), '0')).toBe('0');
    expect(String(given(new Cursors(), Buffer.from('0')))).toBe('0');
  });

  it('leaves other answers as they are', () => {
    const replies = [['17', []], new Error('refused'), null];
    new Cursors().mark(
      [
        ['LRANGE', 'a', '0', '1'],
        ['SCAN', '0'],
        ['SCAN', '0'],
      ],
      replies,
      PLACE,
    );
    expect(replies).toEqual([['17', []], new Error('refused'), null]);
  });

  it('has cursors that are exact as numbers, of tables of any size', () => {
    const cursors = new Cursors();
    for (const bare of [1, TABLE_MAX - 1]) {
      const cursor = Number(given(cursors, String(bare)));
      expect(Number.isSafeInteger(cursor)).toBe(true);
      expect(cursors.continued([['SCAN', String(cursor)]])?.commands).toEqual([['SCAN', String(bare)]]);
    }
    expect(codeOf(() => given(cursors, String(TABLE_MAX)))).toBe('CURSOR_LOST');
    expect(codeOf(() => given(cursors, 'x'))).toBe('CURSOR_LOST');
  });

  it('does not go on with a cursor that nobody gave', () => {
    const cursors = new Cursors();
    given(cursors, '17');
    for (const cursor of ['17', '00', '-1', '1.5', 'x', '', ' ', '18446744073709551615', `1${'0'.repeat(400)}`]) {
      expect(
        codeOf(() => cursors.continued([['SCAN', cursor]])),
        cursor,
      ).toBe('CURSOR_LOST');
    }
  });

  it('does not go on with a cursor of a former connection, nor of another client', () => {
    const cursors = new Cursors();
    const former = given(cursors, '17');
    const vault = given(cursors, '17', VAULT);
    given(cursors, '17', { ...PLACE, epoch: 4 });
    expect(codeOf(() => cursors.continued([['SCAN', former]]))).toBe('CURSOR_LOST');
    expect(cursors.continued([['SCAN', vault]])?.place).toEqual(VAULT);
    expect(codeOf(() => new Cursors().continued([['SCAN', vault]]))).toBe('CURSOR_LOST');
    // Each begins with a mark that is drawn: two of five have the same one once in a hundred thousand times.
    const others = Array.from({ length: 5 }, () => given(new Cursors(), '17'));
    expect(new Set(others).size).toBe(5);
  });

  it('does not go on at two places at once', () => {
    const cursors = new Cursors();
    const [operational, vault] = [given(cursors, '17'), given(cursors, '17', VAULT)];
    expect(
      codeOf(() =>
        cursors.continued([
          ['SCAN', operational],
          ['SCAN', vault],
        ]),
      ),
    ).toBe('CURSOR_LOST');
  });

  it('never has the mark of the other side, however often a connection was made anew', () => {
    const cursors = new Cursors();
    const vault = given(cursors, '17', VAULT);
    for (let epoch = 0; epoch < 2 ** 20 + 2; epoch += 1) {
      if (given(cursors, '17', { ...PLACE, epoch }) === vault) expect.unreachable();
    }
    expect(cursors.continued([['SCAN', vault]])?.place).toEqual(VAULT);
  });
});
