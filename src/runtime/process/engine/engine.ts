/** The words of finding an engine: a redis-server or valkey-server that can carry the graph module. Types and limits. */
import type { EngineKind } from '../../../protocol/engine-record.js';

export interface Engine {
  /** The command that becomes the server, without its arguments. */
  readonly command: readonly string[];
  /** The graph module; undefined only where it was left out on purpose. */
  readonly modulePath: string | undefined;
  readonly kind: EngineKind;
  /** `8.2.3` */
  readonly version: string;
  /** The module's number, e.g. 41603 for 4.16.3; 0 without one. */
  readonly graphModule: number;
  /** Which strategy found it. */
  readonly strategy: StrategyName;
}

export type StrategyName = 'explicit' | 'npm-package' | 'path' | 'private-runtime';

export interface EngineOptions {
  /** `engine:` of the configuration; else $NEXUS3_ENGINE. */
  readonly engine?: string | undefined;
  /** `module:` of the configuration; else $NEXUS3_MODULE. `none`: deliberately without (benchmarks). */
  readonly module?: string | undefined;
  /** The process's own environment by default. */
  readonly env?: NodeJS.ProcessEnv;
}

/** An engine that may or may not run; nothing has been started yet. */
export interface Candidate {
  readonly command: readonly string[];
  readonly modulePath: string | undefined;
  /** Files and folders whose change makes an earlier verdict void, besides the machine's own libraries. */
  readonly dependsOn: readonly string[];
}

/** What a strategy says before anything is started: candidates, or in one line why it does not apply. */
export type Proposal = { readonly candidates: readonly Candidate[] } | { readonly why: string };

export interface Strategy {
  readonly name: StrategyName;
  /** For people: `the npm platform package`. */
  readonly title: string;
  propose(surroundings: Surroundings): Proposal;
}

/** What every strategy looks at. */
export interface Surroundings {
  readonly env: NodeJS.ProcessEnv;
  readonly engineHome: string;
  /** An engine named by the user. */
  readonly explicitEngine: string | undefined;
  /** The module to carry; undefined: none, on purpose. `missing`: there is none, and why. */
  readonly module: { readonly path: string | undefined } | { readonly missing: string };
  /** The npm package's redis-server, or why there is none. */
  readonly npmServer: { readonly path: string } | { readonly missing: string };
}

/** What a trial measured. */
export type Verdict =
  | { readonly ok: true; readonly kind: EngineKind; readonly version: string; readonly graphModule: number }
  | {
      readonly ok: false;
      readonly why: string;
      /** Says nothing of the engine itself, e.g. the machine was too busy: not to be remembered. */
      readonly transient: boolean;
    };

/** For `nexus3 engine`: what became of each strategy, in their order. */
export interface StrategyReport {
  readonly strategy: StrategyName;
  readonly title: string;
  /** The engine, where the strategy yields one. */
  readonly engine: Engine | undefined;
  /** In one line, why not. */
  readonly why: string | undefined;
  /** It is the one that is used. */
  readonly chosen: boolean;
}

/** The graph module refuses anything older. */
export const ENGINE_VERSION_MIN = '7.2';
export const MODULE_NONE = 'none';
