import { describe, expect, it } from 'vitest';
import type { Report, ReportedEnvironment } from '../../reconcile/report.js';
import { questionText, sizesOf } from './question.js';

const server = { state: 'running', keys: 12 };
const environmentOf = (name: string, more: object = {}): ReportedEnvironment =>
  ({ name, vault: server, operational: server, ...more }) as unknown as ReportedEnvironment;
const reportOf = (...environments: readonly ReportedEnvironment[]): Report => ({ environments }) as unknown as Report;

describe('what a person is asked', () => {
  it('says what, step by step', () => {
    expect(questionText('Repair track:', ['stop it', 'start it'])).toBe(
      'Repair track:\n1. stop it\n2. start it\nShall it be done?',
    );
  });

  it('is never longer than a dialogue can show, and says what it leaves out', () => {
    const text = questionText(
      'Repair all:',
      Array.from({ length: 1_000 }, () => 'x'.repeat(1_000)),
    );
    expect(text.length).toBeLessThan(6_000);
    expect(text).toContain('… and 980 more');
  });

  it('names sizes, and states where they are not known', () => {
    const stopped = { state: 'stopped', keys: null };
    const report = reportOf(
      environmentOf('track'),
      environmentOf('notes', { operational: null }),
      environmentOf('lost', { vault: stopped }),
      environmentOf('other'),
    );
    expect(sizesOf(report, new Set(['lost', 'track', 'notes']))).toBe(
      'track (vault: 12 keys, operational: 12 keys), notes (vault: 12 keys), lost (vault: stopped, operational: 12 keys)',
    );
  });

  it('names no more than it can', () => {
    const many = Array.from({ length: 1_000 }, (_, index) => environmentOf(`e${String(index)}`));
    expect(sizesOf(reportOf(...many), new Set(many.map(({ name }) => name)))).toMatch(/, 980 more$/);
  });
});
