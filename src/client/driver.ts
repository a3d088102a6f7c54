/** The port to node-redis: what the client library needs of it. compose-client.ts joins it with src/redis/driver. */
import type { Nexus3Error } from '../errors.js';
import type { Address } from '../protocol/redis-conf.js';
import type { Graph, RedisClient, RedisCommandOptions } from './environment-client.js';

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
  /** Told each time that a connection is lost or could not be made; says after how many milliseconds the next is tried. */
  readonly onAway: (attempt: number, cause: Error) => number;
  /** Connected, logged in. */
  readonly onReady: () => void;
  /** What happens around everything that is sent, also over duplicates and pools. */
  readonly interceptor: Interceptor;
}

/** What was asked of a client, before it is sent. */
export interface Request {
  readonly kind: 'command' | 'pipeline' | 'transaction';
  /** The words of each command, its name first. */
  readonly commands: readonly (readonly unknown[])[];
}

/** One connection of a client: its own, or that of a duplicate or of a member of a pool. */
export interface Link {
  readonly isOwn: boolean;
  /** Sends one command behind what was sent before, past `around`. */
  ask(words: readonly string[]): Promise<unknown>;
}

/** Over the connection that it was asked of; or over another client's own connection. With other words, where there are some. */
export type Send<T> = (on?: DriverClient, commands?: Request['commands']) => Promise<T>;

/** What stands around everything that a client sends. */
export interface Interceptor {
  /**
   * True: this single command is sent as it is, and only its failure is looked at. Asked of each one, so it must cost next
   * to nothing.
   */
  readonly isPlain: (name: unknown, link: Link) => boolean;
  /** What was plain, and has failed. */
  readonly afterFailure: <T>(request: Request, send: Send<T>, link: Link, error: unknown) => Promise<T>;
  readonly around: <T>(request: Request, send: Send<T>, link: Link) => Promise<T>;
  /** Why nothing is opened any more, nor asked of a pool; undefined while it may be. */
  readonly refusal: () => Nexus3Error | undefined;
}

export interface DriverClient extends Link {
  readonly client: RedisClient;
  /** Resolves when connected; tries until then, or until it is closed. */
  connect(): Promise<void>;
  /** Cuts its connections: what is under way on them rejects, and new ones are made. */
  sever(): void;
  /** Ends all of its connections, also of duplicates and pools: what was sent is waited for, for so many milliseconds. */
  close(waitMs: number): Promise<void>;
}

/** What an error says of the connection; `full`: too much is under way on it. Undefined when it is a server's answer, or about something else. */
export type ConnectionFailure = 'not-sent' | 'unknown' | 'closed' | 'full' | undefined;

export interface Drivers {
  readonly openClient: (options: DriverOptions) => DriverClient;
  readonly openGraph: (name: string, writer: RedisClient, reader: RedisClient) => Graph;
  readonly connectionFailure: (error: unknown) => ConnectionFailure;
  /** Whether a server says anything at all on a connection of its own, within so many milliseconds. */
  readonly isAnswering: (address: Address, timeoutMs: number) => Promise<boolean>;
}
