import { describe, expect, it } from 'vitest';
import type { RotatedEnvironment, RotateReport } from '../../reconcile/rotate/rotate.js';
import { makePaint } from './paint.js';
import { renderRotate } from './rotate.js';

const DONE: RotatedEnvironment = {
  name: 'track',
  outcome: 'rotated',
  users: ['default', 'admin', 'replicator', 'backup', 'operational-admin'],
  resumed: false,
  notRotated: [],
  notRunning: [],
  steps: [],
  error: null,
};

const HINT = 'Run `nexus3 check` to see what is wrong with this instance.';
const REPORT: RotateReport = {
  ok: false,
  dryRun: false,
  graceSeconds: 30,
  durationMs: 31_840,
  environments: [
    { ...DONE, notRunning: ['track/operational'] },
    { ...DONE, name: 'kb', resumed: true },
    {
      ...DONE,
      name: 'web',
      outcome: 'failed',
      users: ['default'],
      notRotated: ['admin', 'backup'],
      error: {
        code: 'REDIS_UNREACHABLE',
        message: '127.0.0.1:6670 did not answer: nothing listens there.',
        hint: HINT,
      },
    },
    { ...DONE, name: 'locker', users: ['default', 'admin', 'backup'] },
  ],
};
const PLAN: RotateReport = {
  ...REPORT,
  dryRun: true,
  environments: [
    { ...DONE, outcome: 'planned', steps: ['make new passwords in Locker for default', 'wait 30 s'] },
    ...REPORT.environments.filter(({ error }) => error !== null),
  ],
};

const page = (width: number, quiet = false): Parameters<typeof renderRotate>[1] => ({
  width,
  paint: makePaint(false),
  quiet,
});

describe('what rotate says', () => {
  it.each([80, 40])('of what was done and what was not, %i columns wide', (width) => {
    const lines = renderRotate(REPORT, page(width));
    expect(['', ...lines, ''].join('\n')).toMatchSnapshot();
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(width);
  });

  it('under --quiet, only what failed', () => {
    expect(renderRotate(REPORT, page(80, true))[0]).toContain('web');
    expect(renderRotate({ ...REPORT, environments: [DONE] }, page(80, true))).toEqual([]);
  });

  it('of a plan', () => {
    expect(['', ...renderRotate(PLAN, page(40)), ''].join('\n')).toMatchSnapshot();
  });
});
