import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Secret } from '../protocol/secret.js';
import { ReplyError, type Reply } from './replies.js';
import { encodeCommand, ProtocolViolation, REPLY_BYTES_MAX, ReplyParser } from './resp.js';

/** What a server would send for this reply. */
function serialize(reply: Reply): Buffer {
  if (reply === null) return Buffer.from('$-1\r\n');
  if (reply instanceof ReplyError) return Buffer.from(`-${reply.text}\r\n`);
  if (typeof reply === 'string') return Buffer.from(`+${reply}\r\n`);
  if (typeof reply === 'number' || typeof reply === 'bigint') return Buffer.from(`:${String(reply)}\r\n`);
  if (Buffer.isBuffer(reply)) {
    return Buffer.concat([Buffer.from(`$${String(reply.length)}\r\n`), reply, Buffer.from('\r\n')]);
  }
  const items = reply;
  return Buffer.concat([Buffer.from(`*${String(items.length)}\r\n`), ...items.map(serialize)]);
}

/** Feeds the bytes cut at these places. */
function parse(bytes: Buffer, cuts: readonly number[] = []): readonly Reply[] {
  const replies: Reply[] = [];
  const parser = new ReplyParser((reply) => replies.push(reply));
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).toSorted((a, b) => a - b), bytes.length];
  for (const [index, from] of places.slice(0, -1).entries()) {
    const chunk = bytes.subarray(from, places[index + 1]);
    if (chunk.length > 0) parser.push(chunk);
  }
  return replies;
}

const line = fc.string({ unit: 'grapheme' }).filter((text) => !/[\r\n]/.test(text));
const { reply: anyReply } = fc.letrec<{ reply: Reply }>((tie) => ({
  reply: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    line,
    fc.uint8Array({ maxLength: 300 }).map((bytes): Reply => Buffer.from(bytes)),
    // The library's decoder adds digits up as it goes, which is exact up to here.
    fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
    fc.constant(null),
    line.map((text) => new ReplyError(text)),
    fc.array(tie('reply'), { maxLength: 5 }),
  ),
}));

describe('replies', () => {
  it('are the same whole, in however many pieces they arrive', () => {
    fc.assert(
      fc.property(fc.array(anyReply, { maxLength: 6 }), fc.array(fc.nat(), { maxLength: 12 }), (replies, cuts) => {
        const bytes = Buffer.concat(replies.map(serialize));
        expect(parse(bytes, cuts)).toEqual(replies);
      }),
    );
  });

  it('arrive byte by byte', () => {
    const bytes = serialize(['OK', Buffer.from('a\r\nb'), 7, null, [], new ReplyError('ERR no')]);
    expect(parse(bytes, Array.from(bytes.keys()))).toHaveLength(1);
  });

  it('that are none are refused, or waited for, and nothing else happens', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.array(fc.nat()), (bytes, cuts) => {
        try {
          parse(Buffer.from(bytes), cuts);
        } catch (error) {
          expect(error).toBeInstanceOf(ProtocolViolation);
        }
      }),
    );
  });

  it.each([
    ['another protocol', 'HTTP/1.1 400 Bad Request\r\n'],
    ['a reply of RESP3', '#t\r\n'],
  ])('refuses %s', (_, text) => {
    expect(() => parse(Buffer.from(text))).toThrow(ProtocolViolation);
  });

  it('refuses a reply that never ends, once it is larger than the bound', () => {
    const parser = new ReplyParser(() => undefined);
    parser.push(Buffer.from('$9999999999\r\n'));
    const piece = Buffer.alloc(1024 * 1024, 'x');
    expect(() => {
      for (let bytes = 0; bytes <= REPLY_BYTES_MAX; bytes += piece.length) parser.push(piece);
    }).toThrow(ProtocolViolation);
  });
});

describe('commands', () => {
  it('count bytes, not characters, and reveal a secret only here', () => {
    expect(encodeCommand(['SET', 'é', '', new Secret('s')]).toString()).toBe(
      '*4\r\n$3\r\nSET\r\n$2\r\né\r\n$0\r\n\r\n$1\r\ns\r\n',
    );
  });
});
