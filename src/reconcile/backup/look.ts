/** What a look at an environment says of its backups: one folder listed, mostly one manifest read. */
import type { LatestBackups, Window } from '../../backup/backups.js';
import type { ConfiguredEnvironment } from '../../config/configuration.js';
import { Nexus3Error, systemErrorCode } from '../../errors.js';
import { specOf } from '../desired.js';
import type { BackupFacts, BackupMoment } from '../facts.js';
import type { World } from '../world.js';

const HOUR_MS = 3_600_000;
/** No push takes longer: restic is ended after a day. */
const PUSH_HOURS_MAX = 24;

/**
 * Undefined where nothing is expected of backups, and where there is no root key, which is told elsewhere. A repository
 * that cannot be read is a fact: a look at the servers must not fail because of it.
 */
export async function lookAtBackups(
  world: World,
  environment: ConfiguredEnvironment,
): Promise<BackupFacts | undefined> {
  const { backup } = world.configuration;
  if (!backup.configured) return undefined;
  const { dataDir } = specOf(world.configuration, environment, 'vault');
  const [latest, windows, push, bytes] = await Promise.all([
    unlessUnreadable(world, () => world.backups.latest(environment.name)),
    unlessUnreadable(world, () => world.backups.history.windows(environment.name, dataDir)),
    unlessUnreadable(world, () => owedPush(world)),
    unlessUnreadable(world, () => world.backups.history.bytesInVault(dataDir)),
  ]);
  const history = typeof bytes === 'number' ? { bytes, bytesMax: backup.historyBytesMax } : undefined;
  if (typeof latest === 'string') return { ...NOTHING_KNOWN, history, unreadable: latest };
  const known = typeof windows === 'string' ? [] : windows;
  if (latest === undefined) return undefined;
  const facts = backupFacts(latest, known ?? [], backup, world.clock.now());
  return { ...facts, history, push: typeof push === 'string' ? undefined : push };
}

/** A push may be under way: only one that has failed, or is owed for longer than any takes, is late. */
async function owedPush({ backups, clock }: World): Promise<BackupFacts['push']> {
  const owed = backups.target === undefined ? undefined : await backups.pushes.owed();
  if (owed === undefined) return undefined;
  const isLong = clock.now().getTime() - Date.parse(owed.since) > PUSH_HOURS_MAX * HOUR_MS;
  return { ...owed, isLate: owed.code !== null || isLong };
}

const NOTHING_KNOWN = {
  newest: undefined,
  verified: undefined,
  newestIsVerified: false,
  failed: undefined,
  damaged: 0,
  inFuture: 0,
  push: undefined,
  window: undefined,
} as const;

/** Pure. */
export function backupFacts(
  { newest, verified, failed, damaged, inFuture }: LatestBackups,
  windows: readonly Window[],
  bounds: { readonly staleAfterHours: number; readonly unverifiedAfterHours: number },
  now: Date,
): BackupFacts {
  const verifiedAt = verified?.verification?.verifiedAt;
  return {
    newest: newest === undefined ? undefined : moment(newest.createdAt, bounds.staleAfterHours, now),
    verified: verifiedAt === undefined ? undefined : moment(verifiedAt, bounds.unverifiedAfterHours, now),
    newestIsVerified: newest !== undefined && newest.id === verified?.id,
    failed: failed?.failure === undefined ? undefined : { id: failed.id, ...failed.failure },
    damaged,
    inFuture,
    unreadable: undefined,
    push: undefined,
    // The last one reaches furthest into the present.
    window: windows.at(-1),
  };
}

function moment(at: string, hoursMax: number, now: Date): BackupMoment {
  const ageMs = Math.max(0, now.getTime() - Date.parse(at));
  return { at, hours: Math.floor(ageMs / HOUR_MS), hoursMax, isOld: ageMs > hoursMax * HOUR_MS };
}

/** @returns why it cannot be read, or undefined: there is no root key */
async function unlessUnreadable<T>(world: World, read: () => Promise<T>): Promise<T | string | undefined> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof Nexus3Error) {
      return error.code.startsWith('ROOT_KEY_') ? undefined : [error.message, ...error.evidence].join(' ');
    }
    const code = systemErrorCode(error);
    if (code !== undefined) return `${code} on ${world.backups.root}`;
    throw error;
  }
}
