import { expect, it } from 'vitest';
import { TEXT_BYTES_MAX } from './limits.js';
import { answerValue, JsonList } from '../json-list.js';
import { rowsText } from './rows-text.js';

const answer = (values: readonly unknown[]) => {
  const rows = new JsonList(values.map((row) => JSON.stringify(row)));
  return { graph: 'g', columns: ['x'], rows, truncated: false, cut: ['before'] };
};

it('is the same JSON where that is short', () => {
  const short = answer([['a'], ['b']]);
  expect(JSON.parse(rowsText(short))).toEqual(answerValue(short));
});

it('is the beginning of a long answer, and says how to see the rest', () => {
  const rows = Array.from({ length: 1_000 }, (_, index) => [`${String(index)} ${'ä'.repeat(20)}`]);
  const text = rowsText(answer(rows));
  expect(Buffer.byteLength(text)).toBeLessThan(TEXT_BYTES_MAX + 400);
  const shown = JSON.parse(text) as { rows: unknown[]; truncated: boolean; cut: string[] };
  expect(shown.rows.length).toBeGreaterThan(300);
  expect(shown.rows).toEqual(rows.slice(0, shown.rows.length));
  expect(shown.truncated).toBe(true);
  expect(shown.cut[0]).toBe('before');
  expect(shown.cut[1]).toContain(`call it again with rows: ${String(shown.rows.length)}`);
});

it('shows one row at least, and an only row whole', () => {
  const long = ['x'.repeat(2 * TEXT_BYTES_MAX)];
  expect((JSON.parse(rowsText(answer([long, ['b']]))) as { rows: unknown[] }).rows).toEqual([long]);
  expect(JSON.parse(rowsText(answer([long])))).toEqual(answerValue(answer([long])));
});
