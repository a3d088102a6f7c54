/**
 * What it costs to read what was just written: a write and a read of it with `readYourWrites`, against the same without.
 * Told three ways. In round trips, through proxies that make each wait for an answer take 10 ms, so that nothing else
 * counts; in requests that the servers were sent; and in time over loopback, where a round trip takes hardly longer than
 * the work.
 */
import type { Comparison, Findings, Measure } from '../comparison.js';
import { alternate, judge, measured } from '../comparison.js';
import { callsAt } from './ground.js';
import type { Doors, Work } from './job.js';
import { DelayingProxy } from './delaying-proxy.js';
import { urlsOf } from './sides.js';
import { Worker } from './worker-process.js';

const ROUNDS = { warmUps: 1, pairs: 10 };
const COUNT = 1_000;
const FAR_COUNT = 40;
const FAR_ROUNDS = 5;
const ONE_WAY_MS = 5;
/** So seldom that none of it falls into a count. */
const WATCH_INTERVAL_MS = 600_000;
/** What a pair says to itself, and how a connection begins. The two INFO that ask for the counts do not matter. */
const NOT_OURS: ReadonlySet<string> = new Set(['replconf', 'psync', 'hello', 'auth', 'client|setinfo']);

export async function readYourWrites(doors: Doors): Promise<Findings> {
  const measures = [await roundTrips(doors), await requests(doors)];
  const near = await overLoopback(doors);
  return { comparisons: near.comparisons, measures: [...measures, ...near.measures] };
}

/** In round trips to a server that is {@link ONE_WAY_MS} away each way; replication is not slowed. */
async function roundTrips(doors: Doors): Promise<Measure> {
  await using vault = await DelayingProxy.before(doors.vaultPort, ONE_WAY_MS);
  await using operational = await DelayingProxy.before(doors.operationalPort, ONE_WAY_MS);
  const far = { ...doors, vaultPort: vault.port, operationalPort: operational.port };
  await using waiting = await Worker.open({ side: 'nexus3-read-your-writes', doors: far, clients: 1 });
  await using plain = await Worker.open({ side: 'nexus3', doors: far, clients: 1 });
  const values: number[] = [];
  for (let round = 0; round < FAR_ROUNDS; round += 1) {
    const trip = await p50(plain, 'ping', FAR_COUNT);
    const extra = (await p50(waiting, 'write-read', FAR_COUNT)) - (await p50(plain, 'write-read', FAR_COUNT));
    values.push(toTenths(extra / trip));
  }
  return measured({
    name: 'client-read-your-writes-trips',
    what: 'a write and a read of it with readYourWrites, beyond the same without, where a round trip takes 10 ms',
    unit: 'round trips',
    values,
    max: 1,
  });
}

async function requests(doors: Doors): Promise<Measure> {
  const counted = async (side: 'nexus3' | 'nexus3-read-your-writes'): Promise<number> => {
    await using worker = await Worker.open({ side, doors, clients: 1, watchIntervalMs: WATCH_INTERVAL_MS });
    await worker.work({ work: 'write-read', count: COUNT, depth: 1 });
    const before = await callsOf(doors);
    await worker.work({ work: 'write-read', count: COUNT, depth: 1 });
    return ((await callsOf(doors)) - before) / COUNT;
  };
  const extra = (await counted('nexus3-read-your-writes')) - (await counted('nexus3'));
  return measured({
    name: 'client-read-your-writes-requests',
    what: 'requests that both servers were sent for a write and a read of it with readYourWrites, beyond those without',
    unit: 'requests',
    values: [extra],
  });
}

async function callsOf(doors: Doors): Promise<number> {
  const { vault, operational } = urlsOf(doors);
  let sum = 0;
  for (const url of [vault, operational]) {
    for (const [name, calls] of await callsAt(url)) if (!NOT_OURS.has(name)) sum += calls;
  }
  return sum;
}

async function overLoopback(doors: Doors): Promise<Findings> {
  await using waiting = await Worker.open({ side: 'nexus3-read-your-writes', doors, clients: 1 });
  await using plain = await Worker.open({ side: 'nexus3', doors, clients: 1 });
  await using byHand = await Worker.open({ side: 'node-redis', doors, clients: 1 });
  const trips: number[] = [];
  let stale = 0;
  const ours = async (): Promise<number> => {
    const done = await waiting.work({ work: 'write-read', count: COUNT, depth: 1 });
    stale += done.stale;
    return done.p50Ms;
  };
  const againstPlain = await alternate(ours, () => p50(plain, 'write-read', COUNT), ROUNDS);
  const againstHand = await alternate(ours, () => p50(byHand, 'write-wait-read', COUNT), ROUNDS);
  for (const { nexus3Ms, rivalMs } of againstPlain) {
    trips.push((nexus3Ms - rivalMs) / (await p50(plain, 'ping', COUNT)));
  }
  return {
    comparisons: [
      compared('client-read-your-writes', 'nexus3: the same without it', againstPlain),
      compared('client-read-your-writes-by-hand', 'node-redis: SET and WAIT 1 together, then GET', againstHand),
    ],
    measures: [
      measured({
        name: 'client-read-your-writes-loopback',
        what: 'the same over loopback, in p50 of a PING',
        unit: 'round trips',
        values: trips,
      }),
      measured({
        name: 'client-read-your-writes-stale',
        what: 'reads that did not see the write before them, with readYourWrites',
        unit: 'reads',
        values: [stale],
        max: 0,
      }),
    ],
  };
}

function compared(name: string, rival: string, pairs: Parameters<typeof judge>[1]): Comparison {
  const nexus3 = 'nexus3: `vault.set` and `operational.get` of it with readYourWrites, p50';
  return judge({ name, nexus3, rival, target: { kind: 'none' } }, pairs);
}

async function p50(worker: Worker, work: Work, count: number): Promise<number> {
  return (await worker.work({ work, count, depth: 1 })).p50Ms;
}

/** A request takes some time besides its trip, too; what is asked here is how many trips there were. */
function toTenths(value: number): number {
  return Math.round(value * 10) / 10;
}
