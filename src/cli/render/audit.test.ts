import { describe, expect, it } from 'vitest';
import type { AuditEntry, AuditProof } from '../../locker/audit/audit.js';
import { renderAudit, renderProof } from './audit.js';
import { makePaint, type Page } from './paint.js';

const WIDTHS = [120, 80, 40];

function page(width: number, parts: Partial<Page> = {}): Page {
  return { width, paint: makePaint(false), quiet: false, ...parts };
}

function framed(lines: readonly string[], width: number): string {
  return ['', '-'.repeat(width), ...lines].join('\n');
}

const ADA = { user: 'ada', pid: 4711, parent: 'bash', token: null };
const GET: AuditEntry = {
  ...{ seq: 7, at: '2026-01-08T12:00:00.000Z', who: ADA, action: 'get', what: 'track/default' },
  ...{ outcome: 'ok', detail: null, genuine: true },
};
const ENTRIES: readonly AuditEntry[] = [
  GET,
  {
    ...{ ...GET, seq: 8, at: '2026-01-08T12:00:09.120Z', what: 'web/operational-admin', outcome: 'failed' },
    detail: 'LOCKER_CREDENTIAL_MISSING',
  },
  {
    ...{ ...GET, seq: 9, action: 'login', what: 'locker, user default', outcome: 'denied' },
    ...{ detail: 'from 127.0.0.1:51234, 3 times', who: { user: '', pid: 0, parent: '', token: null } },
  },
  {
    ...{ ...GET, seq: 10, detail: 'noted by the token’s holder' },
    who: { user: 'mcp', pid: 9, parent: 'systemd', token: 't_1a2b3c4d' },
  },
  { ...GET, seq: 11, action: 'rotate', what: `an-environment-${'x'.repeat(40)}\u001b[31m`, genuine: false },
];
const PROOF: AuditProof = {
  ...{ entries: 90_001, firstSeq: 10_000, lastSeq: 100_000, headFile: '/etc/nexus3/root.key.audit-head' },
  warnings: ['/etc/nexus3/root.key.audit-head is not there, so a cut end or an older copy could not be told.'],
};

describe('the audit', () => {
  it.each(WIDTHS)('%i columns wide', (width) => {
    const lines = renderAudit({ entries: ENTRIES, more: true }, page(width));
    expect(framed(lines, width)).toMatchSnapshot();
    for (const line of lines) {
      expect(line.length).toBeLessThanOrEqual(width);
      expect(line).not.toContain('\u001b');
    }
  });

  it('with nothing, with one, and with only what was asked for', () => {
    expect(renderAudit({ entries: [], more: false }, page(80))).toEqual(['Nothing of that kind is in the audit.']);
    expect(renderAudit({ entries: [GET], more: false }, page(80)).at(-1)).toBe('1 entry, times in UTC.');
    expect(renderAudit({ entries: [GET], more: true }, page(80, { quiet: true }))).toHaveLength(2);
  });

  it.each(WIDTHS)('proven, %i columns wide', (width) => {
    const lines = renderProof(PROOF, { notes: 1, denied: 2 }, page(width));
    expect(framed(lines, width)).toMatchSnapshot();
    expect(
      renderProof({ ...PROOF, entries: 0, firstSeq: 0, warnings: [] }, { notes: 0, denied: 0 }, page(width))[0],
    ).toBe('The audit is whole: there is none yet.');
  });
});
