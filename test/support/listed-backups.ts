/** Backups as a repository lists them, for tests of what is decided from them. */
import type { ListedBackup, Manifest, Verification } from '../../src/backup/backups.js';
import { MANIFEST_SCHEMA } from '../../src/backup/backups.js';
import { Nexus3Error } from '../../src/errors.js';

export interface BackupParts {
  readonly env?: string;
  /** Four hex digits. */
  readonly suffix?: string;
  /** ISO 8601. */
  readonly verifiedAt?: string | undefined;
  readonly damaged?: boolean;
  readonly encrypted?: boolean;
  readonly rdbBytes?: number;
}

/** @param at ISO 8601 */
export function listed(at: string, parts: BackupParts = {}): ListedBackup {
  const manifest = manifestOf(at, parts);
  const { id, env } = manifest;
  return parts.damaged === true ? { id, env, problem: DAMAGED } : { id, env, manifest };
}

export function manifestOf(at: string, parts: BackupParts = {}): Manifest {
  const { env = 'track', suffix = '1a2b', verifiedAt, encrypted = false, rdbBytes = 1_258_291 } = parts;
  const createdAt = new Date(at).toISOString();
  const stamp = createdAt.slice(0, 19).replaceAll(/[-:]/g, '');
  return {
    schema: MANIFEST_SCHEMA,
    id: `${stamp}Z-${suffix}`,
    env,
    kind: 'standard',
    createdAt,
    durationMs: 41,
    version: '0.1.0',
    engine: ENGINE,
    replication: { id: 'i'.repeat(40), offset: 4_711 },
    snapshot: {
      file: encrypted ? 'dump.rdb.age' : 'dump.rdb',
      bytes: rdbBytes + (encrypted ? 216 : 0),
      sha256: '0'.repeat(64),
      rdbBytes,
      rdbSha256: '0'.repeat(64),
    },
    content:
      verifiedAt === undefined
        ? null
        : {
            databases: [{ db: 0, keys: 12, expiring: 1 }],
            graphs: [{ name: 'projects', nodes: 3, edges: 2, labels: 1, indexes: 1, constraints: 0 }],
          },
    verification: verifiedAt === undefined ? null : verification(verifiedAt),
  };
}

const ENGINE = { kind: 'redis', version: '8.2.3', graphModule: 41_603 } as const;

const DAMAGED = new Nexus3Error('BACKUP_DAMAGED', 'The backup track/… is not what was written: it is damaged.', {
  evidence: ['dump.rdb: it has 3 bytes'],
  hint: 'Take another backup.',
});

function verification(verifiedAt: string): Verification {
  return { verifiedAt, loadMs: 320, runtime: 'process', engine: ENGINE };
}
