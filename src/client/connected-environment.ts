/** An environment's client, connected. */
import { EventEmitter } from 'node:events';
import type { OpenClient, DriverClient } from './driver.js';
import type {
  ClientCounters,
  ClientEvents,
  ClientOptions,
  ClientState,
  EnvironmentClient,
  Graph,
  RedisClient,
} from './environment-client.js';
import type { Place } from './place.js';

const COMMANDS_MAX = 10_000;

export interface Drivers {
  readonly openClient: OpenClient;
  openGraph(name: string, writer: RedisClient, reader: RedisClient): Graph;
}

export class ConnectedEnvironment implements EnvironmentClient {
  readonly #events = new EventEmitter();
  readonly #place: Place;
  readonly #drivers: Drivers;
  readonly #vault: DriverClient;
  readonly #operational: DriverClient;

  constructor(place: Place, options: ClientOptions, drivers: Drivers) {
    this.#place = place;
    this.#drivers = drivers;
    const shared = {
      database: options.database,
      commandOptions: options.commandOptions,
      commandsMax: options.commandsMax ?? COMMANDS_MAX,
      onAway: () => undefined,
      onReady: () => undefined,
    };
    this.#vault = drivers.openClient({ ...shared, address: place.vault, credentials: () => place.login() });
    this.#operational =
      place.operational === undefined
        ? this.#vault
        : drivers.openClient({ ...shared, address: place.operational, credentials: undefined });
  }

  async open(): Promise<this> {
    await Promise.all([...new Set([this.#vault, this.#operational])].map(({ client }) => client.connect()));
    return this;
  }

  get name(): string {
    return this.#place.name;
  }

  get kind(): Place['kind'] {
    return this.#place.kind;
  }

  get vault(): RedisClient {
    return this.#vault.client;
  }

  get operational(): RedisClient {
    return this.#operational.client;
  }

  graph(name: string): Graph {
    return this.#drivers.openGraph(name, this.vault, this.operational);
  }

  async graphs(): Promise<string[]> {
    return this.operational.falkordb.list();
  }

  async synced(): Promise<void> {
    if (this.#place.operational !== undefined) await this.vault.wait(1, 5_000);
  }

  get state(): ClientState {
    return { vault: 'up', operational: this.kind === 'secure' ? 'none' : 'up', readsFrom: 'operational' };
  }

  get counters(): ClientCounters {
    const none = { readsFromOperational: 0, readsFromVault: 0, readsRerouted: 0, readsWaited: 0 };
    return { ...none, writesRefused: 0, routeChanges: 0, credentialsReread: 0 };
  }

  on<Name extends keyof ClientEvents>(name: Name, listener: (event: ClientEvents[Name]) => void): this {
    this.#events.on(name, listener);
    return this;
  }

  off<Name extends keyof ClientEvents>(name: Name, listener: (event: ClientEvents[Name]) => void): this {
    this.#events.off(name, listener);
    return this;
  }

  async close(): Promise<void> {
    for (const { client } of new Set([this.#vault, this.#operational])) client.destroy();
    await this.#place.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
