/** `nexus3 check`: every finding with its evidence and what to do, what is well in one line, and what to do next. Pure. */
import type { Severity } from '../../reconcile/finding.js';
import type { Report, ReportedEnvironment, ReportedFinding, ReportedPlan } from '../../reconcile/report.js';
import type { Page, Tone } from './paint.js';
import { countInstances, LABEL_WIDTH, lockerLines, painted, portsOf } from './report-parts.js';
import { clean, formatDuration, hanging, plural, wrap } from './text.js';

const TONE: Readonly<Record<Severity, Tone>> = { error: 'bad', warning: 'warn', info: 'faint' };
const ORDER: Readonly<Record<Severity, number>> = { error: 0, warning: 1, info: 2 };

export interface CheckMode {
  readonly command: 'check' | 'up';
  readonly fix: boolean;
  readonly dryRun: boolean;
  /** As they were named. */
  readonly envs: readonly string[];
}

export function renderCheck(report: Report, mode: CheckMode, page: Page): readonly string[] {
  const folded = foldInfos(report.environments);
  const lines = report.environments.flatMap((environment) => environmentLines(environment, folded, mode, page));
  for (const [code, { findings, instances }] of folded) {
    if (!page.quiet) lines.push(...foldedLines(code, findings, instances, page), '');
  }
  lines.push(...failureLines(report, page), ...lockerLines(report, page));
  if (page.quiet) return lines;
  if (report.plan !== null && mode.dryRun) lines.push(...planLines(report.plan, mode, page), '');
  return [...lines, ...closing(report, mode, page)];
}

interface Folded {
  readonly findings: readonly ReportedFinding[];
  readonly instances: number;
}

/** Infos of the same code on several instances: one line says it for all of them. */
function foldInfos(environments: readonly ReportedEnvironment[]): ReadonlyMap<string, Folded> {
  const byCode = new Map<string, ReportedFinding[]>();
  for (const finding of environments.flatMap(({ findings }) => findings)) {
    if (finding.severity === 'info' && !finding.fixed) {
      byCode.set(finding.code, [...(byCode.get(finding.code) ?? []), finding]);
    }
  }
  return new Map(
    [...byCode]
      .filter(([, findings]) => findings.length > 1)
      .map(([code, findings]) => [code, { findings, instances: findings.length }]),
  );
}

function environmentLines(
  environment: ReportedEnvironment,
  folded: ReadonlyMap<string, Folded>,
  { command }: CheckMode,
  page: Page,
): readonly string[] {
  const shown = environment.findings
    // That something was not there before is what `up` is for, and its progress told it.
    .filter((finding) => command === 'check' || !finding.fixed)
    .filter((finding) => finding.severity !== 'info' || (!folded.has(finding.code) && !page.quiet))
    .sort((a, b) => ORDER[a.severity] - ORDER[b.severity]);
  if (shown.length === 0) return [];
  return [
    `${page.paint('strong', environment.name)} ${portsOf(environment)}`,
    ...shown.flatMap((finding) => findingLines(finding, page)),
    '',
  ];
}

function findingLines(finding: ReportedFinding, page: Page): readonly string[] {
  const label = finding.fixed ? 'repaired' : finding.severity;
  const text = clean(`${finding.code}, ${finding.instance}: ${finding.message}`);
  const lines = hanging(`  ${label.padEnd(LABEL_WIDTH)}`, text, page.width);
  const indent = ' '.repeat(LABEL_WIDTH + 2);
  const evidence = Object.entries(finding.evidence).map(([name, value]) => `${name}: ${String(value)}`);
  return [
    ...painted(lines, label, finding.fixed ? 'good' : TONE[finding.severity], page),
    ...(evidence.length === 0 ? [] : wrap(clean(evidence.join(', ')), page.width, indent)),
    ...(finding.fixed ? [] : hanging(`${indent}→ `, clean(finding.remedy), page.width)),
  ];
}

function foldedLines(
  code: string,
  findings: readonly ReportedFinding[],
  instances: number,
  page: Page,
): readonly string[] {
  const [first] = findings;
  const same = (field: 'message' | 'remedy'): string | undefined =>
    findings.every((finding) => finding[field] === first?.[field]) ? first?.[field] : undefined;
  const message = same('message');
  const text = `${code} on ${plural(instances, 'instance')}${message === undefined ? '; --json lists each' : `: ${message}`}`;
  const lines = hanging('info     '.padEnd(LABEL_WIDTH), clean(text), page.width);
  const remedy = same('remedy');
  return [
    ...painted(lines, 'info', 'faint', page),
    ...(remedy === undefined ? [] : hanging(`${' '.repeat(LABEL_WIDTH)}→ `, clean(remedy), page.width)),
  ];
}

function planLines(plan: ReportedPlan, { command, envs }: CheckMode, page: Page): readonly string[] {
  if (plan.id === null) return ['The plan is empty: there is nothing to do.'];
  const width = String(plan.actions.length).length;
  const again = command === 'check' ? ['check', ...envs, '--fix', '--plan', plan.id] : ['up', ...envs];
  return [
    `${page.paint('strong', `Plan ${plan.id}`)}: ${plural(plan.actions.length, 'action')}; nothing has been changed.`,
    ...plan.actions.flatMap(({ summary, because }, index) =>
      hanging(`  ${String(index + 1).padStart(width)}. `, clean(`${summary} (${because})`), page.width),
    ),
    `Do it: nexus3 ${again.join(' ')}`,
  ];
}

/** What was tried and did not work. */
function failureLines({ failures }: Report, page: Page): readonly string[] {
  return failures.flatMap(({ on, action, message, hint }) => [
    ...painted(
      hanging('failed   ', clean(`${on === null ? action : `${action} ${on}`}: ${message}`), page.width),
      'failed',
      'bad',
      page,
    ),
    ...hanging(`${' '.repeat(LABEL_WIDTH)}→ `, clean(hint), page.width),
    '',
  ]);
}

function closing(report: Report, mode: CheckMode, page: Page): readonly string[] {
  const findings = report.environments.flatMap((environment) => environment.findings);
  const open = findings.filter(({ fixed }) => !fixed);
  const count = (severity: Severity): number => open.filter((finding) => finding.severity === severity).length;
  const sound = report.environments.filter(({ findings: own }) => own.every(({ severity }) => severity === 'info'));
  const lines: string[] = [];
  if (sound.length > 0 && sound.length < report.environments.length) {
    lines.push(
      ...hanging(`${plural(sound.length, 'environment')} ok: `, sound.map(({ name }) => name).join(', '), page.width),
    );
  }
  lines.push(
    ...wrap(
      `${countInstances(report.environments)} in ${formatDuration(report.durationMs)}: ` +
        `${plural(count('error'), 'error')}, ${plural(count('warning'), 'warning')}, ${String(count('info'))} info.`,
      page.width,
    ),
  );
  if (report.lockerError !== null)
    lines.push(...wrap('Not everything could be seen: Locker could not be asked.', page.width));
  const done = whatWasDone(report, mode);
  if (done !== undefined) lines.push(done);
  const next = whatNext(open, mode, report.failures.length > 0);
  if (next !== undefined) lines.push(...wrap(next, page.width));
  else if (report.ok) lines.push(page.paint('good', 'All is well.'));
  return lines;
}

function whatWasDone(report: Report, { command, fix, dryRun }: CheckMode): string | undefined {
  if (dryRun || (!fix && command === 'check')) return undefined;
  if (report.applied === 0) {
    const isWell = report.failures.length === 0 && report.lockerError === null && !isErroneous(report);
    const ranAlready = command === 'up' && isWell;
    return ranAlready ? 'Everything ran already; nothing was changed.' : 'Nothing was changed.';
  }
  return `${plural(report.applied, 'action')} done, and measured again afterwards.`;
}

/** What runs but, say, lets nobody in, because a restore of it was cut off. */
function isErroneous({ environments }: Report): boolean {
  return environments.some(({ findings }) => findings.some(({ severity, fixed }) => severity === 'error' && !fixed));
}

/** Undefined: nothing is left to do. */
function whatNext(
  open: readonly ReportedFinding[],
  { command, fix, dryRun, envs }: CheckMode,
  failed: boolean,
): string | undefined {
  const errors = open.filter(({ severity }) => severity === 'error');
  if (errors.length === 0) return undefined;
  const fixable = errors.filter((finding) => finding.fixable).length;
  if (dryRun)
    return fixable === errors.length ? undefined : 'What --fix may not repair has its way out at each arrow above.';
  if (fix || failed) return 'What is left needs you: the way out stands at each arrow above.';
  if (fixable === 0) return 'None of this may be repaired by itself: the way out stands at each arrow above.';
  const args = ['check', ...(command === 'check' ? envs : []), '--fix'].join(' ');
  const what = fixable === errors.length ? (fixable === 1 ? 'it' : 'them') : `${String(fixable)} of them`;
  return `Next: nexus3 ${args} repairs ${what} (--dry-run shows how; nothing is changed by it).`;
}
