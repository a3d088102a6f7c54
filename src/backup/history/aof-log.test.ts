import { describe, expect, it } from 'vitest';
import { parseAofManifest } from '../../protocol/guard.js';
import { aofLog, usable } from './aof-log.js';

/** As Redis 8.2.3 wrote it: two rewrites, and between them one that was killed. */
const KILLED_REWRITE = `file appendonly.aof.3.base.rdb seq 3 type b
file appendonly.aof.2.incr.aof seq 2 type h startoffset 1
file appendonly.aof.3.incr.aof seq 3 type h startoffset 2
file appendonly.aof.2.base.rdb seq 2 type h
file appendonly.aof.1.incr.aof seq 1 type h startoffset 0
file appendonly.aof.1.base.rdb seq 1 type h
file appendonly.aof.4.incr.aof seq 4 type i startoffset 3
`;

const logOf = (text: string): ReturnType<typeof aofLog> => aofLog(parseAofManifest(text) ?? []);
const base = (seq: number, next: number): object => ({
  file: `appendonly.aof.${String(seq)}.base.rdb`,
  seq,
  next,
  isFirst: seq === 1,
});
const writes = (...seqs: readonly number[]): readonly object[] =>
  seqs.map((seq) => ({ file: `appendonly.aof.${String(seq)}.incr.aof`, seq }));

describe('a manifest with history', () => {
  it('is one log, with its bases between', () => {
    const log = logOf(KILLED_REWRITE);
    expect(log).toEqual({ bases: [base(1, 1), base(2, 2), base(3, 4)], writes: writes(1, 2, 3, 4) });
  });

  it('is the same in whatever order the files of one era stand', () => {
    const lines = KILLED_REWRITE.split('\n');
    [lines[1], lines[2]] = [lines[2] ?? '', lines[1] ?? ''];
    expect(logOf(lines.join('\n'))).toEqual(logOf(KILLED_REWRITE));
  });

  it.each([
    ['a restored base that was never served from', 'file appendonly.aof.1.base.rdb seq 1 type b\n', [base(1, 1)], []],
    [
      'one base and its writes',
      'file appendonly.aof.1.base.rdb seq 1 type b\nfile appendonly.aof.1.incr.aof seq 1 type i\n',
      [base(1, 1)],
      [1],
    ],
    [
      'a rewrite that failed, without history',
      'file appendonly.aof.5.base.rdb seq 5 type b\nfile appendonly.aof.7.incr.aof seq 7 type i\nfile appendonly.aof.8.incr.aof seq 8 type i\n',
      [base(5, 7)],
      [7, 8],
    ],
    ['a log without a base', 'file appendonly.aof.1.incr.aof seq 1 type i\n', [], [1]],
  ])('%s', (_name, text, bases, seqs) => {
    expect(logOf(text)).toEqual({ bases, writes: writes(...seqs) });
  });

  it.each([
    ['files of the log that go back', KILLED_REWRITE.replace('3.incr.aof seq 3', '3.incr.aof seq 9')],
    ['bases that go back', KILLED_REWRITE.replace('1.base.rdb seq 1', '1.base.rdb seq 2')],
    ['history that is neither base nor writes', KILLED_REWRITE.replace('1.base.rdb', '1.other.rdb')],
  ])('is not believed with %s', (_name, text) => {
    expect(logOf(text)).toBeUndefined();
  });
});

describe('what of a log is of use', () => {
  const whole = logOf(KILLED_REWRITE);
  const without = (...gone: readonly string[]): ReturnType<typeof usable> =>
    usable(whole ?? { bases: [], writes: [] }, (file) => !gone.some((part) => file.includes(part)));

  it.each([
    ['all, with all there', [], [base(1, 1), base(2, 2), base(3, 4)], [1, 2, 3, 4]],
    ['what begins with the oldest base that is there', ['.1.base'], [base(2, 2), base(3, 4)], [2, 3, 4]],
    ['all but a base that is gone from between', ['.2.base'], [base(1, 1), base(3, 4)], [1, 2, 3, 4]],
    ['what comes after a gap in the log', ['.2.incr'], [base(3, 4)], [4]],
    ['what comes after the last of two gaps', ['.1.incr', '.3.incr'], [base(3, 4)], [4]],
    ['the log, although the present base is gone', ['.3.base'], [base(1, 1), base(2, 2)], [1, 2, 3, 4]],
    ['nothing without a base', ['.base.'], [], []],
    ['nothing, when the newest writes are gone', ['.4.incr'], [], []],
  ])('is %s', (_name, gone, bases, seqs) => {
    expect(without(...gone)).toEqual({ bases, writes: writes(...seqs) });
  });
});
