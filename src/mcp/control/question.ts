/** What a person is asked: in words, with names and sizes, and never longer than a dialogue can show. Pure. */
import type { Report, ReportedEnvironment } from '../../reconcile/report.js';

/** Of a plan: the first so many, and how many more. */
const QUESTION_LINES_MAX = 20;
const LINE_CHARS_MAX = 200;

export function questionText(what: string, lines: readonly string[], last = 'Shall it be done?'): string {
  const shown = lines.slice(0, QUESTION_LINES_MAX).map((line, index) => `${String(index + 1)}. ${cut(line)}`);
  const more = lines.length - shown.length;
  return [what, ...shown, ...(more > 0 ? [`… and ${String(more)} more`] : []), last].join('\n');
}

/** `track (vault: 12 keys, operational: 12 keys)`, of those named; in the report's order. */
export function sizesOf(report: Report, names: ReadonlySet<string>): string {
  const sized = report.environments.filter(({ name }) => names.has(name)).map(sizeOf);
  const more = sized.length - QUESTION_LINES_MAX;
  return [...sized.slice(0, QUESTION_LINES_MAX), ...(more > 0 ? [`${String(more)} more`] : [])].join(', ');
}

function sizeOf({ name, vault, operational }: ReportedEnvironment): string {
  const size = ({ keys, state }: { readonly keys: number | null; readonly state: string }): string =>
    keys === null ? state : `${String(keys)} keys`;
  const behind = operational === null ? '' : `, operational: ${size(operational)}`;
  return `${name} (vault: ${size(vault)}${behind})`;
}

function cut(line: string): string {
  return line.length > LINE_CHARS_MAX ? `${line.slice(0, LINE_CHARS_MAX)}…` : line;
}
