/**
 * Which backups are kept, and why: the newest so many, and the newest of each of so many hours, days, weeks and months.
 * Pure. Spans are those of UTC, as the ids are: what is kept is the same on every host and in every season. A week begins
 * on Monday.
 *
 * What must hold: the newest is kept; the newest verified one is kept; a larger number never keeps less; what was kept is
 * kept again. A backup that cannot be read or believed, or whose verification failed, takes no other one's place, and it goes only when a sound one in
 * its place would, and a newer one is verified: the key that opens it may be found again.
 */
import type { Retention } from '../config/configuration.js';
import type { ListedBackup, RetentionPlan, RetentionReason } from './backups.js';
import { isInFuture, madeAt, newestFirst } from './order.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** 1970 began on a Thursday. */
const DAYS_SINCE_MONDAY = 3;

/** In which span a time lies; the higher, the later. */
const SPANS = {
  hourly: (at) => Math.floor(at.getTime() / HOUR_MS),
  daily: (at) => Math.floor(at.getTime() / DAY_MS),
  weekly: (at) => Math.floor((at.getTime() / DAY_MS + DAYS_SINCE_MONDAY) / 7),
  monthly: (at) => at.getUTCFullYear() * 12 + at.getUTCMonth(),
} as const satisfies Record<string, (at: Date) => number>;
type Span = keyof typeof SPANS;

/**
 * @param backups of one environment or of several, each of which is looked at by itself
 * @param now what is dated later is kept and takes no other one's place: a clock was wrong
 */
export function planRetention(keep: Retention, backups: readonly ListedBackup[], now: Date): RetentionPlan {
  const plans = [...new Set(backups.map(({ env }) => env))].map((env) =>
    planOne(
      backups.filter((backup) => backup.env === env),
      keep,
      now,
    ),
  );
  return { keep: plans.flatMap((plan) => plan.keep), remove: plans.flatMap((plan) => plan.remove) };
}

function planOne(backups: readonly ListedBackup[], keep: Retention, now: Date): RetentionPlan {
  const sorted = backups.toSorted(newestFirst);
  const present = sorted.filter((backup) => !isInFuture(backup, now));
  const sound = present.filter(({ problem }) => problem === undefined);
  const reasons = reasonsFor(sound, keep);
  const reasonsOfDamaged = reasonsFor(present, keep);
  const verified = present.find(({ manifest }) => (manifest?.verification ?? null) !== null);

  const reasonsOf = (backup: ListedBackup): readonly RetentionReason[] => {
    if (isInFuture(backup, now)) return ['last'];
    const own = (backup.problem === undefined ? reasons : reasonsOfDamaged).get(backup.id) ?? [];
    return backup === verified ? [...own, 'last-verified'] : own;
  };
  const staysAllTheSame = (backup: ListedBackup): boolean =>
    backup.problem !== undefined && (verified === undefined || newestFirst(backup, verified) < 0);
  const judged = sorted.map((backup) => ({ backup, reasons: reasonsOf(backup) }));
  const isKept = ({ backup, reasons: own }: (typeof judged)[number]): boolean =>
    own.length > 0 || staysAllTheSame(backup);
  return {
    keep: judged.filter(isKept),
    remove: judged.filter((one) => !isKept(one)).map(({ backup }) => backup),
  };
}

/** @param sorted all of one environment, newest first */
function reasonsFor(sorted: readonly ListedBackup[], keep: Retention): ReadonlyMap<string, readonly RetentionReason[]> {
  const reasons = new Map<string, RetentionReason[]>();
  const note = ({ id }: ListedBackup, reason: RetentionReason): void => {
    reasons.set(id, [...(reasons.get(id) ?? []), reason]);
  };
  for (const backup of sorted.slice(0, Math.max(1, keep.last))) note(backup, 'last');
  for (const span of Object.keys(SPANS) as Span[]) {
    const newestOfEach = new Map<number, ListedBackup>();
    for (const backup of sorted) {
      const at = SPANS[span](madeAt(backup.id));
      if (!newestOfEach.has(at)) newestOfEach.set(at, backup);
    }
    for (const backup of [...newestOfEach.values()].slice(0, keep[span])) note(backup, span);
  }
  return reasons;
}
