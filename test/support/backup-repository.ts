/** A repository of backups in a temporary folder, and snapshots to put into it. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Backups, NewBackup } from '../../src/backup/backups.js';
import { openBackups } from '../../src/backup/stored-backups.js';
import type { RootSecrets } from '../../src/backup/stored-keys.js';
import type { BackupPolicy } from '../../src/config/configuration.js';
import { DEFAULT_BACKUP } from '../../src/config/schema.js';
import { Secret } from '../../src/protocol/secret.js';

export const FIRST_CREATED_AT = new Date('2026-01-08T12:00:00.250Z');

export function newBackup(changes: Partial<NewBackup> = {}): NewBackup {
  return {
    env: 'track',
    kind: 'standard',
    createdAt: FIRST_CREATED_AT,
    version: '0.1.0',
    engine: { kind: 'redis', version: '8.2.3', graphModule: 41603 },
    replication: { id: 'a1'.repeat(20), offset: 4711 },
    ...changes,
  };
}

/** A backup secret, as the root key would give it. */
export function someSecret(): Secret {
  return new Secret(randomBytes(32).toString('base64url'));
}

export async function* chunksOf(...chunks: readonly Buffer[]): AsyncGenerator<Buffer> {
  for (const chunk of chunks) yield await Promise.resolve(chunk);
}

export interface TestRepository extends AsyncDisposable {
  /** What the repository takes for the present. */
  now: Date;
  readonly folder: string;
  /** The backup root: not there yet. */
  readonly root: string;
  /** As one with these secrets, or whatever that throws, sees it. */
  open(secrets?: Partial<RootSecrets> | (() => Promise<RootSecrets>), policy?: Partial<BackupPolicy>): Backups;
}

export async function testRepository(): Promise<TestRepository> {
  const folder = await mkdtemp(join(tmpdir(), 'nexus3-backups-'));
  const root = join(folder, 'backups');
  const usual = { present: someSecret(), next: undefined, previous: undefined };
  const repository: TestRepository = {
    now: new Date(FIRST_CREATED_AT.getTime() + 1_500),
    folder,
    root,
    open: (secrets = {}, policy = {}) =>
      openBackups(
        { ...DEFAULT_BACKUP, root, ...policy },
        {
          secrets: typeof secrets === 'function' ? secrets : () => Promise.resolve({ ...usual, ...secrets }),
          now: () => repository.now,
        },
      ),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
  return repository;
}
