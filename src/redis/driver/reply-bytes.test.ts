import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ReplyUnreadable } from '../../resp-cursor.js';
import { ReplyBytes, ReplyTooLarge } from './reply-bytes.js';

const NO_BOUND = 1_000_000;

function bulk(text: string): string {
  return `$${String(Buffer.byteLength(text))}\r\n${text}\r\n`;
}

it('gives each reply as it came, in whatever pieces', () => {
  const reply = fc.oneof(
    fc.string({ maxLength: 50 }).map(bulk),
    fc.constantFrom(':1\r\n', '+OK\r\n', '-ERR x\r\n', '$-1\r\n'),
    fc.array(fc.string({ maxLength: 9 }).map(bulk)).map((items) => `*${String(items.length)}\r\n${items.join('')}`),
  );
  fc.assert(
    fc.property(fc.array(reply, { maxLength: 6 }), fc.array(fc.integer({ min: 1, max: 40 })), (replies, sizes) => {
      const bytes = Buffer.from(replies.join(''));
      const reader = new ReplyBytes(NO_BOUND);
      const found: Buffer[] = [];
      let at = 0;
      for (const size of [...sizes, bytes.length]) {
        found.push(...reader.push(bytes.subarray(at, at + size)));
        at += size;
      }
      expect(found.map(String)).toEqual(replies.map((one) => String(Buffer.from(one))));
    }),
  );
});

it('looks at each byte of a long reply once', () => {
  const reply = Buffer.from(`*20000\r\n${bulk('some text').repeat(20_000)}`);
  const reader = new ReplyBytes(NO_BOUND);
  const found: Buffer[] = [];
  for (let at = 0; at < reply.length; at += 100) found.push(...reader.push(reply.subarray(at, at + 100)));
  expect(found).toHaveLength(1);
  expect(found[0]?.equals(reply)).toBe(true);
});

it('holds no more than it may', () => {
  const reader = new ReplyBytes(100);
  reader.push(Buffer.from(`*3\r\n${bulk('x'.repeat(40))}`));
  expect(() => reader.push(Buffer.from(bulk('x'.repeat(60))))).toThrow(ReplyTooLarge);
  expect(() => new ReplyBytes(100).push(Buffer.from(bulk('x'.repeat(200))))).toThrow(ReplyTooLarge);
});

it('refuses what is no reply', () => {
  expect(() => new ReplyBytes(100).push(Buffer.from('HTTP/1.1 400\r\n'))).toThrow(ReplyUnreadable);
});
