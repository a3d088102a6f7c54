/** The benches of backups, restores and refills, on one vault of each size. What they compare: docs/performance.md. */
import type { Comparison, Findings, Measure } from '../comparison.js';
import { groundWith } from './ground.js';
import { memory } from './memory.js';
import { refill } from './refill.js';
import { restore } from './restore.js';
import { snapshot } from './snapshot.js';
import { writers } from './writers.js';

const MEGABYTE = 1_000_000;

export async function backups(note: (text: string) => void): Promise<Findings> {
  const comparisons: Comparison[] = [];
  const measures: Measure[] = [];
  {
    note('backup: a vault of 100 MB');
    await using ground = await groundWith(100 * MEGABYTE);
    comparisons.push(...(await refill(ground, '100mb')));
    comparisons.push(...(await restore(ground, '100mb')));
  }
  {
    note('backup: a vault of 1 GB');
    await using ground = await groundWith(1_000 * MEGABYTE);
    comparisons.push(...(await snapshot(ground, '1gb')));
    measures.push(...(await memory(ground, '1gb')));
    comparisons.push(...(await writers(ground, '1gb')));
    comparisons.push(...(await refill(ground, '1gb')));
  }
  return { comparisons, measures };
}
