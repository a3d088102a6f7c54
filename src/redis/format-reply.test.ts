import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatReply } from './format-reply.js';
import { ReplyError, type Reply } from './replies.js';

const bulk = (text: string): Buffer => Buffer.from(text);

describe('a reply for a person', () => {
  it.each<[string, Reply, string]>([
    ['a status', 'OK', 'OK'],
    ['nothing', null, '(nil)'],
    ['an integer', -3, '(integer) -3'],
    ['a large integer', 9223372036854775807n, '(integer) 9223372036854775807'],
    ['an error', new ReplyError('ERR no'), '(error) ERR no'],
    ['a string', bulk('a "b" \\ c'), String.raw`"a \"b\" \\ c"`],
    ['unicode', bulk('Zoë 𝄞'), '"Zoë 𝄞"'],
    ['control characters', bulk('a\n\t\u001b[31m\0'), String.raw`"a\n\t\x1b[31m\x00"`],
    ['a reversed line', bulk('a\u202eb'), String.raw`"a\xe2\x80\xaeb"`],
    ['bytes', Buffer.from([0xff, 0x41, 0x0a, 0x22]), String.raw`"\xffA\n\""`],
    ['an empty list', [], '(empty array)'],
    ['a list', [bulk('a'), 1, null], '1) "a"\n2) (integer) 1\n3) (nil)'],
    [
      'lists in lists',
      [bulk('a'), [1, [2, 3]], []],
      '1) "a"\n2) 1) (integer) 1\n   2) 1) (integer) 2\n      2) (integer) 3\n3) (empty array)',
    ],
  ])('%s', (_, reply, expected) => {
    expect(formatReply(reply)).toBe(expected);
  });

  it('aligns numbers', () => {
    const lines = formatReply(Array.from({ length: 10 }, (_, index) => index)).split('\n');
    expect(lines[0]).toBe(' 1) (integer) 0');
    expect(lines[9]).toBe('10) (integer) 9');
  });

  it('never sends the terminal anything but printable characters', () => {
    const strings = fc.uint8Array().map((bytes) => Buffer.from(bytes));
    fc.assert(
      fc.property(
        fc.oneof(
          strings,
          fc.string({ unit: 'binary' }),
          fc.string().map((text) => new ReplyError(text)),
        ),
        (reply) => {
          expect(formatReply(reply)).not.toMatch(/[\p{Cc}\p{Bidi_Control}]/u);
        },
      ),
    );
  });
});
