/** What a look at an environment says of its backups: one folder listed, mostly one manifest read. */
import type { LatestBackups, Window } from '../../backup/backups.js';
import type { ConfiguredEnvironment } from '../../config/configuration.js';
import { Nexus3Error, systemErrorCode } from '../../errors.js';
import { specOf } from '../desired.js';
import type { BackupFacts, BackupMoment } from '../facts.js';
import type { World } from '../world.js';

const HOUR_MS = 3_600_000;

/**
 * Undefined where nothing is expected of backups, and where the repository cannot be read: a look at the servers must not
 * fail because of it, and whoever works with backups is told why.
 */
export async function lookAtBackups(
  world: World,
  environment: ConfiguredEnvironment,
): Promise<BackupFacts | undefined> {
  const { backup } = world.configuration;
  if (!backup.configured) return undefined;
  const [latest, windows] = await Promise.all([
    unlessUnreadable(() => world.backups.latest(environment.name)),
    unlessUnreadable(() =>
      world.backups.history.windows(environment.name, specOf(world.configuration, environment, 'vault').dataDir),
    ),
  ]);
  return latest === undefined ? undefined : backupFacts(latest, windows ?? [], backup, world.clock.now());
}

/** Pure. */
export function backupFacts(
  { newest, verified, damaged }: LatestBackups,
  windows: readonly Window[],
  bounds: { readonly staleAfterHours: number; readonly unverifiedAfterHours: number },
  now: Date,
): BackupFacts {
  const verifiedAt = verified?.verification?.verifiedAt;
  return {
    newest: newest === undefined ? undefined : moment(newest.createdAt, bounds.staleAfterHours, now),
    verified: verifiedAt === undefined ? undefined : moment(verifiedAt, bounds.unverifiedAfterHours, now),
    newestIsVerified: newest !== undefined && newest.id === verified?.id,
    damaged,
    // The last one reaches furthest into the present.
    window: windows.at(-1),
  };
}

function moment(at: string, hoursMax: number, now: Date): BackupMoment {
  const ageMs = Math.max(0, now.getTime() - Date.parse(at));
  return { at, hours: Math.floor(ageMs / HOUR_MS), hoursMax, isOld: ageMs > hoursMax * HOUR_MS };
}

async function unlessUnreadable<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof Nexus3Error || systemErrorCode(error) !== undefined) return undefined;
    throw error;
  }
}
