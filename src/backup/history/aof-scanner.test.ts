import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AofScan, AofScanner } from './aof-scanner.js';

const encode = (...words: readonly (string | Buffer)[]): Buffer =>
  Buffer.concat([
    Buffer.from(`*${String(words.length)}\r\n`),
    ...words.flatMap((word) => [
      Buffer.from(`$${String(Buffer.byteLength(word))}\r\n`),
      Buffer.from(word),
      Buffer.from('\r\n'),
    ]),
  ]);
const ts = (second: number): Buffer => Buffer.from(`#TS:${String(second)}\r\n`);
const scan = (bytes: Buffer, until?: number, pieces: readonly number[] = []): AofScan => {
  const scanner = new AofScanner(until);
  let at = 0;
  for (const piece of [...pieces, bytes.length]) {
    scanner.push(bytes.subarray(at, at + piece));
    at += piece;
  }
  return scanner.result();
};

/** One thing that a file may hold, and what it means. */
type Item =
  | { readonly kind: 'time'; readonly second: number }
  | { readonly kind: 'note'; readonly text: string }
  | { readonly kind: 'command'; readonly words: readonly Uint8Array[] }
  | { readonly kind: 'transaction'; readonly inside: readonly (number | readonly Uint8Array[])[] };

const second = fc.integer({ min: 0, max: 12 });
/** Also such as look like what stands between commands. */
const word = fc.oneof(
  fc.uint8Array({ maxLength: 40 }),
  fc
    .constantFrom('MULTI', 'EXEC', '#TS:99\r\n', '*1\r\n$4\r\nEXEC\r\n', '\r\n#TS:1\r\n', '')
    .map((text) => Buffer.from(text)),
);
const words = fc
  .array(word, { minLength: 1, maxLength: 4 })
  .filter((all) => all.length > 1 || !/^(multi|exec)$/i.test(Buffer.from(all[0] ?? []).toString('latin1')));
const item: fc.Arbitrary<Item> = fc.oneof(
  { weight: 2, arbitrary: second.map((at) => ({ kind: 'time' as const, second: at })) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('', 'TX', ' a note', 'ts:5').map((text) => ({ kind: 'note' as const, text })),
  },
  { weight: 4, arbitrary: words.map((all) => ({ kind: 'command' as const, words: all })) },
  {
    weight: 2,
    arbitrary: fc
      .array(fc.oneof({ weight: 1, arbitrary: second }, { weight: 3, arbitrary: words }), { maxLength: 4 })
      .map((inside) => ({ kind: 'transaction' as const, inside })),
  },
);

function bytesOf(one: Item): Buffer {
  const plain = (all: readonly Uint8Array[]): Buffer => encode(...all.map((each) => Buffer.from(each)));
  switch (one.kind) {
    case 'time':
      return ts(one.second);
    case 'note':
      return Buffer.from(`#${one.text}\r\n`);
    case 'command':
      return plain(one.words);
    case 'transaction': {
      const inside = one.inside.map((each) => (typeof each === 'number' ? ts(each) : plain(each)));
      return Buffer.concat([encode('multi'), ...inside, encode('Exec')]);
    }
  }
}

/** The rule, in the plainest way: from what was written, not from its bytes. */
function expected(items: readonly Item[], until: number): { readonly end: number; readonly cut: boolean } {
  let [at, end] = [0, 0];
  for (const one of items) {
    if (one.kind === 'time' && one.second > until) return { end, cut: true };
    at += bytesOf(one).length;
    if (one.kind !== 'command' && one.kind !== 'transaction') continue;
    end = at;
    const late = one.kind === 'transaction' && one.inside.some((each) => typeof each === 'number' && each > until);
    if (late) return { end, cut: true };
  }
  return { end, cut: false };
}

describe('where an append-only file is cut for a second', () => {
  it('is where the plainest reading of the rule cuts, whatever the commands and however the bytes come', () => {
    fc.assert(
      fc.property(
        fc.array(item, { maxLength: 14 }),
        fc.integer({ min: -1, max: 13 }),
        fc.array(fc.integer({ min: 0, max: 50 }), { maxLength: 30 }),
        (items, until, pieces) => {
          const bytes = Buffer.concat(items.map(bytesOf));
          const found = scan(bytes, until, pieces);
          expect({ end: found.end, cut: found.cut, damage: found.damage }).toEqual({
            ...expected(items, until),
            damage: undefined,
          });
          expect(scan(bytes, until)).toEqual(found);
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it('never lies within a command, however much of the file is there', () => {
    fc.assert(
      fc.property(fc.array(item, { maxLength: 8 }), fc.nat(), (items, some) => {
        const ends = new Set([0]);
        let at = 0;
        for (const one of items) {
          at += bytesOf(one).length;
          if (one.kind === 'command' || one.kind === 'transaction') ends.add(at);
        }
        const there = Buffer.concat(items.map(bytesOf)).subarray(0, some % (at + 1));
        const { end, damage } = scan(there);
        expect(damage).toBeUndefined();
        expect(end).toBe(Math.max(...[...ends].filter((each) => each <= there.length)));
      }),
      { numRuns: 1_000 },
    );
  });

  it.each([
    [
      'before the first command that is dated later',
      [ts(5), encode('SET', 'a', '1'), ts(6), encode('SET', 'a', '2')],
      5,
      1,
    ],
    ['at the beginning, where all is later', [ts(6), encode('SET', 'a', '2')], 5, 0],
    ['nowhere, where nothing is later', [ts(5), encode('SET', 'a', '1')], 5, 1],
    [
      'nowhere before the first time: that belongs to what came before',
      [encode('SET', 'a', '1'), encode('SET', 'a', '2')],
      5,
      2,
    ],
    [
      'after a transaction that began in time',
      [ts(5), encode('MULTI'), ts(6), encode('INCR', 'a'), encode('EXEC'), encode('DEL', 'a')],
      5,
      3,
    ],
    [
      'before what is later, also where the clock was set back after it',
      [ts(5), encode('PING'), ts(9), encode('PING'), ts(5), encode('PING')],
      5,
      1,
    ],
  ] as const)('is %s', (_name, parts, until, commands) => {
    expect(scan(Buffer.concat(parts), until).commands).toBe(commands);
  });
});

describe('a scan', () => {
  it('says the first and last second, and how many commands there are', () => {
    const bytes = Buffer.concat([
      encode('PING'),
      ts(7),
      encode('PING'),
      ts(9),
      encode('MULTI'),
      encode('PING'),
      encode('EXEC'),
      ts(11),
    ]);
    expect(scan(bytes)).toEqual({
      end: bytes.length - ts(11).length,
      cut: false,
      first: 7,
      last: 9,
      commands: 5,
      damage: undefined,
    });
  });

  it('keeps no argument: one of 600 MB passes in pieces', () => {
    const scanner = new AofScanner();
    const piece = Buffer.alloc(1024 * 1024, 'x');
    scanner.push(Buffer.from(`*2\r\n$3\r\nSET\r\n$${String(600 * piece.length)}\r\n`));
    const before = process.memoryUsage().arrayBuffers;
    for (let pieces = 0; pieces < 600; pieces += 1) scanner.push(piece);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8 * piece.length);
    expect(scanner.result().commands).toBe(0);
    scanner.push(Buffer.from('\r\n'));
    expect(scanner.result().commands).toBe(1);
  });

  const good = Buffer.concat([ts(5), encode('SET', 'a', '1')]);
  it.each([
    ['NUL bytes, as a power cut leaves them', Buffer.alloc(4096), /NUL/],
    ['an RDB', Buffer.from('REDIS0012'), /neither/],
    ['text', Buffer.from('SET a 1\r\n'), /neither/],
    ['a time that is none', Buffer.from('#TS:12x\r\n'), /time/],
    ['a time without a number', Buffer.from('#TS:\r\n'), /time/],
    ['a count that is none', Buffer.from('*x\r\n'), /number/],
    ['no count', Buffer.from('*\r\n'), /number/],
    ['a negative count', Buffer.from('*-1\r\n'), /number/],
    ['a count of nothing', Buffer.from('*0\r\n'), /no words/],
    ['a length that has no end', Buffer.from(`*1\r\n$${'1'.repeat(40)}`), /number/],
    ['an argument that is longer than it says', Buffer.from('*1\r\n$4\r\nPINGPING\r\n'), /go on/],
    ['an argument without its mark', Buffer.from('*1\r\n+OK\r\n'), /go on/],
    ['a line end of one byte', Buffer.from('*1\n$4\nPING\n'), /number/],
    ['an annotation that does not end', Buffer.from(`#${'x'.repeat(5_000)}`), /annotation/],
  ])('stops at %s, after the last whole command', (_name, bad, what) => {
    for (const pieces of [[], Array.from({ length: good.length + bad.length }, () => 1)]) {
      const found = scan(Buffer.concat([good, bad]), undefined, pieces);
      expect(found).toMatchObject({ end: good.length, cut: false, last: 5, damage: { offset: good.length } });
      expect(found.damage?.what).toMatch(what);
    }
  });

  it('looks at nothing that comes after its end', () => {
    const scanner = new AofScanner(4);
    scanner.push(Buffer.concat([good, Buffer.alloc(10)]));
    expect(scanner.done).toBe(true);
    expect(scanner.result()).toMatchObject({ end: 0, cut: true, damage: undefined });
  });
});
