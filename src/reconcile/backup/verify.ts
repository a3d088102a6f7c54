/** `backup verify`: backups that are there, loaded again and compared with what their manifests say. */
import { mapBounded } from '../../concurrency.js';
import { Nexus3Error } from '../../errors.js';
import type { BackupId } from '../../backup/backups.js';
import { BACKUP_ID } from '../../backup/backups.js';
import type { Progress } from '../../progress.js';
import { selectEnvironments } from '../desired.js';
import { holdRepository } from '../restore/hold-repository.js';
import type { World } from '../world.js';
import { BACKUP_CONCURRENCY_MAX } from './create.js';
import type { VerifiedBackup } from './report.js';
import { reportedBackup, reportedError } from './report.js';
import { verifyOne } from './verify-one.js';

export interface BackupVerifyOptions {
  /** Empty: all that have a backup, also such as nexus3.yaml does not know. */
  readonly envs: readonly string[];
  readonly all: boolean;
  /** Of one environment; undefined: the newest of each. */
  readonly id: string | undefined;
}

export interface BackupVerifyReport {
  readonly ok: boolean;
  readonly root: string;
  readonly durationMs: number;
  readonly environments: readonly VerifiedBackup[];
}

/** @throws Nexus3Error USAGE, ENVIRONMENT_UNKNOWN, BACKUP_NOT_FOUND where there is none at all, LOCK_HELD */
export async function verifyBackups(
  world: World,
  options: BackupVerifyOptions,
  progress: Progress,
): Promise<BackupVerifyReport> {
  refuseUsage(options);
  const startedAt = performance.now();
  await using _lock = await holdRepository(world, 'backup verify', progress);
  const names = await namesFrom(world, options);
  await world.runtime.ready();
  const environments = await mapBounded(names, BACKUP_CONCURRENCY_MAX, (name) =>
    verifyNamed(world, name, options.id, progress),
  );
  return {
    ok: environments.every(({ ok }) => ok),
    root: world.backups.root,
    durationMs: Math.round(performance.now() - startedAt),
    environments,
  };
}

function refuseUsage({ envs, all, id }: BackupVerifyOptions): void {
  if (all && envs.length > 0) {
    throw new Nexus3Error('USAGE', '--all leaves no choice of environments.', { hint: 'Leave one of the two out.' });
  }
  if (id === undefined) return;
  if (envs.length !== 1) {
    throw new Nexus3Error('USAGE', '--id names a backup of one environment.', {
      hint: `Name it: nexus3 backup verify track --id ${BACKUP_ID.test(id) ? id : '20260108T120000Z-1a2b'}`,
    });
  }
  if (!BACKUP_ID.test(id)) {
    throw new Nexus3Error('USAGE', `${JSON.stringify(id.slice(0, 40))} is no id of a backup.`, {
      hint: `An id looks like 20260108T120000Z-1a2b. See: nexus3 backup list ${envs.join('')}`,
    });
  }
}

/** One that has backups need not be in nexus3.yaml any more. */
async function namesFrom(world: World, { envs }: BackupVerifyOptions): Promise<readonly string[]> {
  const kept = await world.backups.environments();
  if (envs.length > 0) {
    selectEnvironments(
      world.configuration,
      envs.filter((name) => !kept.includes(name)),
    );
    return [...new Set(envs)];
  }
  if (kept.length > 0) return kept;
  throw new Nexus3Error('BACKUP_NOT_FOUND', 'There is no backup of any environment.', {
    evidence: [`looked in ${world.backups.root}`],
    hint: 'Make one: nexus3 backup create --all',
  });
}

/** The newest one, where its last verification failed: it is looked at again, and may prove good. */
async function failedBefore(world: World, name: string): Promise<BackupId | undefined> {
  const now = world.clock.now();
  const newest = (await world.backups.list(name)).find((one) => {
    const manifest = one.problem === undefined ? one.manifest : one.failed;
    // What is dated in the future is not the newest: a clock was wrong.
    return manifest === undefined || new Date(manifest.createdAt) <= now;
  });
  return newest?.problem !== undefined && newest.failed !== undefined ? newest.id : undefined;
}

async function verifyNamed(
  world: World,
  name: string,
  id: string | undefined,
  progress: Progress,
): Promise<VerifiedBackup> {
  let backup: VerifiedBackup['backup'] = null;
  try {
    const manifest = await world.backups.read(name, id ?? (await failedBefore(world, name)));
    backup = reportedBackup(manifest);
    const verified = await verifyOne(world, manifest, progress);
    const { comparedWithVault } = verified;
    const notRecorded = verified.notRecorded === undefined ? null : reportedError(verified.notRecorded);
    return { name, ok: true, backup: reportedBackup(verified.manifest), comparedWithVault, notRecorded, error: null };
  } catch (error) {
    if (!(error instanceof Nexus3Error)) throw error;
    return { name, ok: false, backup, comparedWithVault: false, notRecorded: null, error: reportedError(error) };
  }
}
