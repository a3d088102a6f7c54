/** What `check`, `status` and `up` say: the JSON contract of docs/cli-json.md. */
import type { EnvironmentKind, Role } from '../protocol/environment.js';
import type { FindingCode, Severity } from './finding.js';

/** A `Finding` of the environment that it stands in, and what has become of it. */
export interface ReportedFinding {
  /** For programs; docs/findings.md explains each. */
  readonly code: FindingCode;
  /** Only an `error` makes the environment not ok. */
  readonly severity: Severity;
  /** Where it was seen. */
  readonly instance: Role;
  /** For people; may change. */
  readonly message: string;
  /** What was measured, by name; never a secret. */
  readonly evidence: Readonly<Record<string, string | number | boolean | null>>;
  /** What to do now: a sentence or a command. */
  readonly remedy: string;
  /** `check --fix` may repair it. */
  readonly fixable: boolean;
  /** True when this run repaired it and measured that. */
  readonly fixed: boolean;
}

/** `locked`: it does not take the administrator's password. `held`: kept from starting by the last-copy guard. */
export type ReportedState =
  'missing' | 'stopped' | 'restarting' | 'paused' | 'unreachable' | 'loading' | 'locked' | 'running' | 'held';

/** A server as it was seen. What only the server itself can say is null where it could not be asked. */
export interface ReportedVault {
  /** On the host. */
  readonly port: number;
  /** Only of `running` is the rest known. */
  readonly state: ReportedState;
  /** As the server says; a vault should be `master`, an operational `replica`. */
  readonly role: 'master' | 'replica' | null;
  /** The server's, e.g. 8.2.3. */
  readonly engineVersion: string | null;
  /** FalkorDB's, e.g. 4.16.3; null also where it has no graph module. */
  readonly moduleVersion: string | null;
  /** Of all databases. */
  readonly keys: number | null;
  /** Used by the server, as it says. */
  readonly memoryBytes: number | null;
  /** Bytes of the replication stream that it has produced. */
  readonly offset: number | null;
}

/** The replica, and its link to the vault. */
export interface ReportedOperational extends Omit<ReportedVault, 'offset'> {
  /** To its master; null also where it is none's replica. */
  readonly link: 'up' | 'down' | null;
  /** How far it is behind, in bytes of the replication stream; null while the link is down, or the vault could not be asked. */
  readonly lagBytes: number | null;
}

/** What there is of an environment's backups, and when. */
export interface ReportedBackup {
  /** ISO 8601, of the newest that can be believed; null: there is none. */
  readonly newestAt: string | null;
  /** When one was last verified, ISO 8601; null: never. */
  readonly verifiedAt: string | null;
  /** Any second of it can be restored, both ends included; null: none can. */
  readonly window: {
    /** ISO 8601. */
    readonly from: string;
    /** ISO 8601. */
    readonly to: string;
  } | null;
}

/** One environment as it was seen, after the repairs where there were any. */
export interface ReportedEnvironment {
  /** As nexus3.yaml has it. */
  readonly name: string;
  /** As nexus3.yaml has it; `standard` by default. */
  readonly kind: EnvironmentKind;
  /** No finding of severity `error` is left. */
  readonly ok: boolean;
  /** Never null: what is not there has the state `missing`. */
  readonly vault: ReportedVault;
  /** Null for a Secure Environment. */
  readonly operational: ReportedOperational | null;
  /** Null: nexus3.yaml has no `backup:`, or the repository cannot be read. */
  readonly backup: ReportedBackup | null;
  /** Those that are left, then those that were repaired (`fixed`); empty: all is well. */
  readonly findings: readonly ReportedFinding[];
}

/** One step of a plan. */
export interface ReportedAction {
  /** What is done: `render`, `restart`, `attach`, …; more may come. */
  readonly kind: string;
  /** `track/operational`, or `track`; null for what belongs to no environment. */
  readonly on: string | null;
  /** One sentence, for people. */
  readonly summary: string;
  /** The finding that it repairs. */
  readonly because: FindingCode;
}

/** What would be done, or was to be done. */
export interface ReportedPlan {
  /** `p_` and 12 hex digits, for `check --fix --plan ID`: the same findings give the same. Null: there is nothing to do. */
  readonly id: string | null;
  /** In the order in which they are done. */
  readonly actions: readonly ReportedAction[];
}

/** Why Locker could not be asked. */
export interface ReportedLockerError {
  /** An error code of src/errors.ts. */
  readonly code: string;
  /** What happened, with its evidence. */
  readonly message: string;
  /** What to do now. */
  readonly hint: string;
}

/** An action that could not be carried out. */
export interface ReportedFailure {
  /** As `on` of the action. */
  readonly on: string | null;
  /** Its `kind`. */
  readonly action: string;
  /** An error code of src/errors.ts. */
  readonly code: string;
  /** What happened, with its evidence. */
  readonly message: string;
  /** What to do now. */
  readonly hint: string;
}

/** What `status`, `check` and `up` give back: as `--json` prints it, without `schema`. Times are UTC. */
export interface Report {
  /** No finding of severity error is left, every action worked, and Locker could be asked. */
  readonly ok: boolean;
  /** ISO 8601: when the look began. */
  readonly checkedAt: string;
  /** How long it took in whole milliseconds, repairs included. */
  readonly durationMs: number;
  /** Those that were asked for, in the order of their ports; of `up` Locker as well. */
  readonly environments: readonly ReportedEnvironment[];
  /** Of `up`, and of `check` with `--dry-run` or `--fix`; null otherwise. */
  readonly plan: ReportedPlan | null;
  /** How many actions were carried out; 0 when nothing was changed. */
  readonly applied: number;
  /** Actions that did not work, and proofs that failed; they are not thrown. */
  readonly failures: readonly ReportedFailure[];
  /** Why Locker could not be asked: the exit code is then 3. Null when it could. */
  readonly lockerError: ReportedLockerError | null;
}
