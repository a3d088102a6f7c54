import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isError, ReplyEnd, ReplyUnreadable, RespCursor } from './resp-cursor.js';

/** Text is sent as a bulk string. */
type Value = string | number | null | readonly Value[];

function serialize(value: Value): Buffer {
  if (value === null) return Buffer.from('$-1\r\n');
  if (typeof value === 'number') return Buffer.from(`:${String(value)}\r\n`);
  if (typeof value === 'string') return Buffer.from(`$${String(Buffer.byteLength(value))}\r\n${value}\r\n`);
  return Buffer.concat([Buffer.from(`*${String(value.length)}\r\n`), ...value.map(serialize)]);
}

/** Read back by the cursor; as JSON, nothing is an empty text and a number is its digits. */
function read(cursor: RespCursor, value: Value): unknown {
  if (Array.isArray(value)) {
    const items = value as readonly Value[];
    expect(cursor.list()).toBe(items.length);
    return items.map((item) => read(cursor, item));
  }
  return JSON.parse(cursor.json());
}

function plain(value: Value): unknown {
  if (Array.isArray(value)) return (value as readonly Value[]).map(plain);
  return value === null ? '' : String(value);
}

const { value: anyValue } = fc.letrec<{ value: Value }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.string({ unit: 'grapheme' }),
    fc.string({ unit: 'binary' }).map((text) => Buffer.from(text).toString('utf8')),
    fc.constantFrom('"', '\\', '\r\n', '\u0000', '\u007f', '\u2028', 'ä', '🙂', '*1\r\n', '$-1\r\n'),
    fc.integer({ min: -(2 ** 50), max: 2 ** 50 }),
    fc.constant(null),
    fc.array(tie('value'), { maxLength: 5 }),
  ),
}));

describe('a reply read in place', () => {
  it('is what was sent, and is passed over as a whole', () => {
    fc.assert(
      fc.property(anyValue, fc.string(), (value, next) => {
        const bytes = Buffer.concat([serialize(value), serialize(next)]);
        const cursor = new RespCursor(bytes);
        const passed = cursor.copy();
        expect(read(cursor, value)).toEqual(plain(value));
        expect(cursor.text()).toBe(Buffer.from(next).toString('utf8'));
        passed.skip();
        expect(passed.text()).toBe(Buffer.from(next).toString('utf8'));
      }),
    );
  });

  it('is found whole in whatever pieces it comes, and not before', () => {
    fc.assert(
      fc.property(anyValue, fc.nat(), (value, at) => {
        const bytes = serialize(value);
        const cut = at % bytes.length;
        const end = new ReplyEnd();
        expect(end.find(bytes.subarray(0, cut))).toBeUndefined();
        expect(end.find(Buffer.concat([bytes, Buffer.from('+more')]))).toBe(bytes.length);
      }),
    );
  });

  it('is passed over however deep it is', () => {
    const levels = 200_000;
    const bytes = Buffer.from('*1\r\n'.repeat(levels) + ':1\r\n' + ':2\r\n');
    expect(new ReplyEnd().find(bytes)).toBe(bytes.length - 4);
    const cursor = new RespCursor(bytes);
    cursor.skip();
    expect(cursor.number()).toBe(2);
  });

  it('says how many bytes a text has, which stays', () => {
    const cursor = new RespCursor(serialize(['ä', 1, null]));
    cursor.list();
    expect([cursor.textBytes, cursor.text()]).toEqual([2, 'ä']);
    expect([cursor.textBytes, cursor.number()]).toEqual([0, 1]);
    expect([cursor.textBytes, cursor.text()]).toEqual([0, '']);
  });

  it('is refused where it is none', () => {
    for (const text of ['', 'x', '$5\r\nabc\r\n', ':12', '*1\r\n', '$x\r\n', '%1\r\n']) {
      expect(() => new RespCursor(Buffer.from(text)).skip(), text).toThrow(ReplyUnreadable);
    }
    for (const text of ['x\r\n', '$1x\r\n', '%1\r\n', '*1-\r\n']) {
      expect(() => new ReplyEnd().find(Buffer.from(text)), text).toThrow(ReplyUnreadable);
    }
    expect(() => new RespCursor(serialize('text')).list()).toThrow(ReplyUnreadable);
    expect(new RespCursor(Buffer.from('*-1\r\n')).list()).toBe(0);
    expect([isError(Buffer.from('-ERR no\r\n')), isError(Buffer.from('+OK\r\n'))]).toEqual([true, false]);
  });
});
