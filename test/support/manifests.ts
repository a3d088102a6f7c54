/** Manifests as the repository hands them out: for tests of what is decided from them. */
import type { ListedBackup, Manifest } from '../../src/backup/backups.js';
import { MANIFEST_SCHEMA } from '../../src/backup/backups.js';

const ENGINE = { kind: 'redis', version: '8.2.3', graphModule: 41_603 } as const;

export function manifestOf(part: Partial<Manifest> = {}): Manifest {
  return {
    schema: MANIFEST_SCHEMA,
    id: '20260108T120000Z-1a2b',
    env: 'track',
    kind: 'standard',
    createdAt: '2026-01-08T12:00:00.250Z',
    durationMs: 12,
    version: '0.1.0',
    engine: ENGINE,
    replication: { id: 'a1'.repeat(20), offset: 4711 },
    snapshot: {
      file: 'dump.rdb',
      bytes: 100,
      sha256: 'ab'.repeat(32),
      rdbBytes: 100,
      rdbSha256: 'ab'.repeat(32),
    },
    content: { databases: [{ db: 0, keys: 10, expiring: 1 }], graphs: [] },
    verification: { verifiedAt: '2026-01-08T12:00:01.000Z', loadMs: 2_300, runtime: 'process', engine: ENGINE },
    ...part,
  };
}

export function believable(part: Partial<Manifest> = {}): ListedBackup {
  const manifest = manifestOf(part);
  return { id: manifest.id, env: manifest.env, manifest };
}
