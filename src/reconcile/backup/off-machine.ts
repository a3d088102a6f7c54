/** `backup push` and `backup pull`: the place off this machine, by itself. `backup create` pushes without being asked. */
import { Nexus3Error } from '../../errors.js';
import type { Progress } from '../../progress.js';
import type { Target } from '../../backup/backups.js';
import { isEnvironmentName } from '../../protocol/environment.js';
import type { World } from '../world.js';

const EVIDENCE_MAX = 10;

export interface BackupPushReport {
  readonly ok: true;
  /** As nexus3.yaml names it. */
  readonly repository: string;
  /** Restic's id of it. */
  readonly snapshot: string;
  readonly bytesAdded: number;
  readonly durationMs: number;
}

export interface BackupPullReport {
  readonly ok: true;
  readonly repository: string;
  readonly root: string;
  /** That were not here. */
  readonly files: number;
  readonly durationMs: number;
}

/** @throws Nexus3Error USAGE where no target is configured; BACKUP_NOT_FOUND, RESTIC_NOT_FOUND, RESTIC_FAILED */
export async function pushBackups(world: World, progress: Progress): Promise<BackupPushReport> {
  const target = targetOf(world);
  const startedAt = performance.now();
  const { pushes } = world.backups;
  let pushed: Awaited<ReturnType<Target['push']>>;
  try {
    // Without the repository's lock: see the target's own word on it.
    pushed = await target.push(toldAs(`copy to ${target.repository}`, progress), (note) => {
      progress.note(note);
    });
  } catch (error) {
    if (error instanceof Nexus3Error && error.code !== 'BACKUP_NOT_FOUND') await pushes.owe(error.code);
    throw error;
  }
  await pushes.done();
  const { snapshot, bytesAdded } = pushed;
  const durationMs = Math.round(performance.now() - startedAt);
  return { ok: true, repository: target.repository, snapshot, bytesAdded, durationMs };
}

/**
 * @param envs empty: all that lie there; also such as nexus3.yaml does not know
 * @throws Nexus3Error USAGE where no target is configured; NAME_INVALID, LOCK_HELD, RESTIC_NOT_FOUND, RESTIC_FAILED, DISK_FULL,
 *   BACKUP_DAMAGED where what is damaged here was damaged when it was pushed
 */
export async function pullBackups(
  world: World,
  envs: readonly string[],
  progress: Progress,
): Promise<BackupPullReport> {
  const target = targetOf(world);
  const wrong = envs.find((name) => !isEnvironmentName(name));
  if (wrong !== undefined) {
    throw new Nexus3Error('NAME_INVALID', `${JSON.stringify(wrong.slice(0, 40))} is no name of an environment.`, {
      hint: 'A name is a lower-case letter, then up to 30 of a–z, 0–9 and -.',
    });
  }
  const startedAt = performance.now();
  await using _lock = await world.backups.acquire('backup pull', (holder) => {
    progress.note(`waiting for ${holder}`);
  });
  // Whoever asks for it by name may have been told that what is here has decayed.
  const { files, damaged } = await target.pull(envs, toldAs(`fetch from ${target.repository}`, progress), true);
  if (damaged.length > 0) throw damagedThereToo(target, damaged);
  const durationMs = Math.round(performance.now() - startedAt);
  return { ok: true, repository: target.repository, root: world.backups.root, files, durationMs };
}

function targetOf({ backups, configuration }: World): Target {
  if (backups.target !== undefined) return backups.target;
  throw new Nexus3Error('USAGE', 'No place off this machine is configured.', {
    evidence: [configuration.file === undefined ? 'there is no nexus3.yaml' : `in ${configuration.file}`],
    hint: 'Name one in nexus3.yaml: backup: { target: { repository: sftp:user@host:/nexus3 } }',
  });
}

function damagedThereToo({ repository }: Target, damaged: readonly string[]): Nexus3Error {
  const evidence = damaged.slice(0, EVIDENCE_MAX).map((path) => `${path}: neither here nor at ${repository}`);
  const more = damaged.length - evidence.length;
  return new Nexus3Error('BACKUP_DAMAGED', 'Some of what is damaged here was copied when it was damaged already.', {
    evidence: more > 0 ? [...evidence, `and ${String(more)} more`] : evidence,
    hint: 'All else was fetched. An earlier snapshot of restic may have it whole: look with `restic snapshots`.',
  });
}

function toldAs(what: string, progress: Progress): (fraction: number) => void {
  progress.step(what);
  return (fraction) => {
    progress.step(`${what}: ${String(Math.floor(fraction * 100))} %`);
  };
}
