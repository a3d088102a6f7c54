/** A loaded, valid configuration. Types only; load.ts makes one. */
import type { Environment } from '../protocol/environment.js';
import type { Settings } from '../protocol/settings.js';
import type { RuntimeName } from '../runtime/runtime.js';

export interface ConfiguredEnvironment extends Environment {
  readonly settings: Settings;
}

export interface RotationPolicy {
  /** A password older than this is reported as password-old; undefined: none ever is. */
  readonly maxAgeDays: number | undefined;
}

/** How many of the newest backups are kept of each span: `daily: 7`, the newest of each of the last seven days that have one. */
export interface Retention {
  readonly last: number;
  readonly hourly: number;
  readonly daily: number;
  readonly weekly: number;
  readonly monthly: number;
}

export interface BackupPolicy {
  /** nexus3.yaml has `backup:`. Without it nothing is expected of anybody, and history is not kept. */
  readonly configured: boolean;
  /** Absolute: where backups lie. */
  readonly root: string;
  /** Cron text of five fields, in this host's time zone; undefined: whoever makes backups knows when. */
  readonly schedule: string | undefined;
  /** A newest backup older than this is `backup-stale`. */
  readonly staleAfterHours: number;
  /** A newest verification older than this is `backup-unverified`. */
  readonly unverifiedAfterHours: number;
  /** Encrypted for the identity that is derived from the root key, and for the recipients. */
  readonly encrypt: boolean;
  /** `age1…`, besides. */
  readonly recipients: readonly string[];
  readonly keep: Retention;
  /** Of the history of one environment, on the vault's disk and again in the archive. */
  readonly historyBytesMax: number;
  /** Off this machine. */
  readonly target: BackupTarget | undefined;
}

export interface BackupTarget {
  /** As restic's --repo has it. */
  readonly repository: string;
  /** Absolute path of a file of `NAME=value` lines that restic is given as its environment: a remote's secrets. */
  readonly environmentFile: string | undefined;
}

export interface Configuration {
  /** Absolute path of nexus3.yaml; undefined when the built-in registry is used. */
  readonly file: string | undefined;
  readonly runtime: RuntimeName;
  /** Absolute. */
  readonly dataRoot: string;
  readonly network: string;
  readonly image: string;
  readonly containerPrefix: string;
  readonly bind: string;
  /** Of Locker. */
  readonly audit: { readonly entriesMax: number };
  /** `engine:` an explicit path of a redis-server or valkey-server (process runtime). */
  readonly engine: string | undefined;
  /** `module:` an explicit path of the graph module. `none` is for benchmarks: no graphs, said in every report. */
  readonly module: string | undefined;
  readonly rotation: RotationPolicy;
  readonly backup: BackupPolicy;
  /** Sorted by vault port; always holds `locker`. */
  readonly environments: readonly ConfiguredEnvironment[];
}
