/**
 * Cron text of five fields: minute, hour, day of the month, month, day of the week. Both the configuration, which must
 * refuse a wrong one, and the backups, which follow it, need it: so it stands here. Pure.
 */
import { Cron } from 'croner';

/** Of a schedule whose every week is alike. */
const DAYS_OF_A_WEEK = 8;
/** Of any other one: a leap year and the month after it. */
const DAYS_OF_A_YEAR = 397;
const DAY_MS = 86_400_000;
/** More runs than this in one day there are not: one a minute. */
const RUNS_A_DAY_MAX = 1_440;
/** A Monday on which a leap year begins. */
const FIRST_DAY = Date.parse('2024-01-01T00:00:00Z');
const REASON_CHARS_MAX = 100;

/** Why it is not a schedule; undefined: it is one. */
export function scheduleProblem(text: string): string | undefined {
  if (text.trim().split(/\s+/).length !== 5) return 'it has not five fields';
  try {
    return inUtc(text).nextRun(new Date(FIRST_DAY)) === null ? 'it never comes' : undefined;
  } catch (error) {
    if (!(error instanceof TypeError || error instanceof RangeError)) throw error;
    return error.message.replace(/^CronPattern: /, '').slice(0, REASON_CHARS_MAX);
  }
}

/**
 * The longest time between two runs, in milliseconds, as if there were no summer time: so it does not depend on the day
 * or the place. Within a day the times are those of every other day on which it runs.
 * @param schedule for which scheduleProblem finds nothing
 */
export function longestGapMs(schedule: string): number {
  const cron = inUtc(schedule);
  const [, , dayOfMonth, month] = schedule.trim().split(/\s+/);
  const end = FIRST_DAY + DAY_MS * (dayOfMonth === '*' && month === '*' ? DAYS_OF_A_WEEK : DAYS_OF_A_YEAR);
  const first = next(cron, FIRST_DAY - 1);
  const runs = [first];
  for (let run = next(cron, first); dayOf(run) === dayOf(first) && runs.length < RUNS_A_DAY_MAX; run = next(cron, run))
    runs.push(run);
  const gaps = runs.slice(1).map((run, index) => run - (runs[index] ?? run));
  const lastInDay = (runs.at(-1) ?? first) - dayOf(first);
  for (let day = dayOf(first); day <= end;) {
    const following = next(cron, day + DAY_MS - 1);
    gaps.push(following - (day + lastInDay));
    day = dayOf(following);
  }
  return Math.max(...gaps);
}

/**
 * Whether a run was due since then, in this host's time zone. A time that is yet to come says nothing: the clock was wrong
 * then, or is now.
 * @param since when it was last done; undefined: never
 */
export function isDue(schedule: string, since: Date | undefined, now: Date): boolean {
  if (since === undefined || since > now) return true;
  // The library looks before the second that it is given.
  const runs = new Cron(schedule, { mode: '5-part' }).previousRuns(2, new Date(now.getTime() + 1_000));
  const latest = runs.find((run) => run <= now);
  return latest !== undefined && since < latest;
}

function inUtc(schedule: string): Cron {
  return new Cron(schedule.trim(), { mode: '5-part', timezone: 'UTC' });
}

function next(cron: Cron, after: number): number {
  const run = cron.nextRun(new Date(after));
  if (run === null) throw new Error('a schedule that was admitted never comes');
  return run.getTime();
}

function dayOf(ms: number): number {
  return ms - (ms % DAY_MS);
}
