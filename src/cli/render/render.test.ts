import { describe, expect, it } from 'vitest';
import { finding, MIXED, report, standard, WELL } from '../../../test/support/reports.js';
import type { Report } from '../../reconcile/report.js';
import type { CheckMode } from './check.js';
import { renderCheck } from './check.js';
import type { Page } from './paint.js';
import { makePaint } from './paint.js';
import { renderStatus } from './status.js';
import { clean, formatBytes, formatDuration, wrap } from './text.js';

const WIDTHS = [120, 80, 40];

function page(width: number, parts: Partial<Page> = {}): Page {
  return { width, paint: makePaint(false), quiet: false, ...parts };
}

/** One text with a mark above, so that a snapshot shows where a line is too long. */
function framed(lines: readonly string[], width: number): string {
  return ['', '-'.repeat(width), ...lines].join('\n');
}

const CHECK: CheckMode = { command: 'check', fix: false, dryRun: false, envs: [] };

function check(shown: Report, mode: Partial<CheckMode> = {}): string {
  return renderCheck(shown, { ...CHECK, ...mode }, page(80)).join('\n');
}

describe('status', () => {
  it.each(WIDTHS)('of a host with faults, %i columns wide', (width) => {
    const lines = renderStatus(MIXED, page(width));
    expect(framed(lines, width)).toMatchSnapshot();
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(width);
  });

  it('of a host that is well, and of one with nothing', () => {
    expect(framed(renderStatus(WELL, page(80)), 80)).toMatchSnapshot();
    expect(renderStatus(report([]), page(80)).at(-1)).toBe('All is well.');
  });

  it('says only the table under --quiet', () => {
    expect(renderStatus(WELL, page(80, { quiet: true }))).toHaveLength(4);
  });

  it('colours by meaning, and keeps its columns', () => {
    const plain = renderStatus(MIXED, page(120));
    const coloured = renderStatus(MIXED, page(120, { paint: makePaint(true) }));
    expect(coloured.join('\n')).toContain('\u001b[31mrunning/stopped'.replace('running', 'missing'));
    // eslint-disable-next-line no-control-regex
    expect(coloured.map((line) => line.replace(/\u001b\[\d+m/g, ''))).toEqual(plain);
  });

  it('never says that all is well when Locker could not be asked', () => {
    const lockerError = { code: 'LOCKER_UNREACHABLE', message: 'Locker does not answer.', hint: 'nexus3 up locker' };
    const text = renderStatus({ ...WELL, ok: false, lockerError }, page(80)).join('\n');
    expect(text).toContain('Locker does not answer.');
    expect(text).not.toContain('All is well');
  });
});

describe('check', () => {
  it.each(WIDTHS)('of a host with faults, %i columns wide', (width) => {
    const lines = renderCheck(MIXED, CHECK, page(width));
    expect(framed(lines, width)).toMatchSnapshot();
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(width);
  });

  it('of a host that is well', () => {
    expect(check(WELL)).toBe('3 environments, 4 instances in 41 ms: 0 errors, 0 warnings, 0 info.\nAll is well.');
  });

  it('prints the plan of --dry-run with its id, and how to do just that', () => {
    const plan = {
      id: 'p_0123456789ab',
      actions: [
        { kind: 'load-users', on: 'track/vault', summary: 'load users on track/vault', because: 'link-down' },
        { kind: 'attach', on: 'track/operational', summary: 'attach track/operational', because: 'link-down' },
      ],
    } as const;
    expect(check({ ...MIXED, plan }, { dryRun: true, envs: ['track'] })).toMatchSnapshot();
    expect(check({ ...WELL, plan: { id: null, actions: [] } }, { dryRun: true })).toContain('nothing to do');
  });

  it('says after --fix what was repaired, what failed and what is left', () => {
    const repaired = report(
      [
        standard('track', 6640, { findings: [finding({ code: 'link-down', fixed: true })] }),
        standard('web', 6670, {
          findings: [finding({ code: 'instance-stopped', message: 'the instance is stopped' })],
        }),
      ],
      {
        ok: false,
        applied: 2,
        failures: [
          {
            on: 'web/operational',
            action: 'start',
            code: 'PORT_TAKEN',
            message: 'Port 6671 is taken by nginx, process 812.',
            hint: 'Stop it, or choose another port in nexus3.yaml.',
          },
        ],
      },
    );
    expect(check(repaired, { fix: true })).toMatchSnapshot();
  });

  it('of up does not list what was missing before it', () => {
    const repaired = standard('track', 6640, { findings: [finding({ code: 'instance-missing', fixed: true })] });
    const text = check(report([repaired], { applied: 3 }), { command: 'up' });
    expect(text).not.toContain('instance-missing');
    expect(text).toContain('3 actions done');
    expect(check(WELL, { command: 'up' })).toContain('Everything ran already; nothing was changed.');
    // The vault runs, but lets nobody in.
    const fenced = report([standard('track', 6640, { findings: [finding({ code: 'restore-unfinished' })] })]);
    expect(check(fenced, { command: 'up' })).toContain('Nothing was changed.');
    expect(check(fenced, { command: 'up' })).not.toContain('ran already');
  });

  it('points to --fix only where it repairs something', () => {
    const hopeless = report([
      standard('track', 6640, { findings: [finding({ code: 'vault-empty', fixable: false })] }),
    ]);
    expect(check(hopeless)).not.toContain('--fix repairs');
    expect(check(MIXED)).toContain('nexus3 check --fix repairs 3 of them');
    expect(check(MIXED, { envs: ['track', 'web'] })).toContain('nexus3 check track web --fix');
  });

  it('says under --quiet only what is wrong', () => {
    expect(renderCheck(WELL, CHECK, page(80, { quiet: true }))).toEqual([]);
    const text = renderCheck(MIXED, CHECK, page(80, { quiet: true })).join('\n');
    expect(text).toContain('vault-empty');
    expect(text).not.toMatch(/image-unpinned|Next:|in 41 ms/);
  });

  it('lets nothing that a server said drive the terminal', () => {
    const evil = report([
      standard('track', 6640, {
        findings: [finding({ code: 'link-down', message: 'a\u001b[2Jb\r\nc', evidence: { x: '\u009b1m' } })],
      }),
    ]);
    expect(check(evil)).toContain('a?[2Jb??c');
    expect(check(evil)).toContain('x: ?1m');
  });
});

describe('words', () => {
  it.each([
    [0, '0 B'],
    [1_023, '1023 B'],
    [1_024, '1.0 KiB'],
    [1_258_291, '1.2 MiB'],
    [734_003_200, '700 MiB'],
    [5e13, '45.5 TiB'],
  ])('%i bytes are %s', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });

  it('says times as people do', () => {
    expect([41.4, 3_210, 125_000].map(formatDuration)).toEqual(['41 ms', '3.2 s', '2 min 5 s']);
  });

  it('breaks lines at spaces and never within a word', () => {
    expect(wrap('one two three', 8, '  ')).toEqual(['  one', '  two', '  three']);
    expect(wrap(`see /a/very/long/path`, 10)).toEqual(['see', '/a/very/long/path']);
    expect(clean('a\tb\u0007\u202e')).toBe('a    b??');
  });
});
