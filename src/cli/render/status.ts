/** `nexus3 status`: a line for each environment, or a few short ones on a narrow page. Pure. */
import type { Report, ReportedEnvironment, ReportedFinding } from '../../reconcile/report.js';
import type { Page, Tone } from './paint.js';
import type { Cell, Column, LastColumn } from './table.js';
import { backupColumns, backupLegend, backupLines, expectsBackups } from './status-backup.js';
import { renderTable } from './table.js';
import { countInstances, lockerLines, portsOf } from './report-parts.js';
import { cut, formatBytes, formatDuration, plural, wrap } from './text.js';

/** Below this a table is harder to read than lines one under the other. */
const TABLE_WIDTH_MIN = 60;
const NONE = '–';

export function renderStatus(report: Report, page: Page): readonly string[] {
  const now = Date.parse(report.checkedAt);
  const columns = expectsBackups(report) ? [...COLUMNS, ...backupColumns(now)] : COLUMNS;
  const table =
    page.width < TABLE_WIDTH_MIN ? undefined : renderTable(report.environments, columns, FINDINGS_COLUMN, page);
  const body = table ?? report.environments.flatMap((environment) => stacked(environment, now, page));
  const locker = lockerLines(report, page);
  return page.quiet ? [...body, ...locker] : [...body, '', ...locker, ...closing(report, page)];
}

const COLUMNS: readonly Column<ReportedEnvironment>[] = [
  { title: 'ENVIRONMENT', dispensable: 0, cell: ({ name }) => ({ text: name, tone: 'strong' }) },
  { title: 'PORTS', dispensable: 0, cell: (environment) => ({ text: portsOf(environment) }) },
  { title: 'STATE', dispensable: 0, cell: stateCell },
  { title: 'LINK', dispensable: 1, cell: linkCell },
  {
    title: 'LAG',
    dispensable: 5,
    align: 'right',
    cell: ({ operational }) => ({ text: orNone(operational?.lagBytes, formatBytes) }),
  },
  { title: 'KEYS', dispensable: 4, align: 'right', cell: (environment) => ({ text: keysOf(environment) }) },
  {
    title: 'MEMORY',
    dispensable: 6,
    align: 'right',
    cell: (environment) => ({ text: orNone(memoryOf(environment), formatBytes) }),
  },
];

const FINDINGS_COLUMN: LastColumn<ReportedEnvironment> = { title: 'FINDINGS', widthMin: 14, cell: findingsCell };

/** `running`, or `running/stopped` where the vault and the operational differ. */
function stateCell({ vault, operational }: ReportedEnvironment): Cell {
  const states = [vault.state, ...(operational === null ? [] : [operational.state])];
  const tone: Tone = states.every((state) => state === 'running') ? 'good' : 'bad';
  return { text: [...new Set(states)].join('/'), tone };
}

function linkCell({ operational }: ReportedEnvironment): Cell {
  const link = operational?.link;
  if (link === null || link === undefined) return { text: NONE };
  return { text: link, tone: link === 'up' ? 'good' : 'bad' };
}

/** The vault's number; the operational's too where it is another. */
function keysOf({ vault, operational }: ReportedEnvironment): string {
  const counts = [vault.keys, ...(operational === null ? [] : [operational.keys])];
  const texts = counts.map((keys) => orNone(keys, String));
  return texts.every((text) => text === texts[0]) ? (texts[0] ?? NONE) : texts.join('/');
}

/** Of both together. */
function memoryOf({ vault, operational }: ReportedEnvironment): number | null {
  if (vault.memoryBytes === null && (operational?.memoryBytes ?? null) === null) return null;
  return (vault.memoryBytes ?? 0) + (operational?.memoryBytes ?? 0);
}

function orNone(value: number | null | undefined, format: (value: number) => string): string {
  return value === null || value === undefined ? NONE : format(value);
}

/** As many codes as fit, errors first; infos are only counted. */
function findingsCell({ findings, vault }: ReportedEnvironment, width: number): Cell {
  const open = findings.filter(({ fixed }) => !fixed);
  const codes = [...new Set([...ofSeverity(open, 'error'), ...ofSeverity(open, 'warning')])];
  const infos = open.filter(({ severity }) => severity === 'info').length;
  // Without its password nobody could look inside.
  if (codes.length === 0 && vault.state === 'locked') return { text: NONE };
  if (codes.length === 0) return { text: infos === 0 ? 'ok' : `ok, ${String(infos)} info`, tone: 'good' };
  const tone = open.some(({ severity }) => severity === 'error') ? 'bad' : 'warn';
  for (let shown = codes.length; shown > 0; shown -= 1) {
    const hidden = codes.length - shown;
    const text = codes.slice(0, shown).join(', ') + (hidden === 0 ? '' : ` +${String(hidden)}`);
    if (text.length <= width || shown === 1) return { text: cut(text, width), tone };
  }
  return { text: '', tone };
}

function ofSeverity(findings: readonly ReportedFinding[], severity: string): readonly string[] {
  return findings.filter((finding) => finding.severity === severity).map(({ code }) => code);
}

function stacked(environment: ReportedEnvironment, now: number, page: Page): readonly string[] {
  const { name } = environment;
  const state = stateCell(environment);
  const link = linkCell(environment);
  const facts = [
    link.text === NONE ? '' : `link ${link.text}`,
    keysOf(environment) === NONE ? '' : `keys ${keysOf(environment)}`,
    orNone(memoryOf(environment), formatBytes),
  ].filter((fact) => fact !== '' && fact !== NONE);
  const findings = findingsCell(environment, page.width - 2);
  const backups = backupLines(environment, now, page);
  return [
    `${page.paint('strong', name)} ${portsOf(environment)} ${page.paint(state.tone ?? 'plain', state.text)}`,
    ...(facts.length === 0 ? [] : [`  ${cut(facts.join(', '), page.width - 2)}`]),
    ...backups,
    `  ${page.paint(findings.tone ?? 'plain', findings.text)}`,
  ];
}

function closing(report: Report, page: Page): readonly string[] {
  const summary = `${countInstances(report.environments)}, asked in ${formatDuration(report.durationMs)}.`;
  const lines = [...(expectsBackups(report) ? backupLegend(page) : []), ...wrap(summary, page.width)];
  const errors = report.environments.flatMap(({ findings }) =>
    findings.filter(({ severity, fixed }) => severity === 'error' && !fixed),
  );
  if (report.ok) lines.push(page.paint('good', 'All is well.'));
  else if (errors.length > 0) lines.push(`${page.paint('bad', plural(errors.length, 'error'))}; next: nexus3 check`);
  return lines;
}
