/** Commands a second, against the library that nexus3 stands on: the same commands, as many under way together. */
import type { Comparison, Contest, Contestant, Pair, Target } from '../comparison.js';
import { alternate, judge } from '../comparison.js';
import type { Doors, Job, SideName } from './job.js';
import { Worker } from './worker-process.js';

const ROUNDS = { warmUps: 3, pairs: 20 };
const TARGET: Target = { kind: 'times-faster', min: 0.95 };
const NONE: Target = { kind: 'none' };

type Trial = Job & { readonly name: string; readonly what: string; readonly target: Target };

/** Each takes a few hundred milliseconds: long against a timer, short against what else the machine does. */
const AGAINST_NODE_REDIS: readonly Trial[] = [
  { name: 'client-get-1', work: 'get', depth: 1, count: 4_000, what: '`operational.get`', target: TARGET },
  { name: 'client-get-100', work: 'get', depth: 100, count: 40_000, what: '`operational.get`', target: TARGET },
  { name: 'client-set-1', work: 'set', depth: 1, count: 3_000, what: '`vault.set`', target: TARGET },
  { name: 'client-set-100', work: 'set', depth: 100, count: 30_000, what: '`vault.set`', target: TARGET },
];

const AGAINST_FALKORDB: readonly Trial[] = [
  { name: 'client-ro-query-1', work: 'ro-query', depth: 1, count: 1_000, what: '`roQuery`', target: TARGET },
  { name: 'client-ro-query-16', work: 'ro-query', depth: 16, count: 3_200, what: '`roQuery`', target: TARGET },
  {
    name: 'client-ro-query-named',
    work: 'ro-query-named',
    depth: 1,
    count: 500,
    what: '`graph(name).roQuery`, the graph asked for each time',
    target: TARGET,
  },
];

/** With its reads waiting for its writes, where there is no write to wait for. */
const READ_YOUR_WRITES: readonly Trial[] = [
  {
    name: 'client-get-read-your-writes-100',
    work: 'get',
    depth: 100,
    count: 40_000,
    what: '`operational.get`, with readYourWrites',
    target: NONE,
  },
];

/** What the measurement itself sways by: nothing against the same nothing. */
const CONTROL: readonly Trial[] = [
  { name: 'client-control-get-1', work: 'get', depth: 1, count: 4_000, what: 'GET', target: NONE },
];

export async function throughput(doors: Doors): Promise<readonly Comparison[]> {
  return [
    ...(await contests(doors, 'nexus3', 'node-redis', AGAINST_NODE_REDIS)),
    ...(await contests(doors, 'nexus3', 'falkordb', AGAINST_FALKORDB)),
    ...(await contests(doors, 'nexus3-read-your-writes', 'node-redis', READ_YOUR_WRITES)),
    ...(await contests(doors, 'node-redis', 'node-redis', CONTROL)),
  ];
}

async function contests(
  doors: Doors,
  ours: SideName,
  theirs: SideName,
  trials: readonly Trial[],
): Promise<readonly Comparison[]> {
  await using nexus3 = await Worker.open({ side: ours, doors, clients: 1 });
  await using rival = await Worker.open({ side: theirs, doors, clients: 1 });
  const comparisons: Comparison[] = [];
  for (const { name, what, target, ...job } of trials) {
    const contest: Contest = {
      name,
      nexus3: `${ours}: ${what}, ${String(job.depth)} under way together`,
      rival: `${theirs}: the same`,
      target,
    };
    const cpu = { nexus3: [] as number[], rival: [] as number[] };
    const pairs = await alternate(performer(nexus3, job, cpu.nexus3), performer(rival, job, cpu.rival), ROUNDS);
    comparisons.push(judge(contest, pairs), judge(ofCpu(contest), cpuPairs(cpu.nexus3, cpu.rival)));
  }
  return comparisons;
}

function performer(worker: Worker, job: Job, cpu: number[]): Contestant {
  return async () => {
    const { ms, cpuMs } = await worker.work(job);
    cpu.push(cpuMs);
    return ms;
  };
}

function ofCpu(contest: Contest): Contest {
  return { ...contest, name: `${contest.name}-cpu`, nexus3: `${contest.nexus3}: CPU time`, target: NONE };
}

/** Without the warm-ups. */
function cpuPairs(nexus3: readonly number[], rival: readonly number[]): readonly Pair[] {
  return nexus3.map((nexus3Ms, round) => ({ nexus3Ms, rivalMs: rival[round] ?? 0 })).slice(ROUNDS.warmUps);
}
