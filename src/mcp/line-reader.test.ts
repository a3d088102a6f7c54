import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LineReader } from './line-reader.js';

function read(chunks: readonly (Buffer | string)[], bytesMax = 1_000) {
  const [lines, tooLong]: [string[], number[]] = [[], []];
  const reader = new LineReader({ bytesMax, onTooLong: (bytes) => tooLong.push(bytes) });
  for (const chunk of chunks) {
    reader.add(Buffer.from(chunk));
    for (let line = reader.next(); line !== undefined; line = reader.next()) lines.push(line);
    expect(reader.unread).toBe(false);
  }
  return { lines, tooLong };
}

describe('lines out of chunks', () => {
  it('are the same however they are cut', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'é', '😀', '\r', '\n', '{') });
    fc.assert(
      fc.property(text, fc.array(fc.nat(8)), (all, cuts) => {
        const bytes = Buffer.from(all);
        const chunks: Buffer[] = [];
        let from = 0;
        for (const size of cuts) {
          chunks.push(bytes.subarray(from, from + size));
          from += size;
        }
        const expected = all.split('\n').slice(0, -1);
        const { lines, tooLong } = read([...chunks, bytes.subarray(from)]);
        expect(lines).toEqual(expected.map((line) => line.replace(/\r$/, '')));
        expect(tooLong).toEqual([]);
      }),
    );
  });

  it('end with LF or CRLF, and without an end there is none', () => {
    expect(read(['a\r\nb\r', '\n\r\n\n', 'c\rd\n', 'rest']).lines).toEqual(['a', 'b', '', '', 'c\rd']);
  });

  it('are no characters that were cut in two', () => {
    const [whole, cut] = [Buffer.from('ä😀\n'), 4];
    expect(read([whole.subarray(0, cut), whole.subarray(cut)]).lines).toEqual(['ä😀']);
  });

  it('that are too long are counted and passed over, wherever they are cut', () => {
    const long = 'x'.repeat(20);
    expect(read([`a\n${long}\nb\n`], 10)).toEqual({ lines: ['a', 'b'], tooLong: [21] });
    expect(read(['a\nxxxxxxxx', 'xxxx', 'xxxxxxxx\nb', '\n'], 10)).toEqual({ lines: ['a', 'b'], tooLong: [21] });
    // Just as long as one may be, and one longer.
    expect(read(['123456789\n', '12345', '6789\n'], 10)).toEqual({ lines: ['123456789', '123456789'], tooLong: [] });
    expect(read(['1234567890\n', '12345', '67890\n'], 10)).toEqual({ lines: [], tooLong: [11, 11] });
  });

  it('may be long, and come in many pieces', () => {
    const long = Array.from({ length: 50_000 }, (_, i) => String(i)).join();
    const pieces = long.match(/.{1,1000}/g) ?? [];
    expect(read([...pieces, '\nshort', '\n'], 1_000_000).lines).toEqual([long, 'short']);
  });

  it('that come byte by byte are not copied for each byte: that would take minutes', () => {
    const reader = new LineReader({ bytesMax: 4 * 1024 * 1024, onTooLong: () => undefined });
    const byte = Buffer.from('x');
    for (let sent = 0; sent < 1_000_000; sent += 1) {
      reader.add(byte);
      reader.next();
    }
    reader.add(Buffer.from('\n'));
    expect(reader.next()).toHaveLength(1_000_000);
  });
});
