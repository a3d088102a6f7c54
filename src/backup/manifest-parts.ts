/** The nested parts of a manifest, read as from a stranger. Pure. */
import type { EngineVersion } from '../protocol/engine-record.js';
import type { ContentCounts } from '../redis/observation.js';
import type { SnapshotFile, Verification, VerificationFailure } from './backups.js';
import { count, line, list, object, oneOf, time, Untrue } from './untrusted.js';

const SHA256 = /^[0-9a-f]{64}$/;
const ENGINE_VERSION = /^\d+\.\d+\.\d+\S*$/;
const DATABASES_MAX = 100_000;
const GRAPHS_MAX = 1_000_000;

export function engineOf(value: unknown, field: string): EngineVersion {
  const { kind, version, graphModule } = object(value, field);
  const text = line(version, `${field}.version`);
  if (!ENGINE_VERSION.test(text)) throw new Untrue(`${field}.version: no version`);
  return {
    kind: oneOf(kind, ['redis', 'valkey'] as const, `${field}.kind`),
    version: text,
    graphModule: count(graphModule, `${field}.graphModule`),
  };
}

export function snapshotOf(value: unknown): SnapshotFile {
  const { file, bytes, sha256, rdbBytes, rdbSha256 } = object(value, 'snapshot');
  const snapshot = {
    file: oneOf(file, ['dump.rdb', 'dump.rdb.age'] as const, 'snapshot.file'),
    bytes: count(bytes, 'snapshot.bytes'),
    sha256: hash(sha256, 'snapshot.sha256'),
    rdbBytes: count(rdbBytes, 'snapshot.rdbBytes'),
    rdbSha256: hash(rdbSha256, 'snapshot.rdbSha256'),
  };
  const plain = snapshot.bytes === snapshot.rdbBytes && snapshot.sha256 === snapshot.rdbSha256;
  if (snapshot.file === 'dump.rdb' && !plain) throw new Untrue('snapshot: two sizes or hashes of one file');
  return snapshot;
}

export function contentOf(value: unknown): ContentCounts {
  const { databases, graphs } = object(value, 'content');
  return {
    databases: list(databases, DATABASES_MAX, 'content.databases').map((one) => {
      const { db, keys, expiring } = object(one, 'content.databases');
      return {
        db: count(db, 'content.databases.db'),
        keys: count(keys, 'content.databases.keys'),
        expiring: count(expiring, 'content.databases.expiring'),
      };
    }),
    graphs: list(graphs, GRAPHS_MAX, 'content.graphs').map((one) => {
      const { name, nodes, edges, labels, indexes, constraints } = object(one, 'content.graphs');
      // A graph may have any name, also one of many lines.
      if (typeof name !== 'string') throw new Untrue('content.graphs.name: no text');
      return {
        name,
        nodes: count(nodes, 'content.graphs.nodes'),
        edges: count(edges, 'content.graphs.edges'),
        labels: count(labels, 'content.graphs.labels'),
        indexes: count(indexes, 'content.graphs.indexes'),
        constraints: count(constraints, 'content.graphs.constraints'),
      };
    }),
  };
}

export function verificationOf(value: unknown): Verification {
  const { verifiedAt, loadMs, runtime, engine } = object(value, 'verification');
  return {
    verifiedAt: time(verifiedAt, 'verification.verifiedAt'),
    loadMs: count(loadMs, 'verification.loadMs'),
    runtime: oneOf(runtime, ['docker', 'process'] as const, 'verification.runtime'),
    engine: engineOf(engine, 'verification.engine'),
  };
}

export function failureOf(value: unknown): VerificationFailure {
  const { at, code } = object(value, 'failure');
  return {
    at: time(at, 'failure.at'),
    code: oneOf(code, ['BACKUP_DAMAGED', 'BACKUP_UNTRUE'] as const, 'failure.code'),
  };
}

function hash(value: unknown, field: string): string {
  if (typeof value !== 'string' || !SHA256.test(value)) throw new Untrue(`${field}: no SHA-256`);
  return value;
}
