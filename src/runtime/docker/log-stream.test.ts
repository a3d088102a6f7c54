import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LogStream } from './log-stream.js';

function frame(content: string, type = 1): Buffer {
  const body = Buffer.from(content);
  const header = Buffer.alloc(8);
  header[0] = type;
  header.writeUInt32BE(body.length, 4);
  return Buffer.concat([header, body]);
}

function linesOf(chunks: readonly Buffer[], framed = true): readonly string[] {
  const lines: string[] = [];
  const stream = new LogStream((line) => lines.push(line), framed);
  for (const chunk of chunks) stream.push(chunk);
  stream.end();
  return lines;
}

describe('a log stream', () => {
  it('is the same lines however it is cut into chunks', () => {
    const text = fc.array(fc.stringMatching(/^[ -~äöü]{0,20}$/), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(text, fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }), (lines, cuts) => {
        const bytes = Buffer.concat(lines.map((line, index) => frame(`${line}\n`, 1 + (index % 2))));
        const chunks: Buffer[] = [];
        for (let at = 0, cut = 0; at < bytes.length; cut += 1) {
          const length = cuts[cut % cuts.length] ?? 1;
          chunks.push(bytes.subarray(at, at + length));
          at += length;
        }
        expect(linesOf(chunks)).toEqual(lines);
      }),
    );
  });

  it('joins a line that came in several frames, and gives the last one without an end', () => {
    expect(linesOf([frame('one, '), frame('two\nthr'), frame('ee')])).toEqual(['one, two', 'three']);
  });

  it('has no frames where the container has a terminal', () => {
    expect(linesOf([Buffer.from('a\r\nb\r\n')], false)).toEqual(['a', 'b']);
  });

  it('cuts a line that has no end in sight', () => {
    const [line, next] = linesOf([frame('x'.repeat(200_000)), frame('\nnext\n')]);
    expect(line).toHaveLength(64 * 1024);
    expect(next).toBe('next');
  });

  it('shows no password', () => {
    expect(linesOf([frame('masterauth hunter2\n')])).toEqual(['masterauth [secret]']);
  });

  it('says when it is not what it should be', () => {
    expect(() => linesOf([Buffer.from('HTTP/1.1')])).toThrow('unknown kind');
  });
});
