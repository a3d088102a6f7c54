/** A table that fits its page: columns that matter least go first. Pure. */
import type { Page, Tone } from './paint.js';
import { cut } from './text.js';

export interface Cell {
  readonly text: string;
  readonly tone?: Tone;
}

export interface Column<Row> {
  readonly title: string;
  readonly align?: 'right';
  /** The higher, the sooner it is left out; 0: never. */
  readonly dispensable: number;
  cell(row: Row): Cell;
}

/** Takes what is left of the line. */
export interface LastColumn<Row> {
  readonly title: string;
  readonly widthMin: number;
  cell(row: Row, width: number): Cell;
}

const GAP = '  ';

/** Undefined when not even the columns that must be there fit. */
export function renderTable<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  last: LastColumn<Row>,
  page: Page,
): readonly string[] | undefined {
  const filled = columns.map((column) => {
    const cells = rows.map((row) => column.cell(row));
    return { column, cells, width: Math.max(column.title.length, ...cells.map(({ text }) => text.length)) };
  });
  const shown = fitting(filled, page.width - last.widthMin);
  if (shown === undefined) return undefined;
  const lastWidth = page.width - widthOf(shown);
  const head = [...shown.map(({ column, width }) => pad(column.title, width, column.align)), last.title].join(GAP);
  return [
    page.paint('faint', head),
    ...rows.map((row, index) => {
      const cells = shown.map(({ column, cells: own, width }) => {
        const { text, tone } = own[index] ?? { text: '' };
        return page.paint(tone ?? 'plain', pad(text, width, column.align));
      });
      const { text, tone } = last.cell(row, lastWidth);
      return [...cells, page.paint(tone ?? 'plain', cut(text, lastWidth))].join(GAP).trimEnd();
    }),
  ];
}

interface Filled<Row> {
  readonly column: Column<Row>;
  readonly cells: readonly Cell[];
  readonly width: number;
}

function fitting<Row>(filled: readonly Filled<Row>[], width: number): readonly Filled<Row>[] | undefined {
  let shown = filled;
  while (widthOf(shown) > width) {
    const most = Math.max(0, ...shown.map(({ column }) => column.dispensable));
    if (most === 0) return undefined;
    shown = shown.filter(({ column }) => column.dispensable !== most);
  }
  return shown;
}

/** With the gap behind each. */
function widthOf<Row>(filled: readonly Filled<Row>[]): number {
  return filled.reduce((sum, { width }) => sum + width + GAP.length, 0);
}

function pad(text: string, width: number, align: 'right' | undefined): string {
  return align === 'right' ? text.padStart(width) : text.padEnd(width);
}
