/** A finding: one thing that is not as it should be, on one instance. Codes, severities and fields are contracts. */
import type { Role } from '../protocol/environment.js';

/** All that `check` can find, in the order in which it is told; each is explained in docs/findings.md. */
export const FINDING_CODES = [
  'foreign-instance',
  'instance-missing',
  'instance-stopped',
  'instance-crash-looping',
  'instance-unreachable',
  'network-missing',
  'network-detached',
  'port-mismatch',
  'mount-mismatch',
  'config-drift',
  'config-volatile',
  'port-exposed',
  'image-unpinned',
  'vault-open',
  'default-user-unrestricted',
  'secrets-exposed',
  'password-mismatch',
  'credential-missing',
  'credential-unreadable',
  'rotation-unfinished',
  'password-old',
  'vault-not-master',
  'operational-not-replica',
  'operational-writable',
  'wrong-master',
  'link-down',
  'replica-lag',
  'replica-loading',
  'vault-empty',
  'vault-behind',
  'vault-not-durable',
  'evicts-data',
  'persistence-failing',
  'version-incompatible',
  'module-missing',
  'rekey-unfinished',
  'reset-unfinished',
  'recovery-kit-missing',
  'restore-unfinished',
  'backup-missing',
  'backup-stale',
  'backup-unverified',
  'backup-not-pushed',
  'history-over-bound',
] as const;
/** One of `FINDING_CODES`. */
export type FindingCode = (typeof FINDING_CODES)[number];

/** Only an `error` makes a report not ok. */
export type Severity = 'error' | 'warning' | 'info';

/** One thing that is wrong with one server of an environment. */
export interface Finding {
  /** For programs; docs/findings.md explains each. */
  readonly code: FindingCode;
  /** The same for all findings of one code. */
  readonly severity: Severity;
  /** The environment's name. */
  readonly env: string;
  /** Where it was seen; what belongs to the environment as a whole is told of its vault. */
  readonly instance: Role;
  /** One sentence: what is wrong. */
  readonly message: string;
  /** What was measured; values are numbers, strings or booleans, never a secret. */
  readonly evidence: Readonly<Record<string, string | number | boolean | null>>;
  /** One sentence or command: what to do now. */
  readonly remedy: string;
  /** `check --fix` may repair it. */
  readonly fixable: boolean;
}
