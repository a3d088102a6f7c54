import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { listed } from '../../test/support/listed-backups.js';
import type { Retention } from '../config/configuration.js';
import type { ListedBackup, RetentionPlan } from './backups.js';
import { newestFirst } from './order.js';
import { planRetention } from './retention.js';

const NONE: Retention = { last: 1, hourly: 0, daily: 0, weekly: 0, monthly: 0 };
const NOW = new Date('2026-01-31T12:00:00Z');

function plan(backups: readonly ListedBackup[], keep: Partial<Retention>): RetentionPlan {
  return planRetention({ ...NONE, ...keep }, backups, NOW);
}

/** `08T12 daily,last` for each that is kept, newest first. */
function kept(backups: readonly ListedBackup[], keep: Partial<Retention>): readonly string[] {
  return plan(backups, keep).keep.map(({ backup, reasons }) => `${backup.id.slice(4, 11)} ${reasons.join()}`);
}

function idsOf(backups: readonly ListedBackup[]): readonly string[] {
  return backups.map(({ env, id }) => `${env}/${id}`);
}

const at = (text: string, damaged = false): ListedBackup => listed(`2026-${text}:00Z`, { damaged });

describe('which backups are kept, and why', () => {
  it('keeps the newest so many', () => {
    const backups = [at('01-05T10:00'), at('01-07T10:00'), at('01-06T10:00')];
    expect(kept(backups, { last: 2 })).toEqual(['0107T10 last', '0106T10 last']);
    expect(idsOf(plan(backups, { last: 2 }).remove)).toEqual(['track/20260105T100000Z-1a2b']);
  });

  it('keeps the newest of each of the last hours, days, weeks and months that have one', () => {
    const backups = [
      ...[at('01-08T12:30'), at('01-08T12:10'), at('01-08T11:00'), at('01-07T23:59'), at('01-07T00:00')],
      ...[at('01-04T23:00'), at('01-04T22:00'), listed('2025-12-31T05:00:00Z'), listed('2025-11-02T05:00:00Z')],
    ];
    expect(kept(backups, { hourly: 2 })).toEqual(['0108T12 last,hourly', '0108T11 hourly']);
    expect(kept(backups, { daily: 3 })).toEqual(['0108T12 last,daily', '0107T23 daily', '0104T23 daily']);
    // 4 January 2026 was a Sunday: another week than that of the 5th.
    expect(kept(backups, { weekly: 2 })).toEqual(['0108T12 last,weekly', '0104T23 weekly']);
    expect(kept(backups, { monthly: 9 })).toEqual(['0108T12 last,monthly', '1231T05 monthly', '1102T05 monthly']);
  });

  it('keeps one for several reasons once, and tells them all', () => {
    expect(kept([at('01-08T12:30')], { hourly: 1, daily: 1, weekly: 1, monthly: 1 })).toEqual([
      '0108T12 last,hourly,daily,weekly,monthly',
    ]);
  });

  it('keeps the newest verified one, however old', () => {
    const verifiedAt = '2026-01-01T00:00:00Z';
    const old = listed('2025-06-01T00:00:00Z', { verifiedAt });
    const older = listed('2025-05-01T00:00:00Z', { verifiedAt });
    expect(kept([at('01-08T12:30'), old, older], {})).toEqual(['0108T12 last', '0601T00 last-verified']);
  });

  it('looks at each environment by itself', () => {
    const backups = [at('01-08T12:30'), listed('2026-01-01T00:00:00Z', { env: 'kb' })];
    expect(plan(backups, {}).remove).toEqual([]);
  });

  it('keeps what is dated in the future, and takes it for nobody else’s', () => {
    expect(kept([at('02-08T12:30'), at('01-08T12:30'), at('01-07T12:30')], {})).toEqual([
      '0208T12 last',
      '0108T12 last',
    ]);
  });

  it('keeps the last verified one of the past, whatever is dated in the future', () => {
    const verifiedAt = '2026-01-01T00:00:00Z';
    const future = listed('2027-02-08T12:30:00Z', { verifiedAt });
    const old = listed('2025-06-01T00:00:00Z', { verifiedAt });
    expect(kept([future, at('01-08T12:30'), old], {})).toEqual([
      '0208T12 last',
      '0108T12 last',
      '0601T00 last-verified',
    ]);
  });

  describe('of those that cannot be read or believed', () => {
    const verified = listed('2026-01-08T12:00:00Z', { verifiedAt: '2026-01-08T12:01:00Z' });

    it('lets none take the place of a sound one', () => {
      expect(kept([at('01-09T00:00', true), at('01-08T00:00')], { daily: 1 })).toEqual([
        '0109T00 last,daily',
        '0108T00 last,daily',
      ]);
    });

    it('removes one that would go if it were sound, and is older than a verified one', () => {
      expect(idsOf(plan([verified, at('01-07T00:00', true)], {}).remove)).toEqual(['track/20260107T000000Z-1a2b']);
      expect(plan([verified, at('01-07T00:00', true)], { daily: 2 }).remove).toEqual([]);
    });

    it('removes none while no newer one is verified', () => {
      const damaged = [at('01-07T00:00', true), at('01-06T00:00', true)];
      expect(plan([at('01-08T00:00'), ...damaged], {}).remove).toEqual([]);
      expect(plan(damaged, {}).remove).toEqual([]);
    });
  });
});

describe('whatever backups there are, and whatever is to be kept', () => {
  const START = Date.parse('2024-12-20T00:00:00Z');
  const backup = fc
    .record({
      // Mostly close together, so that several fall into one span; some later than NOW.
      hour: fc.oneof(fc.integer({ min: 0, max: 90 }), fc.integer({ min: 0, max: 24 * 430 })),
      second: fc.integer({ min: 0, max: 3_599 }),
      env: fc.constantFrom('track', 'kb'),
      suffix: fc.constantFrom('0000', '1a2b', 'ffff'),
      verified: fc.boolean(),
      damaged: fc.boolean(),
    })
    .map(({ hour, second, env, suffix, verified, damaged }) =>
      listed(new Date(START + hour * 3_600_000 + second * 1_000).toISOString(), {
        ...{ env, suffix, damaged: damaged && !verified },
        verifiedAt: verified ? '2026-01-01T00:00:00Z' : undefined,
      }),
    );
  const backups = fc.uniqueArray(backup, { selector: ({ env, id }) => `${env}/${id}`, maxLength: 60 });
  const count = fc.integer({ min: 0, max: 6 });
  const retention = fc.record({ last: count, hourly: count, daily: count, weekly: count, monthly: count });

  function keptIds(keep: Retention, from: readonly ListedBackup[]): ReadonlySet<string> {
    return new Set(idsOf(planRetention(keep, from, NOW).keep.map((one) => one.backup)));
  }

  const ofEach = (all: readonly ListedBackup[], wanted: (one: ListedBackup) => boolean): readonly ListedBackup[] =>
    ['track', 'kb'].flatMap((env) => {
      const own = all.filter((one) => one.env === env && wanted(one)).toSorted(newestFirst);
      return own.slice(0, 1);
    });

  it('keeps or removes each one, and none twice', () => {
    fc.assert(
      fc.property(backups, retention, (all, keep) => {
        const { keep: stays, remove } = planRetention(keep, all, NOW);
        expect(idsOf([...stays.map((one) => one.backup), ...remove]).toSorted()).toEqual(idsOf(all).toSorted());
      }),
    );
  });

  it('keeps the newest, the newest sound one that is not of the future, and the newest verified one', () => {
    fc.assert(
      fc.property(backups, retention, (all, keep) => {
        const stays = keptIds(keep, all);
        const must = [
          ...ofEach(all, () => true),
          ...ofEach(all, ({ manifest }) => manifest !== undefined && new Date(manifest.createdAt) <= NOW),
          ...ofEach(all, ({ manifest }) => (manifest?.verification ?? null) !== null),
        ];
        for (const one of idsOf(must)) expect(stays).toContain(one);
      }),
    );
  });

  it('keeps no less where a number is larger', () => {
    fc.assert(
      fc.property(backups, retention, retention, (all, keep, more) => {
        const larger = Object.fromEntries(
          Object.entries(keep).map(([name, value]) => [name, value + more[name as keyof Retention]]),
        ) as unknown as Retention;
        const stays = keptIds(larger, all);
        for (const one of keptIds(keep, all)) expect(stays).toContain(one);
      }),
    );
  });

  it('removes nothing more when it is asked again', () => {
    fc.assert(
      fc.property(backups, retention, (all, keep) => {
        const stays = planRetention(keep, all, NOW).keep.map((one) => one.backup);
        expect(planRetention(keep, stays, NOW).remove).toEqual([]);
      }),
    );
  });

  it('keeps every sound one that it would keep if the damaged ones were not there', () => {
    fc.assert(
      fc.property(backups, retention, (all, keep) => {
        const sound = all.filter(({ problem }) => problem === undefined);
        expect([...keptIds(keep, all)].filter((id) => idsOf(sound).includes(id)).toSorted()).toEqual(
          [...keptIds(keep, sound)].toSorted(),
        );
      }),
    );
  });
});
