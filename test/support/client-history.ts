/**
 * What clients did and were told, as it happened: each call with the instants of its beginning and its end, on one clock
 * that never stands still, so that of any two events one is earlier. check-history.ts judges it.
 */
import { performance } from 'node:perf_hooks';
import type { Role } from '../../src/protocol/environment.js';

/**
 * `string`, `list` and `graph` registers are written by one client alone, with values 1, 2, 3, … of which none is used
 * twice: what a read returns says which writes it has seen. A string holds the last value only, the others all of them.
 * A counter is incremented by everybody; its values are those that the server answers.
 */
export type Shape = 'string' | 'list' | 'graph' | 'counter';

/** `refused`: the client says that it was not sent. `unknown`: it may have been done, or not. */
export type Outcome = 'ok' | 'refused' | 'unknown';

interface Call {
  readonly client: number;
  readonly register: string;
  readonly shape: Shape;
  /** By which of the client's ways: `command`, `pipeline`, `multi`, … */
  readonly way: string;
  /** Milliseconds of the history's clock. */
  readonly invokedMs: number;
  readonly endedMs: number;
  /** What was thrown, as `code: message`. */
  readonly error?: string;
}

export interface Write extends Call {
  readonly type: 'write';
  readonly outcome: Outcome;
  /** What is written; of a counter what was answered, undefined if nothing was. */
  readonly value: number | undefined;
}

export interface Read extends Call {
  readonly type: 'read';
  readonly outcome: 'ok' | 'failed';
  /** 0: nothing is there. Undefined where it failed. */
  readonly value: number | undefined;
  /** It failed with WRITES_NOT_VISIBLE. */
  readonly notVisible?: NotVisible;
}

/** What the operational had, asked past the client, right after this had said that the operational lacks its writes. */
export interface NotVisible {
  /** The greatest value of each register that was asked for; 0: nothing is there. */
  readonly had: ReadonlyMap<string, number>;
  /** When that was known. */
  readonly askedMs: number;
}

/** A span in which one of the servers could not answer, from before it was broken until it was seen to answer. */
export interface Away {
  readonly role: Role;
  readonly why: string;
  readonly fromMs: number;
  /** From here on it may answer again: it is being started, or let go on. Undefined where nobody knows. */
  readonly mendsMs?: number | undefined;
  readonly untilMs: number;
}

/** All was proven healthy and left alone. */
export interface Calm {
  readonly fromMs: number;
  readonly untilMs: number;
}

/** This process itself did nothing meanwhile; no call that was under way can be blamed for that. */
export interface Stall {
  readonly fromMs: number;
  readonly untilMs: number;
}

export interface History {
  readonly clients: number;
  readonly calls: readonly (Write | Read)[];
  /** One for each time that a client was made. */
  readonly connects: readonly { readonly client: number; readonly atMs: number }[];
  readonly away: readonly Away[];
  readonly calm: readonly Calm[];
  readonly stalls: readonly Stall[];
}

type Began = Pick<Call, 'client' | 'register' | 'shape' | 'way' | 'invokedMs'>;

const STALL_POLL_MS = 20;
const STALL_MIN_MS = 50;
/** Two events of one clock tick are told apart by this. */
const TICK_MS = 1e-6;

export class HistoryRecorder implements History, Disposable {
  readonly calls: (Write | Read)[] = [];
  readonly connects: { client: number; atMs: number }[] = [];
  readonly away: Away[] = [];
  readonly calm: Calm[] = [];
  readonly stalls: Stall[] = [];
  #lastMs = 0;
  #lastPollMs = performance.now();
  readonly #watch: NodeJS.Timeout;

  constructor(readonly clients: number) {
    this.#watch = setInterval(() => {
      const now = performance.now();
      if (now - this.#lastPollMs > STALL_POLL_MS + STALL_MIN_MS) {
        this.stalls.push({ fromMs: this.#lastPollMs, untilMs: now });
      }
      this.#lastPollMs = now;
    }, STALL_POLL_MS);
  }

  /** Later than every instant before. */
  now(): number {
    this.#lastMs = Math.max(performance.now(), this.#lastMs + TICK_MS);
    return this.#lastMs;
  }

  connected(client: number): void {
    this.connects.push({ client, atMs: this.now() });
  }

  begin(call: Omit<Began, 'invokedMs'>): Began {
    return { ...call, invokedMs: this.now() };
  }

  written(began: Began, outcome: Outcome, value: number | undefined, error?: string): void {
    this.calls.push({ type: 'write', ...began, endedMs: this.now(), outcome, value, ...(error && { error }) });
  }

  wasRead(began: Began, value: number): void {
    this.calls.push({ type: 'read', ...began, endedMs: this.now(), outcome: 'ok', value });
  }

  readFailed(began: Began, endedMs: number, error: string, notVisible?: NotVisible): void {
    const failed = { ...began, endedMs, outcome: 'failed', value: undefined, error } as const;
    this.calls.push({ type: 'read', ...failed, ...(notVisible && { notVisible }) });
  }

  [Symbol.dispose](): void {
    clearInterval(this.#watch);
  }
}
