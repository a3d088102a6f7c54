/** What `backup list` and `backup prune` say. Pure. */
import type { BackupListReport, ListedEnvironment, ListedItem } from '../../reconcile/backup/list.js';
import type { BackupPruneReport, PrunedBackup, PrunedEnvironment } from '../../reconcile/backup/prune.js';
import type { Page } from './paint.js';
import type { Cell, Column, LastColumn } from './table.js';
import { renderTable } from './table.js';
import { clean, cut, formatAge, formatBytes, formatDuration, hanging, plural, wrap } from './text.js';

/** Below this a table is harder to read than lines one under the other. */
const TABLE_WIDTH_MIN = 60;
const NONE = '–';
/** Of an ISO 8601 time: the second, as `restore --at` takes it. */
const SECOND_CHARS = 'YYYY-MM-DDTHH:MM:SS'.length;

export function renderBackupList(report: BackupListReport, page: Page): readonly string[] {
  const { environments, root } = report;
  const now = Date.parse(report.listedAt);
  const lines = environments.flatMap((environment) => [...environmentLines(environment, now, page), '']);
  if (page.quiet) return lines.slice(0, -1);
  const count = environments.reduce((sum, { backups }) => sum + backups.length, 0);
  if (count === 0) return wrap(`There is no backup in ${root}. Make one: nexus3 backup create --all`, page.width);
  return [...lines, ...wrap(`${plural(count, 'backup')} in ${root}`, page.width)];
}

function environmentLines({ name, windows, backups }: ListedEnvironment, now: number, page: Page): readonly string[] {
  const head = page.paint('strong', name);
  const reach = windows.flatMap(({ from, to }) =>
    hanging('  any second: ', `${second(from)} to ${second(to)} UTC`, page.width),
  );
  if (backups.length === 0) return [head, ...reach, '  no backup'];
  const columns = columnsOf(now);
  const inset = { ...page, width: page.width - 2 };
  const table = page.width < TABLE_WIDTH_MIN ? undefined : renderTable(backups, columns, remarks(now), inset);
  const body = table?.map((line) => `  ${line}`) ?? backups.flatMap((backup) => stacked(backup, now, page));
  const problems = backups.flatMap(({ id, problem }) => (problem === null ? [] : problemLines(id, problem, page)));
  return [head, ...reach, ...body, ...problems];
}

function columnsOf(now: number): readonly Column<ListedItem>[] {
  return [
    { title: 'ID', dispensable: 0, cell: ({ id }) => ({ text: id, tone: 'strong' }) },
    { title: 'AGE', dispensable: 0, align: 'right', cell: (item) => ({ text: ageOf(item, now) }) },
    { title: 'SIZE', dispensable: 1, align: 'right', cell: ({ bytes }) => ({ text: orNone(bytes, formatBytes) }) },
    { title: 'KEYS/GRAPHS', dispensable: 3, align: 'right', cell: (item) => ({ text: contentOf(item) }) },
    { title: 'VERIFIED', dispensable: 2, cell: (item) => verifiedCell(item, now) },
  ];
}

const remarks = (now: number): LastColumn<ListedItem> => ({
  title: 'REMARKS',
  widthMin: 12,
  cell: (item, width) => remarksCell(item, now, width),
});

function remarksCell(item: ListedItem, now: number, width: number): Cell {
  const { problem, encrypted, wouldGo, ofEarlierKey } = item;
  if (problem !== null) return { text: cut(problem.code, width), tone: 'bad' };
  const words = [
    ...(isInFuture(item, now) ? ['dated in the future'] : []),
    ...(encrypted === true ? ['encrypted'] : []),
    ...(wouldGo ? ['to be pruned'] : []),
  ];
  if (ofEarlierKey) return { text: cut(['before locker rekey', ...words].join(', '), width), tone: 'warn' };
  return { text: cut(words.join(', '), width), ...(wouldGo ? { tone: 'faint' as const } : {}) };
}

function verifiedCell({ verifiedAt, loadMs, problem }: ListedItem, now: number): Cell {
  if (verifiedAt === null) return problem === null ? { text: 'never', tone: 'warn' } : { text: NONE };
  const age = `${formatAge(now - Date.parse(verifiedAt))} ago`;
  return { text: loadMs === null ? age : `${age}, ${formatDuration(loadMs)}`, tone: 'good' };
}

function contentOf({ keys, graphs }: ListedItem): string {
  return keys === null || graphs === null ? NONE : `${String(keys)}/${String(graphs)}`;
}

function ageOf({ createdAt }: Pick<ListedItem, 'createdAt'>, now: number): string {
  return createdAt === null || isInFuture({ createdAt }, now) ? NONE : formatAge(now - Date.parse(createdAt));
}

/** A clock was wrong, or is now. */
function isInFuture({ createdAt }: Pick<ListedItem, 'createdAt'>, now: number): boolean {
  return createdAt !== null && Date.parse(createdAt) > now;
}

function stacked(item: ListedItem, now: number, page: Page): readonly string[] {
  const width = page.width - 4;
  const verified = verifiedCell(item, now);
  const facts = [
    ...(item.createdAt === null || isInFuture(item, now) ? [] : [`${ageOf(item, now)} old`]),
    ...(item.bytes === null ? [] : [formatBytes(item.bytes)]),
    ...(item.keys === null ? [] : [plural(item.keys, 'key')]),
    ...(item.graphs === null ? [] : [plural(item.graphs, 'graph')]),
  ];
  const remark = remarksCell(item, now, width);
  return [
    `  ${page.paint('strong', item.id)}`,
    ...(facts.length === 0 ? [] : wrap(facts.join(', '), page.width, '    ')),
    ...(item.problem === null ? [`    ${page.paint(verified.tone ?? 'plain', `verified ${verified.text}`)}`] : []),
    ...(remark.text === '' ? [] : [`    ${page.paint(remark.tone ?? 'plain', remark.text)}`]),
  ];
}

function problemLines(id: string, problem: NonNullable<ListedItem['problem']>, page: Page): readonly string[] {
  return [
    ...hanging('  ', clean(`${id}: ${problem.message}`), page.width),
    ...problem.evidence.flatMap((line) => hanging('      ', clean(line), page.width)),
    ...hanging('    → ', clean(problem.hint), page.width),
  ];
}

export function renderBackupPrune(
  report: BackupPruneReport,
  { envs }: { readonly envs: readonly string[] },
  page: Page,
): readonly string[] {
  const { environments, dryRun } = report;
  const lines = environments.flatMap((environment) => prunedLines(environment, dryRun, page));
  const removed = environments.flatMap(({ remove }) => remove);
  const bytes = removed.reduce((sum, backup) => sum + (backup.bytes ?? 0), 0);
  const size = bytes === 0 ? '' : `, ${formatBytes(bytes)}`;
  if (!dryRun) return page.quiet ? lines : [...lines, `${plural(removed.length, 'backup')} removed${size}.`];
  if (removed.length === 0) return page.quiet ? lines : [...lines, 'Nothing would be removed.'];
  if (page.quiet) return lines;
  const again = ['nexus3 backup prune', ...(envs.length === 0 ? ['--all'] : envs), '--yes'].join(' ');
  return [
    ...lines,
    ...wrap(
      `${plural(removed.length, 'backup')} would be removed${size}; nothing has been. Do it: ${again}`,
      page.width,
    ),
  ];
}

function prunedLines(
  { name, keep, remove, history }: PrunedEnvironment,
  dryRun: boolean,
  page: Page,
): readonly string[] {
  const kept = keep.map((backup) => [backup, whyKept(backup)] as const);
  const gone = remove.map((backup) => [backup, dryRun ? 'would be removed' : 'removed'] as const);
  const shown = [...kept, ...gone].sort(([a], [b]) => (a.id < b.id ? 1 : -1));
  const lines = shown
    .filter(([backup]) => !page.quiet || remove.includes(backup))
    .flatMap(([backup, why]) => {
      const [text, ...more] = hanging(`  ${backup.id} `, why, page.width);
      const tone = remove.includes(backup) ? 'warn' : 'plain';
      return [page.paint(tone, text ?? ''), ...more];
    });
  const freed =
    history === null || history.files === 0
      ? []
      : [`  history: ${formatBytes(history.bytes)} in ${plural(history.files, 'file')} removed`];
  if (lines.length === 0 && (freed.length === 0 || page.quiet)) return [];
  return [page.paint('strong', name), ...lines, ...(page.quiet ? [] : freed), ...(page.quiet ? [] : [''])];
}

function whyKept({ reasons, problem }: PrunedBackup): string {
  const words = reasons.map((reason) => (reason === 'last-verified' ? 'the last verified' : reason)).join(', ');
  if (problem === null) return `kept: ${words}`;
  return `kept${words === '' ? '' : `: ${words}`}, though it cannot be used (${problem.code})`;
}

function orNone(value: number | null, format: (value: number) => string): string {
  return value === null ? NONE : format(value);
}

/** `2026-01-08 12:00:07` */
function second(iso: string): string {
  return iso.slice(0, SECOND_CHARS).replace('T', ' ');
}
