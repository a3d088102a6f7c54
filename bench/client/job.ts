/** What a bench asks of a worker (worker.ts), as it goes over the channel between the two processes. */

/** Where the pair answers, and how to log in at the vault. In a file that only its owner reads; never in argv. */
export interface Doors {
  readonly vaultPort: number;
  readonly operationalPort: number;
  /** Of `default`, at the vault. */
  readonly password: string;
}

/** Who does the work: nexus3, its options in words, or one of the libraries without it. */
export type SideName = 'nexus3' | 'nexus3-read-your-writes' | 'node-redis' | 'falkordb';

export interface Contender {
  readonly side: SideName;
  readonly doors: Doors;
  /** So many clients are opened; the first one works. */
  readonly clients: number;
  /** Of nexus3: how often it asks the servers how they are, in milliseconds. Undefined: as it does by itself. */
  readonly watchIntervalMs?: number;
}

/**
 * `get` reads at the operational, `set` writes at the vault. `ro-query` has its graph in hand, `ro-query-named` asks for it
 * each time. `write-read` writes a value and reads it at the operational; `write-wait-read` is what a careful person writes
 * without nexus3: the WAIT goes out with the write.
 */
export type Work = 'get' | 'set' | 'ro-query' | 'ro-query-named' | 'write-read' | 'write-wait-read' | 'ping' | 'wait';

export interface Job {
  readonly work: Work;
  readonly count: number;
  /** So many are under way together; the next ones go out when all of them are answered. */
  readonly depth: number;
}

export interface Done {
  /** The whole job. */
  readonly ms: number;
  /** CPU time of the worker’s process, by which a busy machine sways less. */
  readonly cpuMs: number;
  /** Of one batch of `depth`. */
  readonly p50Ms: number;
  /** Reads that did not see what was written just before. */
  readonly stale: number;
}

/** Of the worker’s process, after a collection of garbage. */
export interface Footprint {
  readonly cpuMs: number;
  readonly heapBytes: number;
  readonly residentBytes: number;
}

export type Request =
  | { readonly kind: 'open'; readonly contender: Contender }
  | { readonly kind: 'work'; readonly job: Job }
  | { readonly kind: 'footprint' };

/** The answer to each, in turn; `error` where it failed. */
export type Reply =
  | { readonly kind: 'opened' }
  | { readonly kind: 'done'; readonly done: Done }
  | { readonly kind: 'footprint'; readonly footprint: Footprint }
  | { readonly kind: 'error'; readonly error: string };

/** What the bench puts there beforehand. */
export const GRAPH = 'bench';
export const NODES = 1_000;
export const KEYS = 1_000;
export const VALUE = 'v'.repeat(100);

export function keyAt(index: number): string {
  return `bench:${String(index % KEYS)}`;
}
