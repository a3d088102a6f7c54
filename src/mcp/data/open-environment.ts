/** One environment while this server serves it: its client, and the connections for graph commands. */
import type { EnvironmentClient } from '../../client/environment-client.js';
import { Nexus3Error } from '../../errors.js';
import { isReply, NotSent } from './failures.js';
import type { Ask, LaneRun } from './graph-lanes.js';
import { GraphLanes } from './graph-lanes.js';
import { COMMANDS_AT_ONCE_MAX, QUERIES_AT_ONCE_MAX, WRITES_AT_ONCE_MAX, WRITE_SEEN_WAIT_MS } from './limits.js';
import { Turns } from './turns.js';

/** Longer than any maximum that an engine may be given. */
const TIMEOUT_BEYOND_ANY_MS = Number.MAX_SAFE_INTEGER;

/** What is asked before a write, and writes nothing. */
const PROBE = 'GRAPH.RO_QUERY';

export class OpenEnvironment {
  readonly client: EnvironmentClient;
  readonly keyTurns = new Turns(COMMANDS_AT_ONCE_MAX);
  readonly #reads: GraphLanes;
  readonly #vaultReads: GraphLanes;
  readonly #writes: GraphLanes;
  /** The operational had not yet what was written here. */
  #behind = false;
  #endsWrites = false;

  constructor(client: EnvironmentClient) {
    this.client = client;
    this.#reads = new GraphLanes(() => client.operational, QUERIES_AT_ONCE_MAX);
    this.#vaultReads = new GraphLanes(() => client.vault, QUERIES_AT_ONCE_MAX);
    this.#writes = new GraphLanes(() => client.vault, WRITES_AT_ONCE_MAX);
  }

  /** On the operational; where it cannot answer, or has not yet what was written through this server, on the vault. */
  async readGraph<Result>(work: (ask: Ask) => Promise<Result>, run: LaneRun): Promise<Result> {
    if (this.client.kind === 'secure' || this.client.state.readsFrom === 'vault' || !(await this.#caughtUp())) {
      return this.#vaultReads.run(work, run);
    }
    try {
      return await this.#reads.run(work, run);
    } catch (error) {
      if (run.signal.aborted || !isAway(error)) throw error;
      return this.#vaultReads.run(work, run);
    }
  }

  /** On the vault, and then a short wait until the operational has it. @throws NotSent */
  async writeGraph<Result>(work: (ask: Ask) => Promise<Result>, run: LaneRun): Promise<Result> {
    let isSent = false;
    const noting =
      (ask: Ask): Ask =>
      (args, integers) => {
        isSent ||= args[0] !== PROBE;
        return ask(args, integers);
      };
    return this.#written((ask) => work(noting(ask)), run).catch((error: unknown) => {
      throw isSent || !isOfConnection(error) ? error : new NotSent(error);
    });
  }

  async #written<Result>(work: (ask: Ask) => Promise<Result>, run: LaneRun): Promise<Result> {
    return this.#writes.run(async (ask) => {
      this.#behind ||= this.client.kind === 'standard';
      const result = await work(ask);
      if (this.client.kind === 'standard') {
        // WAIT speaks for its own connection, which is why it goes over this one. Without an answer, it is not known.
        const seen = await ask(['WAIT', '1', String(WRITE_SEEN_WAIT_MS)]).catch(() => '0');
        this.#behind = Number(seen) < 1;
      }
      return result;
    }, run);
  }

  /** Whether the vault ends a write that takes too long. Without a maximum of its own, it takes no notice of TIMEOUT. */
  async endsWrites(ask: Ask, graph: string): Promise<boolean> {
    if (this.#endsWrites) return true;
    this.#endsWrites = await ask([PROBE, graph, 'RETURN 1', 'TIMEOUT', String(TIMEOUT_BEYOND_ANY_MS)]).then(
      () => false,
      (error: unknown) => {
        if (isReply(error)) return /TIMEOUT_MAX/.test(error.message);
        throw error;
      },
    );
    return this.#endsWrites;
  }

  async close(): Promise<void> {
    for (const lanes of [this.#reads, this.#vaultReads, this.#writes]) lanes.close();
    await this.client.close();
  }

  async #caughtUp(): Promise<boolean> {
    if (!this.#behind) return true;
    try {
      await this.client.synced({ timeoutMs: WRITE_SEEN_WAIT_MS });
      this.#behind = false;
      return true;
    } catch {
      // Then the vault answers; it has everything.
      return false;
    }
  }
}

/** Nobody has answered, and nobody has said why. */
function isOfConnection(error: unknown): error is Error {
  if (!(error instanceof Error) || error.name === 'AbortError' || error instanceof Nexus3Error) return false;
  return !isReply(error);
}

/** The operational is not there, or loads its data. */
function isAway(error: unknown): boolean {
  if (error instanceof Nexus3Error) return error.code === 'ENVIRONMENT_UNREACHABLE';
  return !isReply(error) || /^(LOADING|MASTERDOWN)/.test(error.message);
}
