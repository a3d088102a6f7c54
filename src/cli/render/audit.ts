/** `nexus3 locker audit`: a line for each entry, or a few short ones on a narrow page. Pure. */
import type { AuditEntry, AuditFolded, AuditPage, AuditProof } from '../../locker/audit/audit.js';
import type { Page, Tone } from './paint.js';
import type { Cell, Column, LastColumn } from './table.js';
import { renderTable } from './table.js';
import { clean, cut, hanging, plural, wrap } from './text.js';

/** Below this a table is harder to read than lines one under the other. */
const TABLE_WIDTH_MIN = 70;
const NOT_GENUINE = '(not genuine)';

export function renderAudit({ entries, more }: AuditPage, page: Page): readonly string[] {
  if (entries.length === 0) return ['Nothing of that kind is in the audit.'];
  const table = page.width < TABLE_WIDTH_MIN ? undefined : renderTable(entries, COLUMNS, WHO_COLUMN, page);
  const body = table ?? entries.flatMap((entry) => stacked(entry, page));
  if (page.quiet) return body;
  const count = `${plural(entries.length, 'entry').replace('entrys', 'entries')}, times in UTC`;
  const left = more ? '; there are older ones: --limit N shows more.' : '.';
  return [...body, '', ...wrap(`${count}${left}`, page.width)];
}

export function renderProof(proof: AuditProof, folded: AuditFolded, page: Page): readonly string[] {
  const { entries, firstSeq, lastSeq, warnings } = proof;
  const range = entries === 0 ? 'there is none yet' : `entries ${String(firstSeq)} to ${String(lastSeq)}`;
  const trimmed = firstSeq > 1 ? `; the ${String(firstSeq - 1)} before were trimmed away by the setting` : '';
  const taken = folded.notes + folded.denied;
  return [
    ...wrap(`The audit is whole: ${range}${trimmed}.`, page.width).map((line) => page.paint('good', line)),
    ...warnings.flatMap((text) => hanging('! ', text, page.width)).map((line) => page.paint('warn', line)),
    ...(taken === 0 || page.quiet
      ? []
      : wrap(
          `Taken in now: ${plural(folded.notes, 'note')} of tokens, ${plural(folded.denied, 'refusal')} of Locker’s server.`,
          page.width,
        )),
  ];
}

const COLUMNS: readonly Column<AuditEntry>[] = [
  { title: 'NO', dispensable: 2, align: 'right', cell: ({ seq }) => ({ text: String(seq) }) },
  { title: 'WHEN', dispensable: 0, cell: ({ at }) => ({ text: timeOf(at) }) },
  { title: 'ACTION', dispensable: 0, cell: actionCell },
  { title: 'WHAT', dispensable: 0, cell: ({ what }) => ({ text: cut(clean(what), 36), tone: 'strong' }) },
];

const WHO_COLUMN: LastColumn<AuditEntry> = {
  title: 'WHO',
  widthMin: 16,
  cell: (entry, width) => ({ text: cut(whoOf(entry), width) }),
};

function actionCell({ action, outcome }: AuditEntry): Cell {
  const tone: Tone = outcome === 'ok' ? 'plain' : outcome === 'denied' ? 'bad' : 'warn';
  return { text: outcome === 'ok' ? action : `${action} ${outcome}`, tone };
}

/** `ada, pid 4711 of bash`, `token t_1a2b3c4d`, and what else is known. */
function whoOf({ who, detail, genuine }: AuditEntry): string {
  const pid = who.pid === 0 ? '' : `pid ${String(who.pid)}`;
  const process = [pid, who.parent].filter((part) => part !== '').join(' of ');
  const parts = [
    genuine ? '' : NOT_GENUINE,
    who.user,
    process,
    who.token === null ? '' : `token ${who.token}`,
    detail ?? '',
  ];
  return clean(parts.filter((part) => part !== '').join(', '));
}

function timeOf(at: string): string {
  return at.slice(0, 19).replace('T', ' ');
}

function stacked(entry: AuditEntry, page: Page): readonly string[] {
  const action = actionCell(entry);
  return [
    `${timeOf(entry.at)} ${page.paint(action.tone ?? 'plain', action.text)}`,
    `  ${page.paint('strong', cut(clean(entry.what), page.width - 2))}`,
    ...wrap(whoOf(entry), page.width - 2).map((line) => `  ${cut(line, page.width - 2)}`),
  ];
}
