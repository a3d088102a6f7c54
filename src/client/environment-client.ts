/** What `connect` hands out: one environment's vault and operational as one thing. docs/client.md tells the whole story. */
import type { RedisClientType } from '@redis/client';
import type { Graph as FalkorGraph } from 'falkordb';
import type { SingleGraphConnection } from 'falkordb/dist/src/clients/single.js';
import type { EnvironmentKind } from '../protocol/environment.js';

/** node-redis as it is (RESP2), with the graph commands of the official `falkordb` client as its module `falkordb`. */
export type RedisClient = SingleGraphConnection;

/** The options of node-redis that say how replies are read: binary values with `typeMapping`. */
export type RedisCommandOptions = NonNullable<NonNullable<RedisClientType['options']>['commandOptions']>;

/** The `Graph` of the official `falkordb` client: its methods, types and parsing. */
export type Graph = Pick<FalkorGraph, keyof FalkorGraph>;

/** Where reads go. */
export type ReadsFrom = 'operational' | 'vault';

/**
 * Why reads go elsewhere from now on: what is wrong with the operational, or `healthy` when nothing is known against it. That
 * is also said when the vault is away, as there is nothing then to compare with.
 */
export type RouteReason = 'down' | 'silent' | 'loading' | 'link-down' | 'lagging' | 'other-history' | 'healthy';

/** Reads go elsewhere: told once for each change, not for each read. */
export interface RouteEvent {
  /** The client's `name`. */
  readonly env: string;
  /** From now on. */
  readonly readsFrom: ReadsFrom;
  /** Of the operational, also where it has to answer all the same because the vault cannot: `loading`, `down`, … */
  readonly reason: RouteReason;
  /** How far the operational is behind in bytes of replication stream; undefined where it cannot be compared. */
  readonly lagBytes: number | undefined;
}

/** The connection to the vault was lost, or is there again. */
export interface VaultEvent {
  /** The client's `name`. */
  readonly env: string;
  /** `down`: writes wait for at most `vaultWaitMaxMs`, and reject. */
  readonly state: 'up' | 'down';
  /** What was seen, for a log; never a secret. */
  readonly detail: string;
}

/** Emitted by {@link EnvironmentClient.on}. */
export interface ClientEvents {
  /** Reads go elsewhere from now on. */
  readonly route: RouteEvent;
  /** The vault answers, or does not any more. */
  readonly vault: VaultEvent;
}

/** Since `connect`. */
export interface ClientCounters {
  /** Reads that the operational answered; in a Secure Environment none. */
  readonly readsFromOperational: number;
  /** Of all reads through `operational` and `roQuery`, those that the vault answered. */
  readonly readsFromVault: number;
  /** Reads that failed on one side and were answered by the other. */
  readonly readsRerouted: number;
  /** With `readYourWrites`: reads that waited for the operational to have this client's writes. */
  readonly readsWaited: number;
  /** Writes that failed because the vault did not answer. */
  readonly writesRefused: number;
  /** How often reads were sent elsewhere. */
  readonly routeChanges: number;
  /** How often a password that the vault refused was read anew from Locker. */
  readonly credentialsReread: number;
}

/** Whether there is a connection, and where reads go. */
export interface ClientState {
  /** `up`: there is a connection that has logged in. */
  readonly vault: 'up' | 'down';
  /** `none` in a Secure Environment. */
  readonly operational: 'up' | 'down' | 'none';
  /** Where the next read is sent first; always `vault` in a Secure Environment. */
  readonly readsFrom: ReadsFrom;
}

/** Of {@link EnvironmentClient.synced}. */
export interface SyncedOptions {
  /** How long to wait in milliseconds, 0 to 2,147,483,647; 5,000 by default. */
  readonly timeoutMs?: number;
}

/** One environment for one process: open it once, use it from everywhere, and close it at the end (`await using` does). */
export interface EnvironmentClient extends AsyncDisposable {
  /** The environment's, or what `connect.fromUrl` was told to call it: `environment` by default. */
  readonly name: string;
  /** As nexus3.yaml or the token says; by `connect.fromUrl`, `secure` where no operational is given. */
  readonly kind: EnvironmentKind;
  /**
   * The vault, authenticated as `default` with the password from Locker: all writes. While there is no connection, commands
   * reject with VAULT_UNREACHABLE after at most {@link ClientOptions.vaultWaitMaxMs}; one that was sent to a vault that then
   * is silent, after {@link ClientOptions.silenceMaxMs} and at most one {@link ClientOptions.watchIntervalMs} more. None is
   * kept to be sent later. `outcome` of the error says whether it may have been done: `not-sent` or `unknown`.
   * Writes over `duplicate()` and `createPool()` are covered by `synced()` and `readYourWrites` as well. More than
   * {@link ClientOptions.commandsMax} at once reject with TOO_MANY_COMMANDS, `SELECT` with DATABASE_FIXED; what would take
   * the connection over (`subscribe`, `monitor`) with CONNECTION_SHARED: a `duplicate()` is for that.
   */
  readonly vault: RedisClient;
  /**
   * The operational, without a password: all reads. Where it is down, loading or too far behind, the vault answers in its
   * place; where neither can, a read rejects with ENVIRONMENT_UNREACHABLE. Anything but a read rejects with NOT_A_READ, a
   * scan that cannot go on where it began with CURSOR_LOST; DATABASE_FIXED and CONNECTION_SHARED as on `vault`. In a Secure
   * Environment the vault answers always. What is read over `duplicate()` and `createPool()` is asked of this server alone,
   * and does not wait for writes.
   */
  readonly operational: RedisClient;
  /**
   * A graph: `query` and all that changes it at the vault, `roQuery` at the operational. The graph need not be there yet.
   * Parameters that cannot be written as Cypher reject with USAGE; all else as on `vault` and `operational`.
   */
  graph(name: string): Graph;
  /** Names of all graphs, from the operational. @throws as reads of `operational` do */
  graphs(): Promise<string[]>;
  /**
   * Resolves once the operational has everything that this client was told is written, over whichever of its connections.
   * In a Secure Environment at once.
   * @throws Nexus3Error NOT_SYNCED when it has not within `timeoutMs`, VAULT_UNREACHABLE (without `outcome`: what was
   * acknowledged is done), CLIENT_CLOSED, USAGE
   */
  synced(options?: SyncedOptions): Promise<void>;
  /** How things are now; asks nobody. */
  readonly state: ClientState;
  /** How often what has happened since `connect`: a copy as of now, which counts no further. */
  readonly counters: ClientCounters;
  /** A listener that throws ends the program, as any listener's error does, and harms no connection. */
  on<Name extends keyof ClientEvents>(name: Name, listener: (event: ClientEvents[Name]) => void): this;
  /** Takes a listener away again: the same function that `on` was given; another one is passed over. */
  off<Name extends keyof ClientEvents>(name: Name, listener: (event: ClientEvents[Name]) => void): this;
  /**
   * Ends all of its connections, also duplicates and pools; called again, it waits for the same end. What was sent before,
   * over any of them, is waited for, for at most 1,000 ms altogether, and rejects with CLIENT_CLOSED after that; so does all
   * that is asked later. Of a write it has an `outcome`: `unknown`, and `not-sent`.
   */
  close(): Promise<void>;
}

/** How a client behaves, however it found its environment. */
export interface ClientOptions {
  /**
   * Every read sees what this client wrote before: it waits for the operational to have it, for at most
   * {@link readYourWritesMaxMs}, and is then answered by the vault; where that does not answer either, it rejects with
   * WRITES_NOT_VISIBLE. False by default.
   */
  readonly readYourWrites?: boolean | undefined;
  /** Milliseconds; 250 by default. */
  readonly readYourWritesMaxMs?: number | undefined;
  /** How far behind the operational may be, in bytes of replication stream, before reads go to the vault; 1 MiB by default, or what nexus3.yaml says. */
  readonly lagBytesMax?: number | undefined;
  /** How long a command waits for a connection that is just being made anew, in milliseconds; 1,000 by default. */
  readonly vaultWaitMaxMs?: number | undefined;
  /** How often the servers are asked how they are, in milliseconds; 500 by default. */
  readonly watchIntervalMs?: number | undefined;
  /** How long a server may be silent before it counts as down, in milliseconds; 1,000 by default. */
  readonly silenceMaxMs?: number | undefined;
  /** How many commands may be under way on one connection; 10,000 by default. More are rejected with TOO_MANY_COMMANDS. */
  readonly commandsMax?: number | undefined;
  /** A Redis database other than 0, for both servers. `SELECT` is refused. Graphs belong to a database, too. */
  readonly database?: number | undefined;
  /** Of node-redis: `{ typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } }` for binary values. */
  readonly commandOptions?: RedisCommandOptions | undefined;
}
