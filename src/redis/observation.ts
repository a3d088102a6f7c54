/** What one look at a server says. Types only; probe.ts fills them, reconcile reads them. */
import type { EngineVersion } from '../protocol/engine-record.js';
import type { Address } from '../protocol/redis-conf.js';

/** Why a server could not be asked. */
export type UnreachableCause =
  | 'refused'
  /** Connected or not, no whole answer came within the bound. */
  | 'timeout'
  /** Something answers, but not as a Redis server does. */
  | 'not-redis'
  | 'closed'
  | 'other';

/** What an anonymous client was told, before anyone authenticated. */
export interface AnonymousView {
  /** PING without a password was answered, be it with LOADING or another complaint than a missing password. */
  readonly pingAnswered: boolean;
  /** CONFIG GET masterauth without a password was answered, and the answer held a password. */
  readonly masterauthShown: boolean;
}

export interface ReplicaLink {
  /** As the replica names its master. */
  readonly master: Address;
  readonly link: 'up' | 'down';
  /** A full sync is being received. */
  readonly syncing: boolean;
  /** Seconds since the link went down; undefined while it is up, or if it never was. */
  readonly downSeconds: number | undefined;
  /** Bytes of the replication stream applied. */
  readonly offset: number;
}

export interface Keyspace {
  readonly db: number;
  readonly keys: number;
  readonly expires: number;
  /** Hashes with fields that have a time to live; 0 where a server does not say. */
  readonly fieldsExpire: number;
}

export interface ServerView {
  readonly engine: EngineVersion;
  readonly runId: string;
  readonly uptimeSeconds: number;
  /** Empty when the server was started without one. */
  readonly configFile: string;
  readonly processId: number;
  readonly role: 'master' | 'replica';
  /** Of a master: bytes of the replication stream produced. Of a replica: applied. */
  readonly offset: number;
  readonly replicationId: string;
  /** Only of a replica. */
  readonly replica: ReplicaLink | undefined;
  /** Of a master: its connected replicas. */
  readonly replicas: readonly { readonly address: Address; readonly state: string; readonly offset: number }[];
  readonly loading: boolean;
  readonly keyspace: readonly Keyspace[];
  readonly memoryBytes: number;
  readonly aofEnabled: boolean;
  /** Empty: nothing failed. */
  readonly persistenceFailures: readonly ('aof-write' | 'aof-rewrite' | 'snapshot')[];
  /** `CONFIG GET` of the directives asked for; only names that the server knows. */
  readonly config: ReadonlyMap<string, string>;
  /** `ACL LIST`, a line a user. */
  readonly users: readonly string[];
  /** From CONFIG GET masterauth by the admin: whether it is the expected one. Undefined on a vault. */
  readonly masterauthMatches: boolean | undefined;
  readonly masteruser: string | undefined;
  /** What the graph module was loaded with; undefined: there is none, or the server does not say. */
  readonly moduleArguments: readonly string[] | undefined;
}

export type InstanceView =
  | { readonly state: 'unreachable'; readonly cause: UnreachableCause; readonly detail: string }
  /** Answers, but loads its data or a full sync; commands other than a few get -LOADING. */
  | { readonly state: 'loading'; readonly anonymous: AnonymousView }
  /**
   * Answers, but does not accept the admin's password, or there was none to try. `server`: what anybody is told of it,
   * where anybody is told anything; without configuration and users where those are not shown.
   */
  | {
      readonly state: 'locked';
      readonly anonymous: AnonymousView;
      readonly detail: string;
      readonly server?: ServerView;
    }
  /** Everything could be seen: by the admin, or by anyone where anyone may do everything. */
  | { readonly state: 'open'; readonly anonymous: AnonymousView; readonly server: ServerView };

/** Total of all databases. */
export function keysOf(server: ServerView): number {
  return server.keyspace.reduce((sum, { keys }) => sum + keys, 0);
}

/** What one graph holds, counted through Cypher because DUMP bytes differ between a vault and its operational. */
export interface GraphCounts {
  readonly name: string;
  readonly nodes: number;
  readonly edges: number;
  readonly labels: number;
  readonly indexes: number;
  readonly constraints: number;
}

export interface DatabaseCounts {
  readonly db: number;
  readonly keys: number;
  /**
   * Those of them that may be gone when the same data are loaded later: with a time to live, or with fields that have one.
   * One that has both is counted twice.
   */
  readonly expiring: number;
}

/** What a server holds. The graph module's `telemetry{…}` keys never count. */
export interface ContentCounts {
  readonly databases: readonly DatabaseCounts[];
  /** By name; one in a database other than 0 is `db1/NAME`. */
  readonly graphs: readonly GraphCounts[];
}

export interface KeyCounts {
  readonly keys: number;
  /** Those of them with a time to live: a replica keeps them until its vault says they are gone. */
  readonly expiring: number;
}
