/** The benches of backups, restores and refills, on one vault of each size. What they compare: docs/performance.md. */
import type { Comparison, Findings } from '../comparison.js';
import { renderMeasures, renderTable } from '../report.js';
import { groundWith } from './ground.js';
import { memory } from './memory.js';
import { refill } from './refill.js';
import { restore, type RestoreRounds } from './restore.js';
import { snapshot } from './snapshot.js';
import { writers } from './writers.js';

const MEGABYTE = 1_000_000;

type Note = (text: string) => void;

/**
 * A vault of 100 MB, restored; its operational, refilled. And one of 1 GB, fewer times: what nexus3 does besides takes the same
 * there.
 */
export async function restores(note: Note): Promise<Findings> {
  const small = await restoreAndRefill(100 * MEGABYTE, { size: '100mb', pairs: 5 });
  note(`100 MB\n${renderTable(small)}`);
  const large = await restoreAndRefill(1_000 * MEGABYTE, { size: '1gb', pairs: 2 });
  return { comparisons: [...small, ...large], measures: [] };
}

async function restoreAndRefill(bytes: number, rounds: RestoreRounds): Promise<readonly Comparison[]> {
  await using ground = await groundWith(bytes);
  return [...(await restore(ground, rounds)), ...(await refill(ground, rounds))];
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
