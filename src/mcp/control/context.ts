/** What the care tools work on: a world composed for each call and closed after it, and one change at a time. */
import { Nexus3Error } from '../../errors.js';
import type { Progress } from '../../progress.js';
import { SILENT } from '../../progress.js';
import { refuseInterrupted } from '../../reconcile/interrupted.js';
import type { World } from '../../reconcile/world.js';
import type { ToolRun } from '../tool.js';

export interface ControlOptions {
  /** A world of its own for every call: nexus3.yaml may change while the server runs. */
  readonly compose: (progress: Progress) => Promise<World>;
  /** Of this package. */
  readonly version: string;
  /** Lines for people (stderr): what was changed, and how it ended. None of them holds a secret. */
  readonly log?: (line: string) => void;
}

/** How long closing a call's connections may hold up its result, in milliseconds. */
const CLOSE_TIMEOUT_MS = 2_000;
/** How long a change that is under way may hold up the end of the server, in milliseconds. */
const END_TIMEOUT_MS = 30_000;

interface Change {
  readonly tool: string;
  readonly since: Date;
  readonly ended: Promise<unknown>;
}

export class ControlContext implements AsyncDisposable {
  readonly version: string;
  readonly #options: ControlOptions;
  #change: Change | undefined;
  #ending = false;

  constructor(options: ControlOptions) {
    this.version = options.version;
    this.#options = options;
  }

  /** Looks, and changes nothing. */
  async look<T>(use: (world: World) => Promise<T>): Promise<T> {
    const world = await this.#options.compose(SILENT);
    try {
      return await use(world);
    } finally {
      await within(CLOSE_TIMEOUT_MS, world[Symbol.asyncDispose]());
    }
  }

  /**
   * Changes something; the lock of the data root keeps other programs from changing something else meanwhile. What was
   * cancelled before it has begun, never begins.
   * @throws Nexus3Error LOCK_HELD where another call of this server is changing something
   */
  async change<T>(tool: string, run: ToolRun, use: (world: World) => Promise<T>): Promise<T> {
    if (this.#ending) {
      throw new Nexus3Error('INTERRUPTED', 'This server is ending, so nothing was begun.', { hint: 'Start it again.' });
    }
    if (this.#change !== undefined) throw changing(this.#change);
    refuseInterrupted(run.signal);
    const work = this.#changed(tool, run, use);
    this.#change = { tool, since: new Date(), ended: work.catch(() => undefined) };
    try {
      return await work;
    } finally {
      this.#change = undefined;
    }
  }

  async #changed<T>(tool: string, { signal, progress }: ToolRun, use: (world: World) => Promise<T>): Promise<T> {
    const world = await this.#options.compose(progress);
    try {
      const result = await use(notOnceCancelled(world, signal));
      this.#options.log?.(`${tool}: done`);
      return result;
    } catch (error) {
      this.#options.log?.(`${tool}: ${error instanceof Nexus3Error ? `${error.code}: ${error.message}` : 'a defect'}`);
      throw error;
    } finally {
      await within(CLOSE_TIMEOUT_MS, world[Symbol.asyncDispose]());
    }
  }

  /** A change that is under way may end; how long it may take is bounded. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending = true;
    if (this.#change === undefined) return;
    this.#options.log?.(`waiting for ${this.#change.tool} to end`);
    await within(END_TIMEOUT_MS, this.#change.ended);
  }
}

/** Who waited for the lock until the client had gone away, does not begin. What has begun takes it again and goes on. */
function notOnceCancelled(world: World, signal: AbortSignal): World {
  let hasBegun = false;
  return {
    ...world,
    locks: {
      ...world.locks,
      acquire: async (command, onWait) => {
        const held = await world.locks.acquire(command, onWait);
        try {
          if (!hasBegun) refuseInterrupted(signal);
        } catch (error) {
          await held[Symbol.asyncDispose]();
          throw error;
        }
        hasBegun = true;
        return held;
      },
    },
  };
}

function changing({ tool, since }: Change): Nexus3Error {
  return new Nexus3Error('LOCK_HELD', `This server is changing something already: ${tool}.`, {
    evidence: [`since ${since.toISOString()}`],
    hint: 'Wait until that call has ended, look again with status, then call this tool again.',
  });
}

/** What it rejects with is of no interest any more. */
async function within(ms: number, work: PromiseLike<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const enough = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  try {
    await Promise.race([Promise.resolve(work).catch(() => undefined), enough]);
  } finally {
    clearTimeout(timer);
  }
}
