/** What `backup create` and `backup verify` say. Pure. */
import type { BackupCreateReport } from '../../reconcile/backup/create.js';
import type { CreatedBackup, ReportedBackup, ReportedError, VerifiedBackup } from '../../reconcile/backup/report.js';
import type { BackupVerifyReport } from '../../reconcile/backup/verify.js';
import type { Page } from './paint.js';
import { painted } from './report-parts.js';
import { clean, formatBytes, formatDuration, hanging, plural, wrap } from './text.js';

export function renderBackupCreate(report: BackupCreateReport, page: Page): readonly string[] {
  const { environments, pushed, durationMs } = report;
  const shown = page.quiet ? environments.filter(({ ok, warnings }) => !ok || warnings.length > 0) : environments;
  const lines = shown.flatMap((one) => renderCreated(one, page));
  if (pushed !== null && !(page.quiet && pushed.ok)) lines.push(...renderPushed(pushed, page));
  if (page.quiet) return lines;
  if (environments.length === 0 && pushed === null)
    return wrap('Nothing is due: each has a backup since the latest time of the schedule.', page.width);
  const made = environments.filter(({ backup }) => backup !== null).length;
  return [...lines, '', `${plural(made, 'backup')} made in ${formatDuration(durationMs)}, below ${report.root}`];
}

export function renderBackupVerify(report: BackupVerifyReport, page: Page): readonly string[] {
  const { environments, durationMs } = report;
  const shown = page.quiet ? environments.filter(({ ok }) => !ok) : environments;
  const lines = shown.flatMap((one) => renderVerified(one, page));
  if (page.quiet) return lines;
  const good = environments.filter(({ ok }) => ok).length;
  return [...lines, '', `${plural(good, 'backup')} verified in ${formatDuration(durationMs)}.`];
}

function renderCreated(one: CreatedBackup, page: Page): readonly string[] {
  const { name, backup, durationMs, archived, error } = one;
  const lines: string[] = [];
  if (backup !== null && !page.quiet) {
    const size = `${formatBytes(backup.bytes)}${backup.encrypted ? ', encrypted' : ''}`;
    const took = durationMs === null ? '' : ` in ${formatDuration(durationMs)}`;
    lines.push(...good(`${name}: ${backup.id}, ${size}${took}`, page));
    if (archived !== null) lines.push(...hanging('  ', historyOf(archived), page.width));
    if (error === null) lines.push(...hanging('  ', proofOf(backup, one.comparedWithVault), page.width));
  }
  for (const warning of one.warnings) {
    lines.push(...hanging('! ', clean(`${name}: ${warning}`), page.width));
  }
  if (error !== null) lines.push(...renderError(name, error, page));
  return lines;
}

function renderVerified(
  { name, backup, comparedWithVault, notRecorded, error }: VerifiedBackup,
  page: Page,
): readonly string[] {
  if (error !== null) return renderError(backup === null ? name : `${name}: ${backup.id}`, error, page);
  if (backup === null) return [];
  return [
    ...good(`${name}: ${backup.id}, ${formatBytes(backup.bytes)}`, page),
    ...hanging('  ', proofOf(backup, comparedWithVault), page.width),
    ...(notRecorded === null
      ? []
      : hanging('  ! ', clean(`This could not be written into its manifest: ${notRecorded.message}`), page.width)),
  ];
}

function historyOf({ files, bytes }: NonNullable<CreatedBackup['archived']>): string {
  return files === 0 ? 'history: nothing new' : `history: ${formatBytes(bytes)} in ${plural(files, 'file')} archived`;
}

function proofOf({ loadMs, keys, graphs }: ReportedBackup, comparedWithVault: boolean): string {
  if (loadMs === null || keys === null || graphs === null) return 'not verified: nexus3 backup verify does that';
  const as = comparedWithVault ? ', the same as its vault, which has written nothing since' : '';
  return `verified: loaded in ${formatDuration(loadMs)}, ${plural(keys, 'key')} and ${plural(graphs, 'graph')}${as}`;
}

function renderPushed(pushed: NonNullable<BackupCreateReport['pushed']>, page: Page): readonly string[] {
  const { repository, bytesAdded, error } = pushed;
  if (error !== null) return renderError(repository, error, page);
  return good(`${repository}: ${formatBytes(bytesAdded ?? 0)} added`, page);
}

function good(text: string, page: Page): readonly string[] {
  return painted(hanging('✓ ', clean(text), page.width), '✓', 'good', page);
}

function renderError(about: string, { message, evidence, hint }: ReportedError, page: Page): readonly string[] {
  return [
    ...painted(hanging('✗ ', clean(`${about}: ${message}`), page.width), '✗', 'bad', page),
    ...evidence.flatMap((line) => hanging('    ', clean(line), page.width)),
    ...hanging('  → ', clean(hint), page.width),
  ];
}
