/** Asks both servers how they are, every now and then, over the connections that are there, and decides where reads go. */
import type { Barrier } from './barrier.js';
import type { Drivers } from './driver.js';
import type { ReadsFrom } from './environment-client.js';
import type { Route, Seen } from './route.js';
import { decideRoute } from './route.js';
import type { Side } from './side.js';
import { replicationOver } from './writes.js';

/** A connection that does not answer for so long may be taken by a command that blocks; the server is asked over another. */
const PATIENCE_MS = 300;
/** A connection that is being made for so long leads to a server that is silent; it is given up and made anew. */
const STUCK_MS = 3_000;

export interface WatchInit {
  readonly vault: Side;
  readonly operational: Side;
  readonly barrier: Barrier | undefined;
  readonly lagBytesMax: number;
  readonly intervalMs: number;
  readonly silenceMaxMs: number;
  readonly isAnswering: Drivers['isAnswering'];
  /** Reads go elsewhere. */
  readonly onRoute: (route: Route) => void;
}

export class Watch {
  readonly #init: WatchInit;
  readonly #seen: Record<ReadsFrom, Seen> = { vault: 'down', operational: 'down' };
  #readsFrom: ReadsFrom = 'operational';
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> | undefined;
  #lookAgain = false;
  #isStopped = false;

  constructor(init: WatchInit) {
    this.#init = init;
  }

  get readsFrom(): ReadsFrom {
    return this.#readsFrom;
  }

  /** A connection was lost, or is there again. */
  changed(side: Side): void {
    if (side.isUp) this.#soon();
    else this.#see(side.name, 'down');
  }

  /** The operational said so. */
  loading(): void {
    this.#see('operational', 'loading');
  }

  /** Looks now, and from then on every interval. Resolves after the first look, or after so many milliseconds. */
  async begin(maxMs: number): Promise<void> {
    this.#soon();
    const patience = after(Math.max(0, maxMs));
    await Promise.race([this.#looking, patience.over]);
    patience.stop();
  }

  #soon(): void {
    if (this.#isStopped) return;
    clearTimeout(this.#timer);
    if (this.#looking !== undefined) {
      this.#lookAgain = true;
      return;
    }
    this.#looking = this.#look().finally(() => {
      this.#looking = undefined;
      if (this.#lookAgain) {
        this.#lookAgain = false;
        this.#soon();
      } else this.#schedule();
    });
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }

  #schedule(): void {
    if (this.#isStopped) return;
    this.#timer = setTimeout(() => {
      this.#soon();
    }, this.#init.intervalMs);
    // Watching alone keeps no program running.
    this.#timer.unref();
  }

  /** Never rejects: whatever a server does is something that was seen. */
  async #look(): Promise<void> {
    const { vault, operational, barrier } = this.#init;
    const [first, second] = await Promise.all([this.#ask(vault), this.#ask(operational)]);
    if (typeof first === 'object') barrier?.continueIn(first.position);
    this.#seen.vault = first;
    this.#see('operational', second);
  }

  async #ask(side: Side): Promise<Seen> {
    if (!side.isUp) {
      if (side.quietMs > STUCK_MS) side.driver.sever();
      return 'down';
    }
    const answer = replicationOver(side.driver).then(
      (replication) => replication,
      (): Seen => 'down',
    );
    const patience = after(PATIENCE_MS);
    const quick = await Promise.race([answer, patience.over]);
    patience.stop();
    if (quick !== undefined) return quick;
    const other = this.#init.isAnswering(side.address, Math.max(1, this.#init.silenceMaxMs - PATIENCE_MS));
    const lives = await Promise.race([answer, other]);
    if (lives === true) return 'busy';
    if (lives !== false) return lives;
    // What is under way is not waited for any longer: it may have been done, and may yet be.
    side.driver.sever();
    return 'silent';
  }

  #see(name: ReadsFrom, seen: Seen): void {
    this.#seen[name] = seen;
    const { lagBytesMax, onRoute } = this.#init;
    const route = decideRoute({ ...this.#seen, lagBytesMax, now: this.#readsFrom });
    if (route.readsFrom === this.#readsFrom || this.#isStopped) return;
    this.#readsFrom = route.readsFrom;
    onRoute(route);
  }
}

function after(ms: number): { readonly over: Promise<undefined>; stop(): void } {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => {
      resolve(undefined);
    }, ms);
    timer.unref();
  });
  return {
    over,
    stop: () => {
      clearTimeout(timer);
    },
  };
}
