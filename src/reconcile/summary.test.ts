import { describe, expect, it } from 'vitest';
import type { Change } from '../../test/support/facts.js';
import {
  changed,
  config,
  EMPTIED,
  ended,
  healthy,
  instance,
  missing,
  replicaLink,
  runtime,
  server,
  unreachable,
  USER,
  users,
  view,
} from '../../test/support/facts.js';
import { Nexus3Error } from '../errors.js';
import { diagnose } from './diagnose.js';
import type { EnvironmentFacts } from './facts.js';
import type { Look } from './loop.js';
import { planRepairs } from './plan.js';
import type { Report } from './report.js';
import { reportOf } from './summary.js';

const CHECKED_AT = new Date('2026-01-08T12:00:00Z');

function lookAt(...environments: readonly EnvironmentFacts[]): Look {
  return { diagnosed: environments.map((facts) => ({ facts, diagnoses: diagnose(facts) })), lockerError: undefined };
}

function report(after: Look, parts: Partial<Parameters<typeof reportOf>[0]> = {}): Report {
  return reportOf({ after, checkedAt: CHECKED_AT, durationMs: 41.4, ...parts });
}

describe('the report', () => {
  it('says what there is of backups, where any are expected', () => {
    const at = '2026-01-08T03:00:00.000Z';
    const moment = { at, hours: 9, hoursMax: 48, isOld: false };
    const window = { from: '2026-01-05T22:10:00Z', to: '2026-01-08T12:00:00Z', source: 'vault' } as const;
    const counts = { failed: undefined, damaged: 1, inFuture: 0, unreadable: undefined, push: undefined };
    const none = { newest: undefined, verified: undefined, newestIsVerified: false, window: undefined, ...counts };
    const { environments } = report(
      lookAt(
        { ...healthy(USER), backup: none },
        { ...healthy(), backup: { ...none, newest: moment, verified: moment, window } },
      ),
    );
    expect(environments.map(({ backup }) => backup)).toEqual([
      { newestAt: null, verifiedAt: null, window: null },
      { newestAt: at, verifiedAt: at, window: { from: window.from, to: window.to } },
    ]);
  });

  it('of a healthy host', () => {
    const { environments, ...rest } = report(lookAt(healthy(USER), healthy()));
    expect(rest).toEqual({
      ok: true,
      checkedAt: '2026-01-08T12:00:00.000Z',
      durationMs: 41,
      plan: null,
      applied: 0,
      failures: [],
      lockerError: null,
    });
    expect(environments[0]).toMatchObject({ name: 'user', kind: 'secure', ok: true, operational: null, findings: [] });
    expect(environments[1]).toEqual({
      name: 'track',
      kind: 'standard',
      ok: true,
      vault: {
        port: 6640,
        state: 'running',
        role: 'master',
        engineVersion: '8.2.3',
        moduleVersion: '4.16.3',
        keys: 12,
        memoryBytes: 1_048_576,
        offset: 1_000,
      },
      operational: {
        port: 6641,
        state: 'running',
        role: 'replica',
        engineVersion: '8.2.3',
        moduleVersion: '4.16.3',
        keys: 12,
        memoryBytes: 1_048_576,
        link: 'up',
        lagBytes: 0,
      },
      backup: null,
      findings: [],
    });
  });

  const anonymous = { pingAnswered: false, masterauthShown: false };
  it.each<[string, readonly Change[], string]>([
    ['missing', [missing('vault')], 'missing'],
    ['stopped', [ended('vault')], 'stopped'],
    ['restarting', [ended('vault', { state: 'restarting' })], 'restarting'],
    ['paused', [unreachable('vault'), runtime('vault', { state: 'paused' })], 'paused'],
    ['says nothing', [unreachable('vault')], 'unreachable'],
    ['was not asked', [instance('vault', () => ({ view: undefined }))], 'unreachable'],
    ['loading', [view('vault', { state: 'loading', anonymous })], 'loading'],
    ['locked', [view('vault', { state: 'locked', anonymous, detail: '' })], 'locked'],
    ['held', [EMPTIED, ended('vault', { state: 'restarting', exitCode: 78 })], 'held'],
    ['held, and gone', [EMPTIED, missing('vault')], 'held'],
    ['a held one that runs', [EMPTIED], 'running'],
  ])('says the state of a vault: %s', (_, changes, state) => {
    expect(report(lookAt(changed(...changes))).environments[0]?.vault.state).toBe(state);
  });

  it('knows no lag while the link is down, and no module where there is none', () => {
    const engine = { kind: 'redis', version: '8.2.3', graphModule: 0 } as const;
    const facts = changed(replicaLink({ link: 'down' }), server('operational', { engine }));
    expect(report(lookAt(facts)).environments[0]?.operational).toMatchObject({
      link: 'down',
      lagBytes: null,
      moduleVersion: null,
    });
  });

  it('is not ok for an error; a warning or information does not matter', () => {
    expect(report(lookAt(healthy(USER), changed(ended('vault')))).ok).toBe(false);
    const warned = report(lookAt(changed(runtime('vault', { exposedOn: '0.0.0.0' }))));
    expect(warned.ok).toBe(true);
    expect(warned.environments[0]).toMatchObject({ ok: true, findings: [{ code: 'port-exposed', fixed: false }] });
  });

  it('is not ok when Locker could not be asked, or something could not be done', () => {
    const error = new Nexus3Error('LOCKER_UNREACHABLE', 'Locker is not there.', {
      evidence: ['refused'],
      hint: 'nexus3 up locker',
    });
    const without = report({ ...lookAt(healthy()), lockerError: error });
    expect(without.ok).toBe(false);
    expect(without.lockerError).toEqual({
      code: 'LOCKER_UNREACHABLE',
      message: 'Locker is not there. (refused)',
      hint: 'nexus3 up locker',
    });
    const before = lookAt(changed(ended('vault')));
    const [planned] = planRepairs(before.diagnosed).actions;
    if (planned === undefined) throw new Error('no plan');
    const failed = report(lookAt(healthy()), { failures: [{ planned, error }] });
    expect(failed.ok).toBe(false);
    expect(failed.failures).toEqual([
      {
        on: 'track/vault',
        action: 'render',
        code: 'LOCKER_UNREACHABLE',
        message: without.lockerError?.message,
        hint: error.hint,
      },
    ]);
  });

  it('lists the plan', () => {
    const before = lookAt(changed(config('vault', 'maxmemory', '1')));
    const plan = planRepairs(before.diagnosed);
    expect(report(before, { plan }).plan).toEqual({
      id: plan.id,
      actions: [
        {
          kind: 'set-config',
          on: 'track/vault',
          summary: 'set maxmemory of track/vault to 0',
          because: 'config-volatile',
        },
      ],
    });
    expect(report(lookAt(healthy()), { plan: planRepairs([]) }).plan).toEqual({ id: null, actions: [] });
  });
});

describe('what was fixed', () => {
  const fixedIn = (before: Look, after: Look): readonly string[] =>
    report(after, { before, plan: planRepairs(before.diagnosed) })
      .environments.flatMap(({ findings }) => findings)
      .map(({ code, fixed }) => `${code} ${fixed ? 'fixed' : 'left'}`);

  it('is what was planned for and is gone', () => {
    expect(fixedIn(lookAt(changed(ended('vault'))), lookAt(healthy()))).toEqual(['instance-stopped fixed']);
  });

  it('is not what is still there', () => {
    expect(fixedIn(lookAt(changed(ended('vault'))), lookAt(changed(ended('vault'))))).toEqual([
      'instance-stopped left',
    ]);
  });

  it('counts each finding that one action repairs', () => {
    const both = changed(
      users('vault', 'default', 'password'),
      instance('vault', (one) => ({
        userDifferences: [...one.userDifferences, { user: 'x', kind: 'extra', added: [], removed: [] }],
      })),
    );
    expect(fixedIn(lookAt(both), lookAt(healthy())).toSorted()).toEqual([
      'config-volatile fixed',
      'password-mismatch fixed',
    ]);
  });

  it('is not what went away by itself: nothing was planned there', () => {
    const [before, after] = [lookAt(changed(ended('vault'))), lookAt(healthy())];
    expect(report(after, { before, plan: planRepairs([]) }).environments[0]?.findings).toEqual([]);
    expect(fixedIn(lookAt(changed(EMPTIED, ended('vault'))), after)).toEqual([]);
  });
});
