/** What every finding is made of: how it is seen, what it means, what repairs it, what may not be repaired. */
import type { Role } from '../../protocol/environment.js';
import type { Action } from '../action.js';
import type { EnvironmentFacts } from '../facts.js';
import type { Finding, FindingCode, Severity } from '../finding.js';

/** One instance on which it is seen. */
export interface Sighting {
  readonly instance: Role;
  readonly message: string;
  readonly evidence?: Finding['evidence'];
  readonly remedy: string;
  /** Whether `check --fix` may repair this one. */
  readonly fixable: boolean;
}

export interface Rule {
  readonly code: FindingCode;
  readonly severity: Severity;
  /** For docs/findings.md: what it means, and what `--fix` does about it. */
  readonly means: string;
  readonly repairs: string;
  /** A role or a link is believed only after two observations. */
  readonly confirm?: boolean;
  /** `up` may try its repair although it is not known to help: the cause may have been put right meanwhile. */
  readonly retriedByUp?: boolean;
  see(facts: EnvironmentFacts): readonly Sighting[];
  /** Called only for a fixable sighting, or by `up` where `retriedByUp` says so. */
  repair?(instance: Role, facts: EnvironmentFacts): readonly Action[];
}
