import { describe, expect, it } from 'vitest';
import { rdbTime } from './rdb-time.js';

/** As Redis 8.2.3 wrote it. */
const HEAD = Buffer.from(
  '524544495330303132fa0972656469732d76657205382e322e33fa0a72656469732d62697473c040fa056374696d65c24d10076bfa08757365642d6d656dc208412800',
  'hex',
);
const withTime = (time: Buffer): Buffer => Buffer.concat([HEAD.subarray(0, HEAD.indexOf('ctime') + 5), time]);

describe('the time of a snapshot', () => {
  it.each([
    ['as a number of four bytes', HEAD, 1_795_625_037],
    ['as text', withTime(Buffer.from('\u000a4102444800')), 4_102_444_800],
    ['as text whose length has two bytes', withTime(Buffer.from('\x40\x0a4102444800', 'latin1')), 4_102_444_800],
    ['as text whose length has five bytes', withTime(Buffer.from('\x80\0\0\0\x0a4102444800', 'latin1')), 4_102_444_800],
    ['as text that is none', withTime(Buffer.from('\u0003now')), undefined],
    ['in a length that is none', withTime(Buffer.from([0xc3, 1, 2])), undefined],
    ['cut short', HEAD.subarray(0, HEAD.indexOf('ctime') + 8), undefined],
    ['cut within a name', HEAD.subarray(0, HEAD.indexOf('ctime') + 2), undefined],
    ['of no snapshot', Buffer.from('*1\r\n'), undefined],
    ['of nothing', Buffer.alloc(0), undefined],
    ['of one that does not say', Buffer.from('REDIS0012\xff', 'latin1'), undefined],
  ])('%s', (_name, head, time) => {
    expect(rdbTime(head)).toBe(time);
  });
});
