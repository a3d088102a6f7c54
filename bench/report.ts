/** The comparisons as a table on the terminal, and as JSON for whoever compares runs. Schema: docs/performance.md. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Comparison, Measure, Target } from './comparison.js';
import type { Machine } from './machine.js';

const SCHEMA = 'nexus3.bench/1';

export interface BenchReport {
  readonly startedAt: string;
  readonly machine: Machine;
  /** Undefined where no bench on Docker ran. */
  readonly dockerEngine: string | undefined;
  readonly comparisons: readonly Comparison[];
  readonly measures: readonly Measure[];
  /** Benches that could not be run, and why. */
  readonly skipped: readonly { readonly name: string; readonly why: string }[];
}

/** Returns the file’s path. */
export async function writeReport(report: BenchReport): Promise<string> {
  const folder = join(process.cwd(), 'bench', 'results');
  await mkdir(folder, { recursive: true });
  const file = join(folder, `${report.startedAt.replaceAll(':', '-')}.json`);
  await writeFile(file, `${JSON.stringify({ schema: SCHEMA, ...report }, null, 2)}\n`);
  return file;
}

const HEAD = ['bench', 'nexus3', 'rival', 'ratio', 'lowest–highest', 'target', ''] as const;

export function renderTable(comparisons: readonly Comparison[]): string {
  const rows = comparisons.map((comparison) => [
    comparison.name,
    milliseconds(comparison.nexus3MedianMs),
    milliseconds(comparison.rivalMedianMs),
    words(comparison.target, comparison.ratio),
    `${comparison.ratioLowest.toFixed(2)}–${comparison.ratioHighest.toFixed(2)}`,
    wanted(comparison.target),
    comparison.met === undefined ? '' : comparison.met ? 'met' : 'MISSED',
  ]);
  return table(HEAD, rows);
}

const MEASURE_HEAD = ['bench', 'highest', 'all', 'bound', ''] as const;

/** Empty where there is none. */
export function renderMeasures(measures: readonly Measure[]): string {
  if (measures.length === 0) return '';
  const rows = measures.map(({ name, unit, values, highest, max, met }) => [
    name,
    `${amount(highest)} ${unit}`,
    values.map(amount).join(' '),
    max === undefined ? '' : `≤ ${String(max)} ${unit}`,
    met === undefined ? '' : met ? 'met' : 'MISSED',
  ]);
  return table(MEASURE_HEAD, rows);
}

/** Below this two decimals are shown. */
const SMALL_AMOUNT = 10;

function amount(value: number): string {
  return value < SMALL_AMOUNT ? String(Math.round(value * 100) / 100) : String(Math.round(value));
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((word, column) => Math.max(word.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  return [line(head), ...rows.map(line)].join('\n');
}

/** Below this, in milliseconds, two decimals are shown. */
const SMALL_MS = 10;

function milliseconds(ms: number): string {
  if (ms < SMALL_MS) return `${ms.toFixed(2)} ms`;
  return `${Math.round(ms).toLocaleString('en-US')} ms`;
}

function words({ kind }: Target, ratio: number): string {
  return kind === 'times-as-long' ? `${ratio.toFixed(2)}× the time` : `${ratio.toFixed(2)}× faster`;
}

function wanted(target: Target): string {
  if (target.kind === 'none') return '';
  return target.kind === 'times-faster' ? `≥ ${String(target.min)}×` : `< ${String(target.max)}×`;
}
