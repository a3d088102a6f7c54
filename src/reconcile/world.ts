/**
 * What the operations work on: ports only, joined to their adapters by src/compose.ts. Nothing in reconcile knows
 * Docker, processes or a Redis client.
 */
import type { Backups } from '../backup/backups.js';
import type { Configuration } from '../config/configuration.js';
import type { Audit } from '../locker/audit/audit.js';
import type { Custody } from '../locker/custody.js';
import type { AuditNote, Locker, OwnRotationStep, Rotation, Tokens } from '../locker/locker.js';
import type { Lockers } from '../locker/lockers.js';
import type { Environment } from '../protocol/environment.js';
import type { Address, Endpoint } from '../protocol/redis-conf.js';
import type { CredentialName, Credentials } from '../protocol/users.js';
import type { Secret } from '../protocol/secret.js';
import type { ContentCounts, GraphCounts, InstanceView, KeyCounts } from '../redis/observation.js';
import type { PortHolder, Runtime } from '../runtime/runtime.js';

export interface ProbeRequest {
  readonly address: Endpoint;
  /** Undefined: only what an anonymous client sees. */
  readonly adminPassword: Secret | undefined;
  /** Names for CONFIG GET. */
  readonly directives: readonly string[];
  /** What masterauth should be, of an operational. */
  readonly masterauth: Secret | undefined;
  /** While it is rotated: what it may be besides. */
  readonly alsoMasterauth?: Secret | undefined;
}

/** An administrator's connection to one server. */
export interface Admin extends AsyncDisposable {
  /** ACL LOAD. */
  loadUsers(): Promise<void>;
  /** ACL SETUSER: these passwords open the user from now on, and no others. Nobody is disconnected. */
  setPasswords(user: string, hashes: readonly string[]): Promise<void>;
  /** Ids of the connections over which replicas of this server replicate as this user. */
  replicaConnections(user: string): Promise<readonly string[]>;
  /** CLIENT KILL USER: closes every connection of this user; a replica connects again at once. */
  disconnect(user: string): Promise<void>;
  /** Ends all other connections of clients, so that nobody stays logged in with a password that is no longer one. */
  endOthers(): Promise<void>;
  setConfig(name: string, value: string): Promise<void>;
  replicaOf(master: Address): Promise<void>;
  replicaOfNoOne(): Promise<void>;
  /** A snapshot of all data on disk when it returns. */
  save(): Promise<void>;
  /** Keys of all databases, less the graph module's own `telemetry{…}` keys. */
  countKeys(): Promise<KeyCounts>;
  countGraphs(): Promise<readonly GraphCounts[]>;
  /** Graphs of which a constraint is still being enforced: it would not be in a snapshot. */
  graphsEnforcing(): Promise<readonly string[]>;
  /** How far its stream of replication has come, or what it has taken of its master's. */
  replicationOffset(): Promise<number>;
  /** Every database and every graph. */
  countContent(): Promise<ContentCounts>;
}

/** A vault's data at one instant, as it flows. */
export interface SnapshotStream extends AsyncDisposable {
  readonly replication: { readonly id: string; readonly offset: number };
  /** RDB. Ends when the whole snapshot has come; throws BACKUP_FAILED when less than that comes. */
  readonly chunks: AsyncIterable<Buffer>;
}

export interface Servers {
  probe(request: ProbeRequest): Promise<InstanceView>;
  admin(address: Endpoint, password: Secret): Promise<Admin>;
  /**
   * Asks a vault for a snapshot as its `backup` user. The vault forks and sends; nothing is written on its disk.
   * @throws REDIS_UNREACHABLE, REDIS_REPLY_UNEXPECTED, BACKUP_FAILED
   */
  snapshot(vault: Address, password: Secret): Promise<SnapshotStream>;
  /** Whether a password opens a user there. @throws REDIS_UNREACHABLE */
  accepts(address: Address, user: string, password: Secret): Promise<boolean>;
  /**
   * The protocol's own test over the clients' own route: one expiring key written on the vault with the applications'
   * password, read on the operational without one. Resolves with the milliseconds from write to read.
   */
  writeAndRead(vault: Address, password: Secret, operational: Address | undefined): Promise<number>;
}

export interface LockerAccess {
  /**
   * Locker's own credentials, derived from the root key.
   * @param mayCreate make the root key when there is none yet.
   * @throws ROOT_KEY_MISSING, ROOT_KEY_UNSAFE, ROOT_KEY_INVALID
   */
  ownCredentials(mayCreate: boolean): Promise<Credentials>;
  /** The rotation of those, as the root key's file says now; undefined: none. @throws ROOT_KEY_… */
  ownRotation(): Promise<Rotation | undefined>;
  /** One step of it, durable when it resolves; what is under way afterwards. @throws ROOT_KEY_…, FILE_NOT_WRITABLE */
  rotateOwn(step: OwnRotationStep): Promise<Rotation | undefined>;
  /** @throws LOCKER_UNREACHABLE */
  open(): Promise<Locker>;
  /** One credential, for a script or a person. @throws LOCKER_CREDENTIAL_MISSING, LOCKER_UNREACHABLE, AUDIT_NOT_WRITTEN, ROOT_KEY_… */
  getCredential(env: string, name: CredentialName): Promise<Secret>;
  /** Writes into Locker's audit who did what. @throws LOCKER_UNREACHABLE, AUDIT_NOT_WRITTEN */
  note(note: AuditNote): Promise<void>;
  /** To be read and proven. @throws ROOT_KEY_… */
  audit(): Promise<Audit>;
  /** @throws ROOT_KEY_… */
  tokens(): Promise<Tokens>;
  /** Values that people and servers keep; what is asked of them is in the audit. @throws ROOT_KEY_… */
  lockers(): Promise<Lockers>;
  /** Of the root key: changed, kept safe, made anew. */
  readonly custody: Custody;
}

export interface Clock {
  now(): Date;
  sleep(ms: number): Promise<void>;
}

/** Held from `acquire` until dispose, or until the process ends in whatever way. */
export interface Lock extends AsyncDisposable {
  readonly path: string;
}

export interface Locks {
  /** Waits, bounded, for whoever holds it. @throws LOCK_HELD saying who. */
  acquire(command: string, onWait: (holder: string) => void): Promise<Lock>;
  /** Undefined when somebody else holds it. */
  tryAcquire(command: string): Promise<Lock | undefined>;
}

/** All that operations reach from here; closing it ends the connections that were opened meanwhile. */
export interface World extends AsyncDisposable {
  /** In force when this world was composed: a later change of nexus3.yaml is not seen. */
  readonly configuration: Configuration;
  /** Where instances live: processes of this host, or containers. */
  readonly runtime: Runtime;
  /** How Redis servers are looked at, administered and copied. */
  readonly servers: Servers;
  /** Where passwords come from; not asked before one is needed. */
  readonly locker: LockerAccess;
  /** One command at a time changes what lies under a data root. */
  readonly locks: Locks;
  /** The repository under `backup: root`. */
  readonly backups: Backups;
  /** This host's; tests hand in another one. */
  readonly clock: Clock;
  /** Who holds a port of this host; undefined: nobody. */
  portHolder(port: number): Promise<PortHolder | undefined>;
  /** Writes the environment into nexus3.yaml; the same world under that configuration. */
  addEnvironment(environment: Environment): Promise<World>;
  /** Takes it out of nexus3.yaml. */
  removeEnvironment(name: string): Promise<World>;
}
