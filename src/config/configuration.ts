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
  /** Sorted by vault port; always holds `locker`. */
  readonly environments: readonly ConfiguredEnvironment[];
}
