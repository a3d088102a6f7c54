/** An environment's client, connected: joins both servers, and what happens around commands, to one thing. */
import { EventEmitter } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Nexus3Error } from '../errors.js';
import { Barrier } from './barrier.js';
import { Cursors } from './cursors.js';
import type { Drivers, Interceptor } from './driver.js';
import type {
  ClientCounters,
  ClientEvents,
  ClientOptions,
  ClientState,
  EnvironmentClient,
  Graph,
  ReadsFrom,
  RedisClient,
  SyncedOptions,
} from './environment-client.js';
import { limitsOf, syncedMaxMs } from './limits.js';
import type { Place } from './place.js';
import { Reads } from './reads.js';
import { isDenied, Side } from './side.js';
import { hasEverything } from './synced.js';
import { closed, environmentUnreachable, seen } from './unreachable.js';
import { Watch } from './watch.js';
import { Writes } from './writes.js';
import { isWrongPassword } from './wrong-password.js';

/** How long `connect` waits for servers, in milliseconds. */
const OPEN_MAX_MS = 3_000;
const OPEN_POLL_MS = 5;
/** A server that has refused so often is not waited for where the other one is there. */
const OPEN_FAILURES_MAX = 2;
/** How long `close` waits for what is under way, in milliseconds. */
const CLOSE_WAIT_MS = 1_000;
/** Of so many graphs the names of their schemas are remembered. */
const GRAPHS_MAX = 1_000;

export class ConnectedEnvironment implements EnvironmentClient {
  readonly #place: Place;
  readonly #drivers: Drivers;
  readonly #graphs = new Map<string, Graph>();
  readonly #events = new EventEmitter();
  readonly #reads: Reads;
  readonly #vault: Side;
  readonly #operational: Side;
  readonly #watch: Watch;
  readonly #counted = { writesRefused: 0, routeChanges: 0, credentialsReread: 0 };
  #isOpen = false;
  #isClosed = false;
  #closing: Promise<void> | undefined;
  #isLoginRefused = false;

  constructor(place: Place, options: ClientOptions, drivers: Drivers) {
    const limits = limitsOf(options, place);
    this.#place = place;
    this.#drivers = drivers;
    const barrier = options.readYourWrites === true && place.operational !== undefined ? new Barrier() : undefined;
    const common = {
      env: place.name,
      vault: () => this.#vault,
      barrier,
      waitMaxMs: limits.vaultWaitMaxMs,
      connectionFailure: drivers.connectionFailure,
      isClosed: () => this.#isClosed,
    };
    const writes = new Writes({ ...common, onRefused: () => (this.#counted.writesRefused += 1) });
    this.#reads = new Reads({
      ...common,
      vault: () => (this.kind === 'secure' ? undefined : this.#vault),
      operational: () => this.#operational,
      preferred: () => this.#readsFrom,
      readYourWritesMaxMs: limits.readYourWritesMaxMs,
      cursors: new Cursors(),
      onLoading: () => this.#watch.loading(),
    });
    const sideOf = (name: ReadsFrom, address: Place['vault'], interceptor: Interceptor, opened: boolean): Side =>
      new Side(
        {
          name,
          address,
          login: opened ? () => this.#login() : undefined,
          options: {
            interceptor,
            commandsMax: limits.queueMax,
            commandOptions: options.commandOptions,
            database: options.database,
          },
          waitingMax: limits.commandsMax,
          onChange: (_isUp, cause) => {
            this.#changed(name, cause);
          },
          onFailed: (cause) => {
            if (!opened || !isWrongPassword(cause)) return;
            this.#isLoginRefused = true;
            place.refused();
          },
        },
        drivers,
      );
    this.#vault = sideOf('vault', place.vault, writes, true);
    const { operational } = place;
    this.#operational =
      operational === undefined
        ? sideOf('vault', place.vault, this.#reads, true)
        : sideOf('operational', operational, this.#reads, false);
    // Also where there is one server alone, whose silence nobody else would notice.
    this.#watch = new Watch({
      vault: this.#vault,
      operational: this.#operational,
      barrier,
      lagBytesMax: limits.lagBytesMax,
      intervalMs: limits.watchIntervalMs,
      silenceMaxMs: limits.silenceMaxMs,
      isAnswering: drivers.isAnswering,
      onRoute: (route) => {
        if (operational === undefined) return;
        this.#counted.routeChanges += 1;
        this.#tell('route', { env: this.name, ...route });
      },
    });
  }

  /** Resolves with what there is: one server is enough. @throws Nexus3Error ENVIRONMENT_UNREACHABLE, or why there is no password */
  async open(): Promise<this> {
    const sides = [this.#vault, this.#operational];
    // It never ends by itself; what it fails by is the side's cause.
    for (const { driver } of sides) driver.connect().catch(() => undefined);
    const until = performance.now() + OPEN_MAX_MS;
    const isSettled = (side: Side): boolean => side.isUp || side.failures >= OPEN_FAILURES_MAX;
    while (performance.now() < until) {
      const denied = sides.find(({ cause }) => isDenied(cause));
      if (denied !== undefined || (sides.some(({ isUp }) => isUp) && sides.every(isSettled))) break;
      await sleep(OPEN_POLL_MS);
    }
    const failure = this.#whyNotOpen(sides);
    if (failure === undefined) {
      this.#isOpen = true;
      // Unseen, an operational that lags, or follows another vault, would answer the first reads.
      await this.#watch.begin(until - performance.now());
      return this;
    }
    await this.close();
    throw failure;
  }

  #whyNotOpen(sides: readonly Side[]): Nexus3Error | undefined {
    const denied = sides.map(({ cause }) => cause).find(isDenied);
    if (denied !== undefined) return denied;
    if (sides.some(({ isUp }) => isUp)) return undefined;
    const evidence = sides.map(
      ({ name, address, cause }) =>
        `${name} at ${address.host}:${String(address.port)}: ${seen(cause).join('') || 'no answer'}`,
    );
    return environmentUnreachable(this.name, [...new Set(evidence)], undefined);
  }

  get name(): string {
    return this.#place.name;
  }

  get kind(): Place['kind'] {
    return this.#place.kind;
  }

  get vault(): RedisClient {
    return this.#vault.driver.client;
  }

  get operational(): RedisClient {
    return this.#operational.driver.client;
  }

  graph(name: string): Graph {
    const known = this.#graphs.get(name) ?? this.#drivers.openGraph(name, this.vault, this.operational);
    // Kept, because it has looked up the names that results need; the one that was used last is forgotten last.
    this.#graphs.delete(name);
    this.#graphs.set(name, known);
    const [oldest] = this.#graphs.keys();
    if (this.#graphs.size > GRAPHS_MAX && oldest !== undefined) this.#graphs.delete(oldest);
    return known;
  }

  async graphs(): Promise<string[]> {
    return (await this.operational.falkordb.list()).map(String);
  }

  async synced(options: SyncedOptions = {}): Promise<void> {
    const timeoutMs = syncedMaxMs(options.timeoutMs);
    if (this.#isClosed) throw closed(this.name);
    if (this.#place.operational === undefined) return;
    await hasEverything({
      env: this.name,
      vault: this.#vault,
      operational: this.#operational,
      timeoutMs,
      isClosed: () => this.#isClosed,
    });
  }

  get state(): ClientState {
    const vault = this.#vault.isUp ? 'up' : 'down';
    if (this.kind === 'secure') return { vault, operational: 'none', readsFrom: 'vault' };
    return { vault, operational: this.#operational.isUp ? 'up' : 'down', readsFrom: this.#readsFrom };
  }

  get #readsFrom(): ReadsFrom {
    return this.kind === 'secure' ? 'vault' : this.#watch.readsFrom;
  }

  get counters(): ClientCounters {
    const { operational, vault, rerouted, waited } = this.#reads.counts;
    return {
      readsFromOperational: operational,
      readsFromVault: vault,
      readsRerouted: rerouted,
      readsWaited: waited,
      ...this.#counted,
    };
  }

  on<Name extends keyof ClientEvents>(name: Name, listener: (event: ClientEvents[Name]) => void): this {
    this.#events.on(name, listener);
    return this;
  }

  off<Name extends keyof ClientEvents>(name: Name, listener: (event: ClientEvents[Name]) => void): this {
    this.#events.off(name, listener);
    return this;
  }

  /** Many connections may be refused at once; it is read anew once for all of them. */
  #login(): ReturnType<Place['login']> {
    if (this.#isLoginRefused) this.#counted.credentialsReread += 1;
    this.#isLoginRefused = false;
    return this.#place.login();
  }

  /** By itself: a listener that throws ends the program as any does, and not a connection that is just being made. */
  #tell<Name extends keyof ClientEvents>(name: Name, event: ClientEvents[Name]): void {
    process.nextTick(() => this.#events.emit(name, event));
  }

  #changed(name: ReadsFrom, cause: unknown): void {
    if (this.#isClosed || !this.#isOpen) return;
    const side = name === 'vault' ? this.#vault : this.#operational;
    this.#watch.changed(side);
    if (name !== 'vault') return;
    const state = side.isUp ? 'up' : 'down';
    this.#tell('vault', { env: this.name, state, detail: side.isUp ? 'connected' : seen(cause).join('') });
  }

  close(): Promise<void> {
    this.#isClosed = true;
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#watch.stop();
    const sides = [this.#vault, this.#operational];
    for (const side of sides) side.giveUp();
    await Promise.all(sides.map(({ driver }) => driver.close(CLOSE_WAIT_MS)));
    await this.#place.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
