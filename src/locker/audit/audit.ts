/** The audit port: what was done with what Locker keeps, read and proven. Types only; the files beside it implement it. */
import type { AuditAction, AuditNote } from '../locker.js';

/** Who asks, as far as a process can say it of itself. It goes into the audit; it proves nothing. */
export interface Who {
  /** Name of the operating system's user; its number where it has none; empty where it is not known. */
  readonly user: string;
  /** 0: not known. */
  readonly pid: number;
  /** Name of the parent's command (`/proc/PID/comm`), empty where it cannot be read. */
  readonly parent: string;
  /** `t_…` for the holder of a token; null for one of the root key. */
  readonly token: string | null;
}

export interface AuditEntry {
  /** Counts from 1, without a gap. */
  readonly seq: number;
  /** ISO 8601. */
  readonly at: string;
  readonly who: Who;
  readonly action: AuditAction;
  readonly what: string;
  readonly outcome: AuditNote['outcome'];
  readonly detail: string | null;
  /** False: it was changed, or nexus3 did not write it. */
  readonly genuine: boolean;
}

export interface AuditQuery {
  /** No older ones than this. */
  readonly since?: Date | undefined;
  readonly action?: AuditAction | undefined;
  /** Part of what it was done to. */
  readonly what?: string | undefined;
  /** The newest so many. */
  readonly limit: number;
}

export interface AuditPage {
  /** Oldest first. */
  readonly entries: readonly AuditEntry[];
  /** Older ones fit as well, and were left out. */
  readonly more: boolean;
}

/** What a proof says when nothing is wrong. */
export interface AuditProof {
  /** How many are kept. */
  readonly entries: number;
  /** Of the oldest and the newest that are kept; 0: there is none. */
  readonly firstSeq: number;
  readonly lastSeq: number;
  /** Where the head is kept beside the root key. */
  readonly headFile: string;
  /** What could not be proven, a sentence each. */
  readonly warnings: readonly string[];
}

/** What was taken into the audit from where it had been left. */
export interface AuditFolded {
  /** Notes of holders of tokens. */
  readonly notes: number;
  /** Refusals that Locker’s server had written down. */
  readonly denied: number;
}

export interface Audit {
  read(query: AuditQuery): Promise<AuditPage>;
  /** @throws Nexus3Error AUDIT_BROKEN with the first place that is wrong */
  verify(): Promise<AuditProof>;
  /** Takes in what holders of tokens have noted, and what Locker’s server has refused. */
  fold(): Promise<AuditFolded>;
  /** Sets a damaged audit aside and begins a new one, which says so in its first entry. */
  beginAnew(): Promise<void>;
}
