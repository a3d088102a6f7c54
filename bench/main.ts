/**
 * All benches, or those whose names are given. Started by scripts/bench.mjs, which sets up what they need.
 *
 *   main.js [check-docker-12] [check-docker-100] [check-process-200] [up-docker-22] [credentials] [restore] [backup]
 *           [client] [mcp]
 */
import { EngineUnavailable } from '../test/support/docker-unavailable.js';
import { backups, restores } from './backup/backups.js';
import { checkHundred, checkRegistry } from './check-docker.js';
import { checkTwoHundred } from './check-process.js';
import { client } from './client/client.js';
import type { Comparison, Findings, Measure } from './comparison.js';
import { credentialsCold } from './credentials.js';
import { DockerBench } from './docker-bench.js';
import { describeMachine } from './machine.js';
import { mcp } from './mcp/mcp.js';
import { RivalUnavailable } from './mcp/rival-server.js';
import { renderMeasures, renderTable, writeReport } from './report.js';
import { upRegistry } from './up-docker.js';

const ON_DOCKER = {
  'check-docker-12': checkRegistry,
  'up-docker-22': upRegistry,
  'check-docker-100': checkHundred,
} as const;
const ON_PROCESSES = {
  'check-process-200': checkTwoHundred,
  credentials: credentialsCold,
  restore: () => restores(note),
  backup: () => backups(note),
  client: () => client(note),
  mcp,
} as const;

const chosen = process.argv.slice(2);
const isChosen = (name: string): boolean => chosen.length === 0 || chosen.includes(name);
const note = (text: string): void => {
  console.log(`# ${text}`);
};

const known = [...Object.keys(ON_DOCKER), ...Object.keys(ON_PROCESSES)];
const unknown = chosen.filter((name) => !known.includes(name));
if (unknown.length > 0) throw new Error(`no bench ${unknown.join(', ')}; there are ${known.join(', ')}`);

const startedAt = new Date().toISOString();
const machine = describeMachine();
const comparisons: Comparison[] = [];
const measures: Measure[] = [];
const skipped: { name: string; why: string }[] = [];

async function bench(name: string, run: () => Promise<readonly Comparison[] | Findings>): Promise<void> {
  if (!isChosen(name)) return;
  note(name);
  const found = await run();
  const { comparisons: compared, measures: bounded } =
    'measures' in found ? found : { comparisons: found, measures: [] };
  comparisons.push(...compared);
  measures.push(...bounded);
  console.log(`${renderTable(compared)}\n${renderMeasures(bounded)}`);
}

async function benchesOnDocker(): Promise<string | undefined> {
  const names = Object.keys(ON_DOCKER).filter(isChosen);
  if (names.length === 0) return undefined;
  try {
    await using docker = await DockerBench.start(note);
    for (const [name, run] of Object.entries(ON_DOCKER)) await bench(name, () => run(docker));
    return await docker.version();
  } catch (error) {
    if (!(error instanceof EngineUnavailable) || process.env['CI'] === 'true') throw error;
    note(`NO DOCKER: ${error.message}`);
    skipped.push(...names.map((name) => ({ name, why: error.message })));
    return undefined;
  }
}

for (const [name, run] of Object.entries(ON_PROCESSES)) {
  try {
    await bench(name, run);
  } catch (error) {
    if (!(error instanceof RivalUnavailable) || process.env['CI'] === 'true') throw error;
    note(`NO RIVAL: ${error.message}`);
    skipped.push({ name, why: error.message });
  }
}
const dockerEngine = await benchesOnDocker();
const file = await writeReport({ startedAt, machine, dockerEngine, comparisons, measures, skipped });
console.log(`\n${renderTable(comparisons)}\n\n${renderMeasures(measures)}\n`);
note(`written to ${file}`);
const missed = [...comparisons, ...measures].filter(({ met }) => met === false).map(({ name }) => name);
if (missed.length > 0) note(`missed: ${missed.join(', ')}`);
process.exitCode = missed.length > 0 || skipped.length > 0 ? 1 : 0;
