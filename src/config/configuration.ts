/** A loaded, valid configuration. Types only; load.ts makes one. */
import type { Environment } from '../protocol/environment.js';
import type { Settings } from '../protocol/settings.js';
import type { RuntimeName } from '../runtime/runtime.js';

/** An environment with its settings. */
export interface ConfiguredEnvironment extends Environment {
  /** Its own, over those for all, over the defaults: none is missing. */
  readonly settings: Settings;
}

/** `rotation:` what is expected of passwords. Nothing rotates by itself. */
export interface RotationPolicy {
  /** A password older than this is reported as password-old; undefined: none ever is. */
  readonly maxAgeDays: number | undefined;
}

/**
 * How many of the newest backups are kept of each span: `daily: 7`, the newest of each of the last seven days that have one.
 * Spans are those of UTC; 0 keeps none for that reason. The newest and the newest verified one are always kept.
 */
export interface Retention {
  /** The newest so many, whenever they were made; 3 by default. */
  readonly last: number;
  /** Of so many hours; 0 by default. */
  readonly hourly: number;
  /** Of so many days; 7 by default. */
  readonly daily: number;
  /** Of so many weeks, which begin on Monday; 4 by default. */
  readonly weekly: number;
  /** Of so many months; 6 by default. */
  readonly monthly: number;
}

/** `backup:` where backups lie, what is expected of them, and what is kept. */
export interface BackupPolicy {
  /** nexus3.yaml has `backup:`. Without it nothing is expected of anybody, and history is not kept. */
  readonly configured: boolean;
  /** Absolute: where backups lie; `{dataRoot}-backups` by default. */
  readonly root: string;
  /** Cron text of five fields, in this host's time zone; undefined: whoever makes backups knows when. */
  readonly schedule: string | undefined;
  /** A newest backup older than this is `backup-stale`; by default twice the longest pause of `schedule`, or 48 without one. */
  readonly staleAfterHours: number;
  /** A newest verification older than this is `backup-unverified`; 168 by default, and never less by default than `staleAfterHours`. */
  readonly unverifiedAfterHours: number;
  /** Encrypted for the identity that is derived from the root key, and for the recipients; false by default, true where there are any. */
  readonly encrypt: boolean;
  /** `age1…`, besides; none by default, at most 32. */
  readonly recipients: readonly string[];
  /** What `backup prune` leaves. */
  readonly keep: Retention;
  /** Of the history of one environment, on the vault's disk and again in the archive; 1 GiB by default. */
  readonly historyBytesMax: number;
  /** Off this machine; undefined: backups stay here. */
  readonly target: BackupTarget | undefined;
}

/** `backup: target:` a repository of restic that backups are pushed to. */
export interface BackupTarget {
  /** As restic's --repo has it; a folder is an absolute path. */
  readonly repository: string;
  /** Absolute path of a file of `NAME=value` lines that restic is given as its environment: a remote's secrets. Undefined: none. */
  readonly environmentFile: string | undefined;
}

/** nexus3.yaml as it is in force: defaults filled in, paths absolute, overrides of the command line applied. */
export interface Configuration {
  /** Absolute path of nexus3.yaml; undefined when the built-in registry is used. */
  readonly file: string | undefined;
  /** `process` by default. */
  readonly runtime: RuntimeName;
  /** Absolute. By default `/data/nexus3` for docker, the XDG data folder's `nexus3` for process. */
  readonly dataRoot: string;
  /** The Docker network of the containers; `nexus-storage-network` by default. The process runtime has none. */
  readonly network: string;
  /** Of the containers; `falkordb/falkordb:latest` by default. The process runtime has none. */
  readonly image: string;
  /** Containers are `{prefix}-{env}-vault` and `-operational`; `nexus3` by default. */
  readonly containerPrefix: string;
  /** IP address of this host that ports are published on; 127.0.0.1 by default. */
  readonly bind: string;
  /** Of Locker. */
  readonly audit: {
    /** How many entries are kept, older ones are trimmed away; 100,000 by default, 10 to 1,000,000. */
    readonly entriesMax: number;
  };
  /** `engine:` an explicit path of a redis-server or valkey-server (process runtime); undefined: one is looked for. */
  readonly engine: string | undefined;
  /** `module:` an explicit path of the graph module. `none` is for benchmarks: no graphs, said in every report. Undefined: it is looked for. */
  readonly module: string | undefined;
  /** When a password counts as old; without `rotation:` none does. */
  readonly rotation: RotationPolicy;
  /** Without `backup:` its `configured` is false, and the rest are defaults. */
  readonly backup: BackupPolicy;
  /** Sorted by vault port; always holds `locker`. */
  readonly environments: readonly ConfiguredEnvironment[];
}
