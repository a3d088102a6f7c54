/** The benches of backups, restores and refills, on one vault of each size. What they compare: docs/performance.md. */
import type { Findings } from '../comparison.js';
import { renderMeasures, renderTable } from '../report.js';
import { groundWith } from './ground.js';
import { memory } from './memory.js';
import { refill } from './refill.js';
import { restore } from './restore.js';
import { snapshot } from './snapshot.js';
import { writers } from './writers.js';

const MEGABYTE = 1_000_000;

type Note = (text: string) => void;

/** A vault of 100 MB, restored; its operational, refilled. */
export async function restores(note: Note): Promise<Findings> {
  await using ground = await groundWith(100 * MEGABYTE);
  const restored = await restore(ground, '100mb');
  note(`restored\n${renderTable(restored)}`);
  return { comparisons: [...restored, ...(await refill(ground, '100mb'))], measures: [] };
}

/** A vault of 1 GB, backed up. Each part is told as soon as it is known: the next takes minutes. */
export async function backups(note: Note): Promise<Findings> {
  await using ground = await groundWith(1_000 * MEGABYTE);
  const created = await snapshot(ground, '1gb');
  note(`against redis-cli --rdb\n${renderTable(created)}`);
  const measures = await memory(ground, '1gb');
  note(`memory\n${renderMeasures(measures)}`);
  return { comparisons: [...created, ...(await writers(ground, '1gb'))], measures };
}
