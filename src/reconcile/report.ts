/** What `check`, `status` and `up` say: the JSON contract of docs/cli-json.md. */
import type { EnvironmentKind, Role } from '../protocol/environment.js';
import type { FindingCode, Severity } from './finding.js';

export interface ReportedFinding {
  readonly code: FindingCode;
  readonly severity: Severity;
  readonly instance: Role;
  readonly message: string;
  readonly evidence: Readonly<Record<string, string | number | boolean | null>>;
  readonly remedy: string;
  readonly fixable: boolean;
  /** True when this run repaired it and measured that. */
  readonly fixed: boolean;
}

export type ReportedState =
  'missing' | 'stopped' | 'restarting' | 'paused' | 'unreachable' | 'loading' | 'locked' | 'running' | 'held';

export interface ReportedVault {
  readonly port: number;
  readonly state: ReportedState;
  readonly role: 'master' | 'replica' | null;
  readonly engineVersion: string | null;
  /** FalkorDB's, e.g. 4.16.3. */
  readonly moduleVersion: string | null;
  readonly keys: number | null;
  readonly memoryBytes: number | null;
  readonly offset: number | null;
}

export interface ReportedOperational extends Omit<ReportedVault, 'offset'> {
  readonly link: 'up' | 'down' | null;
  readonly lagBytes: number | null;
}

export interface ReportedBackup {
  /** ISO 8601, of the newest that can be believed; null: there is none. */
  readonly newestAt: string | null;
  /** When one was last verified; null: never. */
  readonly verifiedAt: string | null;
  /** Any second of it can be restored, both ends included; ISO 8601. */
  readonly window: { readonly from: string; readonly to: string } | null;
}

export interface ReportedEnvironment {
  readonly name: string;
  readonly kind: EnvironmentKind;
  readonly ok: boolean;
  readonly vault: ReportedVault;
  /** Null for a Secure Environment. */
  readonly operational: ReportedOperational | null;
  /** Null: nexus3.yaml has no `backup:`, or the repository cannot be read. */
  readonly backup: ReportedBackup | null;
  readonly findings: readonly ReportedFinding[];
}

export interface ReportedAction {
  readonly kind: string;
  /** `track/operational`, or null for what belongs to no instance. */
  readonly on: string | null;
  readonly summary: string;
  readonly because: FindingCode;
}

export interface ReportedPlan {
  readonly id: string | null;
  readonly actions: readonly ReportedAction[];
}

export interface ReportedLockerError {
  readonly code: string;
  readonly message: string;
  readonly hint: string;
}

/** An action that could not be carried out. */
export interface ReportedFailure {
  readonly on: string | null;
  readonly action: string;
  /** An error code of src/errors.ts. */
  readonly code: string;
  readonly message: string;
  readonly hint: string;
}

/** What `status`, `check` and `up` give back: as `--json` prints it, without `schema`. */
export interface Report {
  /** No finding of severity error. */
  readonly ok: boolean;
  /** ISO 8601. */
  readonly checkedAt: string;
  readonly durationMs: number;
  readonly environments: readonly ReportedEnvironment[];
  /** Of `--dry-run` and `--fix`; null otherwise. */
  readonly plan: ReportedPlan | null;
  /** How many actions were carried out; 0 when nothing was changed. */
  readonly applied: number;
  readonly failures: readonly ReportedFailure[];
  /** Why Locker could not be asked, as an error code; null when it could. The exit code is then 3. */
  readonly lockerError: ReportedLockerError | null;
}
