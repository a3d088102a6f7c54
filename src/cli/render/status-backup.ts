/** What `status` says of backups, where nexus3.yaml expects any: how old, and how far back any second can be had. Pure. */
import type { Report, ReportedEnvironment } from '../../reconcile/report.js';
import type { Page } from './paint.js';
import type { Cell, Column } from './table.js';
import { cut, formatAge, wrap } from './text.js';

const NONE = '–';
/** A window that ends this recently reaches to the present: its vault writes it every second. */
const PRESENT_MS = 600_000;

export function expectsBackups({ environments }: Report): boolean {
  return environments.some(({ backup }) => backup !== null);
}

/** @param now of the look, in milliseconds since 1970 */
export function backupColumns(now: number): readonly Column<ReportedEnvironment>[] {
  return [
    { title: 'BACKUP', dispensable: 2, align: 'right', cell: (environment) => ageCell(environment, now) },
    { title: 'WINDOW', dispensable: 3, align: 'right', cell: (environment) => ({ text: windowOf(environment, now) }) },
  ];
}

export function backupLines(environment: ReportedEnvironment, now: number, page: Page): readonly string[] {
  if (environment.backup === null) return [];
  const { newestAt } = environment.backup;
  const age = newestAt === null ? 'no backup' : `backup ${ageOf(newestAt, now)} old`;
  const window = windowOf(environment, now);
  const text = window === NONE ? age : `${age}, window ${window}`;
  return [`  ${page.paint(newestAt === null ? 'warn' : 'plain', cut(text, page.width - 2))}`];
}

export function backupLegend(page: Page): readonly string[] {
  const text = 'WINDOW: how far back any second can be restored (nexus3 restore ENV --at TIME).';
  return wrap(text, page.width);
}

function ageCell({ backup }: ReportedEnvironment, now: number): Cell {
  if (backup === null) return { text: NONE };
  return backup.newestAt === null ? { text: 'none', tone: 'warn' } : { text: ageOf(backup.newestAt, now) };
}

/** `3 d`, or `3 d–5 h` where it does not reach to the present. */
function windowOf({ backup }: ReportedEnvironment, now: number): string {
  const window = backup?.window ?? null;
  if (window === null) return NONE;
  const from = ageOf(window.from, now);
  return now - Date.parse(window.to) < PRESENT_MS ? from : `${from}–${ageOf(window.to, now)}`;
}

function ageOf(at: string, now: number): string {
  return formatAge(now - Date.parse(at));
}
