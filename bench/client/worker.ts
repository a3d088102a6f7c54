/**
 * One contender in a process of its own, so that neither side's code, heap or timers slow the other's. Told what to do over
 * the channel to its parent; ends when that is gone.
 *
 *   node --expose-gc worker.js
 */
import { median } from '../comparison.js';
import { GRAPH, keyAt, NODES, VALUE } from './job.js';
import type { Done, Footprint, Job, Reply, Request } from './job.js';
import type { Side } from './sides.js';
import { openSide } from './sides.js';

const QUERY = 'MATCH (p:Person) WHERE p.id = $id RETURN p, p.name AS name';
const REPLICAS = 1;
const WAIT_TIMEOUT_MS = 5_000;
const MICROSECONDS_A_MS = 1_000;

const sides: Side[] = [];

process.on('message', (request: Request) => {
  void answer(request).then((reply) => process.send?.(reply));
});
process.once('disconnect', () => {
  process.exitCode = 0;
  void Promise.allSettled(sides.map((side) => side.close()));
});

async function answer(request: Request): Promise<Reply> {
  try {
    switch (request.kind) {
      case 'open':
        for (let client = 0; client < request.contender.clients; client += 1) {
          sides.push(await openSide(request.contender));
        }
        return { kind: 'opened' };
      case 'work':
        return { kind: 'done', done: await perform(request.job) };
      case 'footprint':
        return { kind: 'footprint', footprint: footprint() };
    }
  } catch (error) {
    return { kind: 'error', error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}

async function perform({ work, count, depth }: Job): Promise<Done> {
  const [side] = sides;
  if (side === undefined) throw new Error('no client is open');
  let stale = 0;
  const one = workOf(work, side, () => (stale += 1));
  const batches: number[] = [];
  const cpuBefore = cpuMs();
  const began = performance.now();
  let last = began;
  for (let index = 0; index < count; index += depth) {
    if (depth === 1) await one(index);
    else await Promise.all(Array.from({ length: depth }, (_, slot) => one(index + slot)));
    const now = performance.now();
    batches.push(now - last);
    last = now;
  }
  return { ms: last - began, cpuMs: cpuMs() - cpuBefore, p50Ms: median(batches), stale };
}

function workOf(work: Job['work'], side: Side, onStale: () => void): (index: number) => Promise<unknown> {
  const writeRead = (write: (key: string, value: string) => Promise<unknown>) => async (index: number) => {
    const [key, value] = [keyAt(index), `${String(process.pid)}-${String(index)}-${String(performance.now())}`];
    await write(key, value);
    if ((await side.operational.get(key)) !== value) onStale();
  };
  switch (work) {
    case 'get':
      return (index) => side.operational.get(keyAt(index));
    case 'set':
      return (index) => side.vault.set(keyAt(index), VALUE);
    case 'ping':
      return () => side.operational.ping();
    case 'wait':
      return () => side.vault.wait(REPLICAS, WAIT_TIMEOUT_MS);
    case 'ro-query': {
      const graph = side.graph(GRAPH);
      return async (index) => proveOne(await graph.roQuery(QUERY, { params: { id: index % NODES } }));
    }
    case 'ro-query-named':
      return async (index) => proveOne(await side.graph(GRAPH).roQuery(QUERY, { params: { id: index % NODES } }));
    case 'write-read':
      return writeRead((key, value) => side.vault.set(key, value));
    case 'write-wait-read':
      return writeRead((key, value) =>
        Promise.all([side.vault.set(key, value), side.vault.wait(REPLICAS, WAIT_TIMEOUT_MS)]),
      );
  }
}

function proveOne({ data }: { readonly data?: unknown[] }): void {
  if (data?.length !== 1) throw new Error(`one row was expected, not ${String(data?.length)}`);
}

function footprint(): Footprint {
  globalThis.gc?.();
  const { heapUsed, rss } = process.memoryUsage();
  return { cpuMs: cpuMs(), heapBytes: heapUsed, residentBytes: rss };
}

function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / MICROSECONDS_A_MS;
}
