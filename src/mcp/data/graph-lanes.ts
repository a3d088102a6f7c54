/**
 * Connections for graph commands, one query at a time on each: one that runs long holds up nobody else, and a reply that is
 * too large ends with its own connection.
 */
import { Nexus3Error } from '../../errors.js';
import { OVERRUNS_MAX, QUERY_GRACE_MS } from './limits.js';
import { Turns } from './turns.js';

export interface LaneRun {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** A connection of its own to one server, whose replies come as their bytes. */
export interface GraphConnection {
  /** False once it has failed or was closed, by either side. */
  readonly isOpen: boolean;
  /** @throws what the server answers; Nexus3Error REPLY_TOO_LARGE, REDIS_UNREACHABLE, after which it is closed */
  ask(command: readonly string[]): Promise<Buffer>;
  close(): void;
}

/** Sends one command and waits for its reply, within bounds. */
export type Ask = (command: readonly string[]) => Promise<Buffer>;

export class GraphLanes {
  readonly #open: () => Promise<GraphConnection>;
  readonly #turns: Turns;
  readonly #idle: Lane[] = [];
  readonly #all = new Set<Lane>();
  #overruns = 0;
  #isClosed = false;

  constructor(open: () => Promise<GraphConnection>, atOnce: number) {
    this.#open = open;
    this.#turns = new Turns(atOnce);
  }

  /** @throws Nexus3Error BUSY, QUERY_TIMED_OUT, REPLY_TOO_LARGE; and what the server answers */
  run<Result>(work: (ask: Ask) => Promise<Result>, { timeoutMs, signal }: LaneRun): Promise<Result> {
    return this.#turns.run(async () => {
      if (this.#overruns >= OVERRUNS_MAX) throw overrun();
      const lane = this.#fromIdle() ?? (await this.#opened());
      try {
        return await work((command) => this.#ask(lane, command, timeoutMs, signal));
      } finally {
        if (!lane.runsOn) this.#release(lane);
      }
    }, signal);
  }

  close(): void {
    this.#isClosed = true;
    for (const lane of this.#all) lane.connection.close();
    this.#all.clear();
    this.#idle.length = 0;
  }

  /** The server may have closed it meanwhile. */
  #fromIdle(): Lane | undefined {
    for (let lane = this.#idle.pop(); lane !== undefined; lane = this.#idle.pop()) {
      if (lane.connection.isOpen) return lane;
      this.#all.delete(lane);
    }
    return undefined;
  }

  async #opened(): Promise<Lane> {
    const lane = { connection: await this.#open(), runsOn: false };
    if (this.#isClosed) lane.connection.close();
    else this.#all.add(lane);
    return lane;
  }

  #release(lane: Lane): void {
    if (lane.connection.isOpen) this.#idle.push(lane);
    else this.#all.delete(lane);
  }

  async #ask(lane: Lane, command: readonly string[], timeoutMs: number, signal: AbortSignal): Promise<Buffer> {
    signal.throwIfAborted();
    const asked = lane.connection.ask(command);
    const reply = await firstOf(asked, timeoutMs + QUERY_GRACE_MS, signal);
    if (reply !== undefined) return reply;
    // The engine cannot be made to stop. Its connection stays until it answers, so that it is known how many still run.
    if (!lane.runsOn) this.#overruns += 1;
    lane.runsOn = true;
    const ended = (): void => {
      if (!this.#all.delete(lane)) return;
      this.#overruns -= 1;
      lane.connection.close();
    };
    asked.then(ended, ended);
    signal.throwIfAborted();
    throw timedOut(timeoutMs);
  }
}

interface Lane {
  readonly connection: GraphConnection;
  /** What was sent over it is not waited for any more; then it ends. */
  runsOn: boolean;
}

/** Undefined when the time is over, or the signal raised, before it came. */
function firstOf(reply: Promise<Buffer>, waitMs: number, signal: AbortSignal): Promise<Buffer | undefined> {
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onLate);
    };
    const onLate = (): void => {
      settle();
      resolve(undefined);
    };
    const timer = setTimeout(onLate, waitMs);
    signal.addEventListener('abort', onLate);
    reply.then(
      (bytes) => {
        settle();
        resolve(bytes);
      },
      (error: unknown) => {
        settle();
        reject(error instanceof Error ? error : new Error(String(error)));
      },
    );
  });
}

function timedOut(timeoutMs: number): Nexus3Error {
  const message = `The query was not done after ${String(timeoutMs)} ms. It still runs on the server, which has no way to end it.`;
  return new Nexus3Error('QUERY_TIMED_OUT', message, {
    hint: 'Do not send it again as it is. Ask for less: start from an index or a label, bound each path ([*1..3]), LIMIT early.',
  });
}

function overrun(): Nexus3Error {
  const message = 'Earlier queries of this server still run there, and the engine has no way to end them.';
  return new Nexus3Error('BUSY', message, { hint: 'Wait until they have ended; then ask for less than they did.' });
}
