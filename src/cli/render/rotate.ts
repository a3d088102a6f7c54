/** What `rotate` says. Pure. */
import { LOCKER_NAME } from '../../protocol/environment.js';
import type { RotatedEnvironment, RotateReport } from '../../reconcile/rotate/rotate.js';
import type { Page } from './paint.js';
import { painted } from './report-parts.js';
import { clean, formatDuration, hanging, plural } from './text.js';

type RotationError = NonNullable<RotatedEnvironment['error']>;

export function renderRotate(report: RotateReport, page: Page): readonly string[] {
  if (report.dryRun) return renderPlan(report, page);
  const shown = page.quiet ? report.environments.filter(({ outcome }) => outcome === 'failed') : report.environments;
  const lines = shown.flatMap((environment) => renderOne(environment, page));
  if (page.quiet) return lines;
  const count = report.environments.filter(({ outcome }) => outcome === 'rotated').length;
  return [...lines, '', `${plural(count, 'environment')} rotated in ${formatDuration(report.durationMs)}.`];
}

function renderOne(environment: RotatedEnvironment, page: Page): readonly string[] {
  const { name, users, error, resumed, notRunning } = environment;
  if (error !== null) {
    return [
      ...renderFailure(name, error, page),
      ...(users.length === 0
        ? []
        : hanging('  ', `handed out already: the new ones of ${users.join(', ')}`, page.width)),
    ];
  }
  return [
    ...painted(hanging('✓ ', `${name}: new passwords of ${users.join(', ')}`, page.width), '✓', 'good', page),
    ...(name === LOCKER_NAME ? hanging('  ! ', 'root.key has changed: replace your copies of it', page.width) : []),
    ...(resumed ? hanging('  ', 'one was begun by an earlier run, and completed first', page.width) : []),
    ...(notRunning.length === 0
      ? []
      : hanging('  ', `not running, takes them when it starts: ${notRunning.join(', ')}`, page.width)),
  ];
}

function renderFailure(name: string, error: RotationError, page: Page): readonly string[] {
  return [
    ...painted(hanging('✗ ', clean(`${name}: ${error.message}`), page.width), '✗', 'bad', page),
    ...hanging('  → ', clean(error.hint), page.width),
    ...hanging('  ', `Nobody is locked out. Once that is done: nexus3 rotate ${name}`, page.width),
  ];
}

function renderPlan({ environments }: RotateReport, page: Page): readonly string[] {
  const lines = environments.flatMap(({ name, steps, notRunning, error }) => [
    ...(error === null ? [name] : renderFailure(name, error, page)),
    ...steps.flatMap((step, index) => hanging(`  ${String(index + 1)}. `, step, page.width)),
    ...(notRunning.length === 0 ? [] : hanging('  ', `not running: ${notRunning.join(', ')}`, page.width)),
  ]);
  return [...lines, '', 'Nothing has been changed.'];
}
