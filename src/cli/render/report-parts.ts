/** What `check`, `up` and `status` say alike. Pure. */
import type { Report, ReportedEnvironment } from '../../reconcile/report.js';
import type { Page, Tone } from './paint.js';
import { clean, formatPorts, hanging, plural } from './text.js';

/** Of `warning`, with a gap. */
export const LABEL_WIDTH = 9;

export function portsOf({ vault, operational }: ReportedEnvironment): string {
  return formatPorts(vault.port, operational?.port);
}

export function countInstances(environments: readonly ReportedEnvironment[]): string {
  const instances = environments.reduce((sum, { operational }) => sum + (operational === null ? 1 : 2), 0);
  return `${plural(environments.length, 'environment')}, ${plural(instances, 'instance')}`;
}

/** Without Locker nobody could be asked with a password: what is said above is what could be seen all the same. */
export function lockerLines({ lockerError }: Pick<Report, 'lockerError'>, page: Page): readonly string[] {
  if (lockerError === null) return [];
  return [
    ...painted(hanging('Locker   ', clean(lockerError.message), page.width), 'Locker', 'bad', page),
    ...hanging(`${' '.repeat(LABEL_WIDTH)}→ `, clean(lockerError.hint), page.width),
    '',
  ];
}

/** Colours the label, which is the first word of the first line. */
export function painted(lines: readonly string[], label: string, tone: Tone, page: Page): readonly string[] {
  return lines.map((line, index) => (index === 0 ? line.replace(label, () => page.paint(tone, label)) : line));
}
