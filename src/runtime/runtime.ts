/**
 * The Runtime port: where instances live. Two adapters implement it, `process/` and `docker/`; `runtime.conformance.ts`
 * is what each of them passes. A runtime knows nothing of Redis, of findings or of Locker: it is handed rendered folders
 * and a start script, and says what is there.
 */
import type { InstanceId, InstanceKey } from '../protocol/environment.js';
import type { Placement } from '../protocol/redis-conf.js';

/** `process`: servers are processes of this host. `docker`: they are containers of the local Docker Engine. */
export type RuntimeName = 'process' | 'docker';

/** All that a runtime needs to make one instance. Folders exist and are rendered before it is used. */
export interface InstanceSpec {
  readonly id: InstanceId;
  /** `nexus3-track-vault` */
  readonly name: string;
  /** Published on the host. */
  readonly port: number;
  /** Host address to publish on, e.g. 127.0.0.1. */
  readonly bind: string;
  /** Folders on this host. */
  readonly dataDir: string;
  readonly configDir: string;
  /** Docker only: image reference and network name; ignored by the process runtime. */
  readonly image: string;
  readonly network: string;
}

export type InstanceState =
  | 'running'
  | 'starting'
  | 'paused'
  /** The runtime starts it again and again. */
  | 'restarting'
  | 'stopped';

/** How an existing instance differs from its spec, as far as the runtime itself can tell without asking the server. */
export interface SpecDifference {
  readonly aspect:
    | 'port'
    | 'mount'
    | 'network'
    | 'image'
    /** Would not come back by itself, e.g. a restart policy taken away. */
    | 'restart-policy'
    /** Anything else that is part of how the instance was made (user, capabilities, entrypoint, …). */
    | 'definition';
  readonly expected: string;
  readonly actual: string;
}

/** An instance that is there. One that is not there has no entry. */
export interface InstanceRuntimeState {
  readonly id: InstanceId;
  /** False: something of that name that nexus3 did not make. */
  readonly owned: boolean;
  readonly state: InstanceState;
  /** Of the last run, when it has ended. */
  readonly exitCode: number | undefined;
  /** Ended without being asked to, e.g. a crash or a kill; undefined where the runtime cannot tell. */
  readonly endedUnexpectedly: boolean | undefined;
  /** Restarts by the runtime since the last start by hand; 0 where the runtime does not restart. */
  readonly restartCount: number;
  /** ISO 8601, of the present or last run; undefined if it never ran. */
  readonly startedAt: string | undefined;
  /** Where this host reaches it; undefined when it is not published. */
  readonly address: { readonly host: string; readonly port: number } | undefined;
  /** Published on an address beyond loopback: which. */
  readonly exposedOn: string | undefined;
  /** Address within the runtime's network (docker), to recognise replication by IP. */
  readonly networkAddress: string | undefined;
  readonly differences: readonly SpecDifference[];
  /** True when the command line or environment shows a password. Never the password itself. */
  readonly secretInArguments: boolean;
  /** The process as this host sees it; 0 when it is not running. */
  readonly pid: number;
}

export interface RuntimeObservation {
  /** `not-applicable` where a runtime has no network of its own. */
  readonly network: 'present' | 'missing' | 'not-applicable';
  readonly instances: ReadonlyMap<InstanceKey, InstanceRuntimeState>;
}

/** Who holds a port of this host, as far as that can be known. */
export interface PortHolder {
  /** TCP. */
  readonly port: number;
  /** Undefined where this user may not see whose it is. */
  readonly pid: number | undefined;
  /** Command name, never its arguments: they may hold a secret. Undefined where `pid` is, or the process has ended. */
  readonly command: string | undefined;
}

/** A server for a moment: it loads a copy, is asked, and is gone. Nothing is published; only a socket in its folder. */
export interface ScratchSpec {
  /** `nexus3-scratch-track-1a2b3c4d` */
  readonly name: string;
  /** Folder on this host, all of it the server's: what it loads, and what it is started from. */
  readonly dir: string;
  /** Docker only. */
  readonly image: string;
}

export interface Scratch extends AsyncDisposable {
  /** On this host; may be a short way to a long path, valid until this is disposed of. */
  readonly socket: string;
  /** Undefined while it runs. */
  exitCode(): Promise<number | undefined>;
  logs(lines: number): Promise<readonly string[]>;
}

/** How a scratch server's configuration must be rendered: the command, and its folder as it sees it. */
export interface ScratchPlacement {
  readonly engineCommand: readonly string[];
  readonly modulePath: string | undefined;
  readonly dir: string;
}

/** In a scratch folder. */
export const SCRATCH_FILE = { redisConf: 'redis.conf', usersAcl: 'users.acl', start: 'start', socket: 's' } as const;
/** A scratch server ends by itself after this, in milliseconds, whatever has become of the one who started it. */
export const SCRATCH_LIFE_MS = 3_600_000;

export interface Runtime {
  readonly name: RuntimeName;

  /**
   * Makes sure that instances can be run at all.
   * @throws Nexus3Error ENGINE_NOT_FOUND (process), DOCKER_UNREACHABLE (docker).
   */
  ready(): Promise<void>;

  /** How `redis.conf` and `start` of this instance must be rendered. Only valid after `ready()`. */
  placement(spec: InstanceSpec, vaultPort: number): Placement;

  /**
   * The user and group that a new data or configuration folder must belong to; undefined: the one who runs nexus3. An
   * existing data folder keeps its owner, and the instance runs as that.
   */
  newFolderOwner(): { readonly uid: number; readonly gid: number } | undefined;

  /** One look at everything, in as few requests as the runtime allows. @throws DOCKER_UNREACHABLE */
  observe(specs: readonly InstanceSpec[]): Promise<RuntimeObservation>;

  /** Creates the network if it is missing; nothing where there is none. */
  ensureNetwork(): Promise<void>;
  /** Connects an existing instance to the network. */
  connectNetwork(spec: InstanceSpec): Promise<void>;

  /** Makes the instance without starting it. It must not exist. */
  create(spec: InstanceSpec): Promise<void>;
  /**
   * Starts an existing, stopped instance; one that runs already is left alone.
   * @throws PORT_TAKEN with the holder, START_FAILED with the last log lines.
   */
  start(spec: InstanceSpec): Promise<void>;
  /** Asks it to end (data are saved), and after `STOP_GRACE_MS` makes it end. A stopped one is left alone. */
  stop(spec: InstanceSpec): Promise<void>;
  /** Stops it if need be and removes it; folders stay. A missing one is left alone. @throws FOREIGN_INSTANCE */
  remove(spec: InstanceSpec): Promise<void>;

  /** The newest log lines, oldest first. Empty for a missing instance. */
  logs(spec: InstanceSpec, lines: number): Promise<readonly string[]>;
  /** Calls back with each new line until the signal is aborted. */
  followLogs(spec: InstanceSpec, onLine: (line: string) => void, signal: AbortSignal): Promise<void>;

  /** Only valid after `ready()`. */
  scratchPlacement(dir: string): ScratchPlacement;
  /**
   * Runs `{dir}/start` with sh until disposed of, then removes whatever it was made of but the folder. What runs that were
   * killed have left under the same name is removed first. Resolves when it was started, before it listens.
   * @throws Nexus3Error START_FAILED, IMAGE_MISSING
   */
  startScratch(spec: ScratchSpec): Promise<Scratch>;

  /** Ends connections to the engine; instances go on. */
  close(): Promise<void>;
}

/** How long a server may take to save and end before it is killed, in milliseconds. */
export const STOP_GRACE_MS = 20_000;
/** How many start, stop or inspect requests run at once. */
export const RUNTIME_CONCURRENCY_MAX = 8;
