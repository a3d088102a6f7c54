/** What `restore` says: the JSON contract of docs/cli-json.md (`nexus3.restore/1`). */
import type { ErrorCode, Nexus3Error } from '../../errors.js';
import type { PlannedRestore } from './plan.js';
import type { RestoreSource } from './source.js';

export interface RestoreOptions {
  /** Undefined: all. */
  readonly env: string | undefined;
  readonly id: string | undefined;
  readonly at: Date | undefined;
  /** A new environment to restore into. */
  readonly into: string | undefined;
  /** Of that new environment; undefined: the next free one. */
  readonly vaultPort?: number | undefined;
  /** Put back what a restore that was cut off has replaced. */
  readonly abort: boolean;
}

export interface RestoredEnvironment {
  /** Into which it was restored. */
  readonly env: string;
  /** Whose backup or history it is. */
  readonly from: string;
  /** Null: there is nothing to restore, or only the repository off this machine knows what. */
  readonly source: RestoreSource | null;
  /** `put-back`: the old data are in their place again (`--abort`). `skipped`: there is no backup of it, or, with a source, the run that goes on had restored it, or somebody by name since. */
  readonly outcome: 'planned' | 'restored' | 'put-back' | 'skipped' | 'failed';
  /** What an earlier run had begun was finished. */
  readonly resumed: boolean;
  readonly steps: readonly string[];
  readonly warnings: readonly string[];
  /** As restored and counted; of a plan, as its source says. */
  readonly keys: number | null;
  readonly graphs: number | null;
  /** Where what the vault held is now. */
  readonly keptAside: string | null;
  /** Where a snapshot of what the operational held is. */
  readonly keptOperational: string | null;
  /** From the stop of the vault until applications could log in again; null: nobody knows, or nothing was stopped. */
  readonly writesStoppedMs: number | null;
  readonly durationMs: number;
  readonly error: {
    readonly code: ErrorCode;
    readonly message: string;
    readonly evidence: readonly string[];
    readonly hint: string;
  } | null;
}

export interface RestoreReport {
  readonly ok: boolean;
  /** Nothing was changed. */
  readonly dryRun: boolean;
  /** `p_` and 12 hex digits. */
  readonly plan: string;
  readonly environments: readonly RestoredEnvironment[];
  readonly durationMs: number;
}

export const NOTHING_DONE = {
  resumed: false,
  keys: null,
  graphs: null,
  keptAside: null,
  keptOperational: null,
  writesStoppedMs: null,
  durationMs: 0,
  error: null,
} as const;

const PLANNED_OUTCOMES: Readonly<Record<PlannedRestore['way'], RestoredEnvironment['outcome']>> = {
  begin: 'planned',
  'go-on': 'planned',
  finish: 'planned',
  'put-back': 'planned',
  'put-back-then-begin': 'planned',
  skip: 'skipped',
  fail: 'failed',
};

export function plannedReport(id: string, planned: readonly PlannedRestore[], durationMs: number): RestoreReport {
  return {
    ok: planned.every(({ way }) => way !== 'fail'),
    dryRun: true,
    plan: id,
    environments: planned.map(({ env, from, way, source, steps, warnings, keysThen, error }) => ({
      ...NOTHING_DONE,
      env,
      from,
      source,
      outcome: PLANNED_OUTCOMES[way],
      steps,
      warnings,
      keys: keysThen,
      error: error === undefined ? null : errorFields(error),
    })),
    durationMs,
  };
}

export function restoredReport(
  id: string,
  environments: readonly RestoredEnvironment[],
  durationMs: number,
): RestoreReport {
  return { ok: environments.every(({ error }) => error === null), dryRun: false, plan: id, environments, durationMs };
}

export function errorFields({ code, message, evidence, hint }: Nexus3Error): RestoredEnvironment['error'] {
  return { code, message, evidence, hint };
}

/** Of all together; told where it ends. */
export function warnedLast(
  environments: readonly RestoredEnvironment[],
  warnings: readonly string[],
): readonly RestoredEnvironment[] {
  return environments.map((one, index) =>
    index === environments.length - 1 ? { ...one, warnings: [...one.warnings, ...warnings] } : one,
  );
}
