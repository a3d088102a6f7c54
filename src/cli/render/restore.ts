/** What `restore` says, before and after. Pure. */
import type { PlannedRestore } from '../../reconcile/restore/plan.js';
import type { RestoredEnvironment, RestoreReport } from '../../reconcile/restore/report.js';
import type { Page } from './paint.js';
import { painted } from './report-parts.js';
import { clean, formatDuration, hanging, plural } from './text.js';

/** What is about to be done, for the question: a line each. */
export function renderPlan(
  planned: readonly Pick<PlannedRestore, 'env' | 'from' | 'steps' | 'warnings'>[],
): readonly string[] {
  return planned.flatMap(({ env, from, steps, warnings }) => [
    headOf({ env, from }),
    ...steps.map((step, index) => `  ${String(index + 1)}. ${step}`),
    ...warnings.map((text) => `  ! ${clean(text)}`),
  ]);
}

function headOf({ env, from }: Pick<PlannedRestore, 'env' | 'from'>): string {
  return env === from ? env : `${env}, from ${from}`;
}

export function renderRestore(report: RestoreReport, page: Page): readonly string[] {
  if (report.dryRun) return renderDryRun(report, page);
  const shown = page.quiet ? report.environments.filter(({ error }) => error !== null) : report.environments;
  return shown.flatMap((one) => renderOne(one, page));
}

function renderDryRun({ environments, plan }: RestoreReport, page: Page): readonly string[] {
  const lines = environments.flatMap(({ env, from, steps, warnings }) => [
    headOf({ env, from }),
    ...steps.flatMap((step, index) => hanging(`  ${String(index + 1)}. `, step, page.width)),
    ...warnings.flatMap((text) => hanging('  ! ', clean(text), page.width)),
  ]);
  return [...lines, '', `Plan ${plan}. Nothing has been changed.`];
}

function renderOne(one: RestoredEnvironment, page: Page): readonly string[] {
  const { env, error, outcome, warnings, keptAside, keptOperational } = one;
  if (error !== null) {
    return [
      ...painted(hanging('✗ ', clean(`${env}: ${error.message}`), page.width), '✗', 'bad', page),
      ...error.evidence.flatMap((line) => hanging('  ', clean(line), page.width)),
      ...hanging('  → ', clean(error.hint), page.width),
    ];
  }
  const mark = outcome === 'skipped' ? '-' : '✓';
  return [
    ...painted(hanging(`${mark} `, `${env}: ${wordsOf(one)}`, page.width), mark, 'good', page),
    ...warnings.flatMap((text) => hanging('  ! ', clean(text), page.width)),
    ...(keptAside === null ? [] : hanging('  Kept aside: ', keptAside, page.width)),
    ...(keptOperational === null ? [] : hanging('  Kept aside: ', keptOperational, page.width)),
  ];
}

function wordsOf({
  outcome,
  source,
  from,
  env,
  keys,
  graphs,
  durationMs,
  writesStoppedMs,
}: RestoredEnvironment): string {
  if (outcome === 'skipped') return 'left as it is';
  if (outcome === 'put-back') return `what it held before is in its place again (${formatDuration(durationMs)})`;
  const what =
    source === null ? '' : source.kind === 'backup' ? `the backup ${source.id}` : `the state of ${source.at}`;
  const whose = env === from ? '' : ` of ${from}`;
  const stopped = writesStoppedMs === null ? '' : `, writes stopped for ${formatDuration(writesStoppedMs)}`;
  const counts = `${plural(keys ?? 0, 'key')}, ${plural(graphs ?? 0, 'graph')}`;
  return `${what}${whose} is restored and proven in ${formatDuration(durationMs)}: ${counts}${stopped}.`;
}
