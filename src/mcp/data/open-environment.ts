/** One environment while this server serves it: its client, and the connections for graph commands. */
import type { EnvironmentClient, ReadsFrom } from '../../client/environment-client.js';
import { Nexus3Error } from '../../errors.js';
import { isReply, isTooLarge, isUnreachable, NotSent } from './failures.js';
import type { Ask, GraphConnection, LaneRun } from './graph-lanes.js';
import { GraphLanes } from './graph-lanes.js';
import { COMMANDS_AT_ONCE_MAX, QUERIES_AT_ONCE_MAX, WRITES_AT_ONCE_MAX, WRITE_SEEN_WAIT_MS } from './limits.js';
import { Turns } from './turns.js';

/** Longer than any maximum that an engine may be given. */
const TIMEOUT_BEYOND_ANY_MS = Number.MAX_SAFE_INTEGER;

/** What is asked before a write, and writes nothing. */
const PROBE = 'GRAPH.RO_QUERY';

export interface Opened {
  /** With `readYourWrites`. */
  readonly client: EnvironmentClient;
  /** One more connection to one of its servers, logged in as the client is. */
  readonly connect: (side: ReadsFrom) => Promise<GraphConnection>;
}

export class OpenEnvironment {
  readonly client: EnvironmentClient;
  readonly keyTurns = new Turns(COMMANDS_AT_ONCE_MAX);
  readonly #reads: GraphLanes;
  readonly #vaultReads: GraphLanes;
  readonly #writes: GraphLanes;
  /** How many writes went through here, and how many of them the operational was seen to have since it was last away. */
  #written = 0;
  #seen = 0;
  #endsWrites = false;

  constructor({ client, connect }: Opened) {
    this.client = client;
    this.#reads = new GraphLanes(() => connect('operational'), QUERIES_AT_ONCE_MAX);
    this.#vaultReads = new GraphLanes(() => connect('vault'), QUERIES_AT_ONCE_MAX);
    this.#writes = new GraphLanes(() => connect('vault'), WRITES_AT_ONCE_MAX);
    // One that was away may have been started anew, from a snapshot older than what it was seen to have.
    client.on('route', ({ readsFrom }) => {
      if (readsFrom === 'vault') this.#seen = 0;
    });
  }

  /** On the operational; where it cannot answer, or has not yet what was written through this server, on the vault. */
  async readGraph<Result>(work: (ask: Ask) => Promise<Result>, run: LaneRun): Promise<Result> {
    const isElsewhere = this.client.state.readsFrom === 'vault';
    if (isElsewhere || (this.#isBehind && !(await this.#caughtUp()))) return this.#vaultReads.run(work, run);
    try {
      return await this.#reads.run(work, run);
    } catch (error) {
      if (run.signal.aborted || !isAway(error)) throw error;
      return this.#vaultReads.run(work, run);
    }
  }

  /** On the vault, and then a short wait until the operational has it. @throws NotSent */
  async writeGraph<Result>(work: (ask: Ask) => Promise<Result>, run: LaneRun): Promise<Result> {
    let sent = 0;
    try {
      return await this.#writes.run(async (ask) => {
        try {
          const result = await work((command) => {
            if (command[0] !== PROBE) {
              sent += 1;
              // Also what fails may have been done.
              this.#written += 1;
            }
            return ask(command);
          });
          await this.#wroteGraph();
          return result;
        } catch (error) {
          if (isTooLarge(error)) await this.#wroteGraph();
          throw error;
        }
      }, run);
    } catch (error) {
      throw sent > 0 || !isUnreachable(error) ? error : new NotSent(error);
    }
  }

  async #wroteGraph(): Promise<void> {
    // The client has its own reads wait for all that the vault has by now, as for whatever it sends there and is no read.
    await this.client.vault.ping();
    await this.wrote();
  }

  /** Something was written through the client or here: graphs are read from the vault until the operational is seen to have it. */
  async wrote(): Promise<void> {
    this.#written += 1;
    await this.#caughtUp();
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

  get #isBehind(): boolean {
    return this.client.kind === 'standard' && this.#seen < this.#written;
  }

  async #caughtUp(): Promise<boolean> {
    if (!this.#isBehind) return true;
    const written = this.#written;
    try {
      await this.client.synced({ timeoutMs: WRITE_SEEN_WAIT_MS });
      this.#seen = Math.max(this.#seen, written);
      return true;
    } catch {
      // Then the vault answers; it has everything.
      return false;
    }
  }
}

/** The operational is not there, or loads its data. */
function isAway(error: unknown): boolean {
  if (error instanceof Nexus3Error) return isUnreachable(error);
  return !isReply(error) || /^(LOADING|MASTERDOWN)/.test(error.message);
}
