/**
 * Connections for graph commands, one command at a time on each: a query that runs long holds up nobody else, and a reply
 * that is too large or too deep ends with its own connection. (On a shared one, a reply that the driver cannot read would
 * leave every later reply with the command before its own.)
 */
import type { RedisClient } from '../../client/environment-client.js';
import { Nexus3Error } from '../../errors.js';
import { CountedSocket } from './counted-socket.js';
import type { Raw } from './graph-reply.js';
import { OVERRUNS_MAX, QUERY_GRACE_MS, REPLY_BYTES_MAX, REPLY_CHECK_MS } from './limits.js';
import { Turns } from './turns.js';

export interface LaneRun {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** `exact`: whole numbers as text, because a JavaScript number is not exact beyond 2^53. `quick`: as numbers, whatever they are. */
export type Integers = 'exact' | 'quick';

/** Sends one command and waits for its reply, within bounds. `exact` by default. */
export type Ask = (args: readonly string[], integers?: Integers) => Promise<Raw>;

/** `RESP_TYPES.NUMBER` of node-redis. */
const TYPE_MAPPINGS = { exact: { typeMapping: { 58: String } }, quick: { typeMapping: { 58: Number } } } as const;

export class GraphLanes {
  readonly #base: () => RedisClient;
  readonly #turns: Turns;
  readonly #idle: Lane[] = [];
  readonly #all = new Set<Lane>();
  #overruns = 0;

  constructor(base: () => RedisClient, atOnce: number) {
    this.#base = base;
    this.#turns = new Turns(atOnce);
  }

  /** @throws Nexus3Error BUSY, QUERY_TIMED_OUT, REPLY_TOO_LARGE; and what the server answers */
  run<Result>(work: (ask: Ask) => Promise<Result>, { timeoutMs, signal }: LaneRun): Promise<Result> {
    return this.#turns.run(async () => {
      if (this.#overruns >= OVERRUNS_MAX) throw overrun();
      const lane = this.#idle.pop() ?? (await this.#open());
      try {
        return await work((args, integers) => this.#ask(lane, { args, integers }, timeoutMs, signal));
      } finally {
        if (lane.usable) this.#idle.push(lane);
        else if (!lane.runsOn) this.#end(lane);
      }
    }, signal);
  }

  close(): void {
    for (const lane of this.#all) lane.end();
    this.#all.clear();
    this.#idle.length = 0;
  }

  async #open(): Promise<Lane> {
    const lane = await Lane.open(this.#base(), () => {
      const at = this.#idle.indexOf(lane);
      if (at >= 0) this.#idle.splice(at, 1);
      this.#end(lane);
    });
    this.#all.add(lane);
    return lane;
  }

  #end(lane: Lane): void {
    lane.end();
    this.#all.delete(lane);
  }

  async #ask(lane: Lane, command: Command, timeoutMs: number, signal: AbortSignal): Promise<Raw> {
    signal.throwIfAborted();
    const reply = lane.send(command);
    const outcome = await firstOf(reply, timeoutMs + QUERY_GRACE_MS, signal);
    if (outcome === 'answered') return reply;
    // The engine cannot be made to stop. Its connection stays until it answers, so that it is known how many still run.
    lane.runsOn = true;
    this.#overruns += 1;
    const ended = (): void => {
      this.#overruns -= 1;
      lane.runsOn = false;
      this.#end(lane);
    };
    reply.then(ended, ended);
    signal.throwIfAborted();
    throw timedOut(timeoutMs);
  }
}

interface Command {
  readonly args: readonly string[];
  readonly integers: Integers | undefined;
}

function firstOf(reply: Promise<Raw>, waitMs: number, signal: AbortSignal): Promise<'answered' | 'late'> {
  return new Promise((resolve) => {
    const settle = (outcome: 'answered' | 'late'): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      resolve(outcome);
    };
    const timer = setTimeout(settle, waitMs, 'late');
    const onAbort = (): void => settle('late');
    const onReply = (): void => settle('answered');
    signal.addEventListener('abort', onAbort);
    reply.then(onReply, onReply);
  });
}

class Lane {
  readonly #client: RedisClient;
  readonly #counted: CountedSocket;
  #failure: Nexus3Error | undefined;
  #ended = false;
  runsOn = false;

  private constructor(client: RedisClient, counted: CountedSocket) {
    this.#client = client;
    this.#counted = counted;
  }

  static async open(base: RedisClient, onGone: () => void): Promise<Lane> {
    const client = base.duplicate(withoutSignal(base)) as unknown as RedisClient;
    const counted = new CountedSocket();
    const lane = new Lane(client, counted);
    let why: unknown;
    client.on('error', (error: unknown) => {
      why ??= error;
      // What the driver cannot read; ended at once, before another reply can come in.
      if (error instanceof RangeError) lane.#failure = tooDeep();
      lane.end();
      onGone();
    });
    try {
      await counted.open(() => client.connect());
    } catch (error) {
      lane.end();
      // Ended by what kept it from opening: that says more than that it was ended.
      throw why ?? error;
    }
    return lane;
  }

  get usable(): boolean {
    return !this.#ended && !this.runsOn;
  }

  async send({ args, integers = 'exact' }: Command): Promise<Raw> {
    const before = this.#counted.bytesRead;
    const watch = setInterval(() => {
      if (this.#counted.bytesRead - before <= REPLY_BYTES_MAX) return;
      this.#failure = tooLarge();
      this.end();
    }, REPLY_CHECK_MS);
    try {
      return await this.#client.sendCommand<Raw>([...args], TYPE_MAPPINGS[integers]);
    } catch (error) {
      throw this.#failure ?? error;
    } finally {
      clearInterval(watch);
    }
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    if (this.#client.isOpen) this.#client.destroy();
  }
}

/** What cuts the client's own connection would gather a listener for each of these. They are ended one by one. */
function withoutSignal({ options }: RedisClient): Parameters<RedisClient['duplicate']>[0] {
  const socket = { ...options.socket };
  if ('signal' in socket) delete socket.signal;
  return { socket };
}

function tooLarge(): Nexus3Error {
  return new Nexus3Error('REPLY_TOO_LARGE', `The answer is larger than ${String(REPLY_BYTES_MAX)} bytes.`, {
    hint: 'Ask for fewer rows (LIMIT) or for less of each: single properties, size(x), substring(x, 0, 1000), x[0..100].',
  });
}

function tooDeep(): Nexus3Error {
  return new Nexus3Error('REPLY_TOO_LARGE', 'The answer is nested too deeply, or one value in it is too large.', {
    hint: 'Return flat values, and less of each.',
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
