/** The port to node-redis: what this client needs of its driver. compose-client.ts joins it with src/redis/driver. */
import type { Address } from '../protocol/redis-conf.js';
import type { RedisClient, RedisCommandOptions } from './environment-client.js';

export interface Login {
  readonly username: string;
  readonly password: string;
}

export interface DriverOptions {
  readonly address: Address;
  /** Asked before each connection; undefined: without a password. */
  readonly credentials: (() => Promise<Login>) | undefined;
  readonly database: number | undefined;
  readonly commandOptions: RedisCommandOptions | undefined;
  /** More commands at once on one connection are rejected. */
  readonly commandsMax: number;
  /** The connection is gone, or could not be made; called again for each attempt. */
  readonly onAway: (cause: Error) => void;
  /** Connected, logged in. */
  readonly onReady: () => void;
}

export interface DriverClient {
  readonly client: RedisClient;
  /** Cuts the connection: what is under way on it rejects, and a new one is made. */
  sever(): void;
}

export type OpenClient = (options: DriverOptions) => DriverClient;
