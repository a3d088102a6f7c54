/**
 * Backups of Locker from before `locker rekey`. They open (keys.json sees to that), but what they hold is sealed with a root
 * key that is gone: restored, Locker would have none of its passwords. So they are refused before anything is touched.
 */
import type { ListedBackup } from '../../backup/backups.js';
import { Nexus3Error } from '../../errors.js';
import { LOCKER_NAME } from '../../protocol/environment.js';
import type { World } from '../world.js';

export function isOfEarlierKey(backup: ListedBackup): boolean {
  return backup.env === LOCKER_NAME && backup.problem === undefined && backup.ofEarlierKey === true;
}

/** @param what `the backup 20260108T120000Z-1a2b` */
export function ofEarlierKey(what: string): Nexus3Error {
  return new Nexus3Error('BACKUP_KEY_UNKNOWN', `${what} of Locker is from before the root key was changed.`, {
    evidence: ['what Locker held then is sealed with the earlier root key, which opens nothing any more'],
    hint:
      'Nothing was changed. Restore a backup of Locker that was made since (nexus3 backup list locker), or bring back what a ' +
      'recovery kit holds: nexus3 locker import FILE',
  });
}

/** A second in which a backup was made, or an earlier one. */
export function refuseSecondOfEarlierKey(at: Date, backups: readonly ListedBackup[]): void {
  const isBefore = ({ manifest }: ListedBackup): boolean =>
    manifest !== undefined && at.getTime() <= Date.parse(manifest.createdAt);
  if (backups.some((backup) => isOfEarlierKey(backup) && isBefore(backup))) throw ofEarlierKey('That second');
}

/**
 * One between the last of those backups and the change of the key: as far as Locker’s own audit still says when that was.
 * Where Locker cannot be asked, it is found out when what is restored has been loaded behind the fence.
 */
export async function refuseSecondBeforeRekey(at: Date, { locker }: World): Promise<void> {
  if (await isBeforeRekey(at, locker)) throw ofEarlierKey('That second');
}

async function isBeforeRekey(at: Date, locker: World['locker']): Promise<boolean> {
  try {
    const { entries } = await (await locker.audit()).read({ since: at, action: 'rekey', limit: 1 });
    // What belongs to a second is all that is dated with it: the key was changed after all of that.
    return entries.some((one) => one.genuine && one.outcome === 'ok' && secondOf(one.at) > at.getTime());
  } catch (error) {
    if (error instanceof Nexus3Error) return false;
    throw error;
  }
}

function secondOf(time: string): number {
  return Math.floor(Date.parse(time) / 1_000) * 1_000;
}
