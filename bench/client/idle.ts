/** What a client costs that does nothing: its process, and the servers that it keeps asking how they are. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Comparison, Findings } from '../comparison.js';
import { judge, measured } from '../comparison.js';
import { callsAt } from './ground.js';
import type { Doors, Footprint, SideName } from './job.js';
import { urlsOf } from './sides.js';
import { Worker } from './worker-process.js';

const CLIENTS = 20;
const IDLE_MS = 60_000;
const SETTLE_MS = 2_000;
const BYTES_A_KB = 1_000;
const MS_A_SECOND = 1_000;

interface Idle {
  readonly empty: Footprint;
  readonly opened: Footprint;
  readonly later: Footprint;
  /** At both servers, a client and second. */
  readonly requests: number;
}

export async function idle(doors: Doors): Promise<Findings> {
  // At once: neither does anything, and node-redis asks the servers nothing meanwhile.
  const [nexus3, rival] = await Promise.all([idleAs('nexus3', doors), idleAs('node-redis', doors)]);
  return {
    comparisons: [cpu(nexus3, rival)],
    measures: [
      memory('client-idle-heap', 'heap of one nexus3 client', nexus3),
      memory('client-idle-heap-node-redis', 'heap of a pair of node-redis clients', rival),
      measured({
        name: 'client-idle-requests',
        what: 'requests that both servers are sent by one nexus3 client that does nothing',
        unit: 'a second',
        values: [nexus3.requests],
      }),
    ],
  };
}

async function idleAs(side: SideName, doors: Doors): Promise<Idle> {
  await using worker = Worker.start();
  // One by itself first: what is loaded once is no cost of each.
  await worker.connect({ side, doors, clients: 1 });
  await sleep(SETTLE_MS);
  const empty = await worker.footprint();
  await worker.connect({ side, doors, clients: CLIENTS });
  await sleep(SETTLE_MS);
  const opened = await worker.footprint();
  const before = await callsOf(doors);
  await sleep(IDLE_MS);
  const calls = (await callsOf(doors)) - before;
  return { empty, opened, later: await worker.footprint(), requests: (calls / (CLIENTS + 1) / IDLE_MS) * MS_A_SECOND };
}

function cpu(nexus3: Idle, rival: Idle): Comparison {
  const aClient = ({ opened, later }: Idle): number => (later.cpuMs - opened.cpuMs) / (CLIENTS + 1);
  return judge(
    {
      name: 'client-idle-cpu',
      nexus3: 'CPU time of one nexus3 client that does nothing for a minute',
      rival: 'of a pair of node-redis clients',
      target: { kind: 'none' },
    },
    [{ nexus3Ms: aClient(nexus3), rivalMs: aClient(rival) }],
  );
}

function memory(name: string, what: string, { empty, opened }: Idle): ReturnType<typeof measured> {
  const values = [(opened.heapBytes - empty.heapBytes) / CLIENTS / BYTES_A_KB];
  return measured({ name, what, unit: 'kB', values });
}

/** `info` is among what clients ask; the two that the bench itself asks do not matter. */
async function callsOf(doors: Doors): Promise<number> {
  const { vault, operational } = urlsOf(doors);
  let sum = 0;
  for (const url of [vault, operational]) {
    for (const [name, calls] of await callsAt(url)) if (name !== 'replconf') sum += calls;
  }
  return sum;
}
