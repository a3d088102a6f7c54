/** `connect` against the libraries that it stands on, on one running pair. What is compared: docs/performance.md. */
import type { Findings } from '../comparison.js';
import { renderMeasures, renderTable } from '../report.js';
import { groundWithData } from './ground.js';
import { idle } from './idle.js';
import { readYourWrites } from './read-your-writes.js';
import { startUp } from './start-up.js';
import { throughput } from './throughput.js';

/** Each part is told as soon as it is known. */
export async function client(note: (text: string) => void): Promise<Findings> {
  await using ground = await groundWithData();
  const told = ({ comparisons, measures }: Findings): Findings => {
    note(`so far\n${renderTable(comparisons)}\n${renderMeasures(measures)}`);
    return { comparisons, measures };
  };
  const parts = [
    told({ comparisons: await throughput(ground.doors), measures: [] }),
    told(await readYourWrites(ground.doors)),
    told({ comparisons: await startUp(ground), measures: [] }),
    told(await idle(ground.doors)),
  ];
  return {
    comparisons: parts.flatMap(({ comparisons }) => comparisons),
    measures: parts.flatMap(({ measures }) => measures),
  };
}
