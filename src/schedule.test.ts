import { describe, expect, it } from 'vitest';
import { isDue, longestGapMs, scheduleProblem } from './schedule.js';

const HOUR_MS = 3_600_000;
const DAY = 24;

describe('a schedule', () => {
  it.each(['0 3 * * *', '*/15 * * * *', '30 2 * * mon-fri', '0 0 29 2 *', ' 5  4 * * sun ', '0 3 1,15 * *'])(
    'may be %s',
    (text) => {
      expect(scheduleProblem(text)).toBeUndefined();
    },
  );

  it.each([
    ['', 'it has not five fields'],
    ['@daily', 'it has not five fields'],
    ['0 0 3 * * *', 'it has not five fields'],
    ['61 * * * *', 'Invalid value for minute: 61'],
    ['0 0 31 2 *', 'it never comes'],
    ['daily at three in the', 'illegal characters'],
  ])('may not be %j', (text, why) => {
    expect(scheduleProblem(text)).toContain(why);
  });

  it.each([
    ['0 3 * * *', DAY],
    ['0 * * * *', 1],
    ['*/15 * * * *', 0.25],
    ['* * * * *', 1 / 60],
    ['0 9,17 * * *', 16],
    ['0 9-17 * * mon-fri', 64],
    ['0 3 * * sun', 7 * DAY],
    ['0 3 1 * *', 31 * DAY],
    ['0 3 */2 * *', 2 * DAY],
    ['0 0 29 2 *', 1_461 * DAY],
    ['* * 1 1 *', 366 * DAY - 23 - 59 / 60],
    ['0 3 13 * 5', 7 * DAY],
  ])('%s is at most %d hours apart', (text, hours) => {
    expect(longestGapMs(text) / HOUR_MS).toBeCloseTo(hours, 6);
  });
});

describe('what is due', () => {
  const at = (text: string): Date => new Date(`2026-01-${text}`);
  const DAILY = '0 3 * * *';

  it('is whatever was never done', () => {
    expect(isDue(DAILY, undefined, at('08T12:00:00'))).toBe(true);
  });

  it('is what was last done before the latest time of the schedule, in the host’s time zone', () => {
    expect(isDue(DAILY, at('08T02:59:59'), at('08T12:00:00'))).toBe(true);
    expect(isDue(DAILY, at('08T03:00:00'), at('08T12:00:00'))).toBe(false);
    expect(isDue(DAILY, at('08T03:00:05'), at('09T02:59:59'))).toBe(false);
  });

  it('is due in the very second of the schedule', () => {
    expect(isDue(DAILY, at('07T03:00:00'), at('08T03:00:00'))).toBe(true);
    expect(isDue(DAILY, at('07T03:00:00'), at('08T02:59:59.999'))).toBe(false);
  });

  it('is what was done at a time that is yet to come', () => {
    expect(isDue(DAILY, at('09T03:00:00'), at('08T12:00:00'))).toBe(true);
  });
});
