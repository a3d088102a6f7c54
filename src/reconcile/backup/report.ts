/** What `backup create` and `backup verify` say of one environment. */
import type { ArchiveReport, Manifest } from '../../backup/backups.js';
import type { ErrorCode, Nexus3Error } from '../../errors.js';
import { keysIn } from '../restore/content.js';

export interface ReportedError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly evidence: readonly string[];
  readonly hint: string;
}

/** As the documents have it: docs/cli-json.md. */
export interface ReportedBackup {
  readonly id: string;
  readonly createdAt: string;
  /** Of the file as it lies there. */
  readonly bytes: number;
  readonly sha256: string;
  readonly encrypted: boolean;
  /** Null: it was never loaded. */
  readonly keys: number | null;
  readonly graphs: number | null;
  readonly verifiedAt: string | null;
  readonly loadMs: number | null;
}

export interface CreatedBackup {
  readonly name: string;
  readonly ok: boolean;
  /** Null: none was made. */
  readonly backup: ReportedBackup | null;
  /** From the request until it was listed. */
  readonly durationMs: number | null;
  /** Of the history of writes; null: it was not come to, or it failed. */
  readonly archived: ArchiveReport | null;
  readonly comparedWithVault: boolean;
  /** What is not in it, though it was asked for. */
  readonly warnings: readonly string[];
  readonly error: ReportedError | null;
}

export interface VerifiedBackup {
  readonly name: string;
  readonly ok: boolean;
  /** Null: there is none that can be believed. */
  readonly backup: ReportedBackup | null;
  readonly comparedWithVault: boolean;
  /** It is good, and why that could not be written into its manifest, as on a read-only disk. */
  readonly notRecorded: ReportedError | null;
  readonly error: ReportedError | null;
}

export function reportedBackup({ id, createdAt, snapshot, content, verification }: Manifest): ReportedBackup {
  return {
    id,
    createdAt,
    bytes: snapshot.bytes,
    sha256: snapshot.sha256,
    encrypted: snapshot.file !== 'dump.rdb',
    keys: content === null ? null : keysIn(content),
    graphs: content === null ? null : content.graphs.length,
    verifiedAt: verification?.verifiedAt ?? null,
    loadMs: verification?.loadMs ?? null,
  };
}

export function reportedError({ code, message, evidence, hint }: Nexus3Error): ReportedError {
  return { code, message, evidence, hint };
}
