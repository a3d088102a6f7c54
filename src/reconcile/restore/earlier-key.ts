/**
 * Backups of Locker from before `locker rekey`. They open (keys.json sees to that), but what they hold is sealed with a root
 * key that is gone: restored, Locker would have none of its passwords. So they are refused before anything is touched. Pure.
 */
import type { ListedBackup } from '../../backup/backups.js';
import { Nexus3Error } from '../../errors.js';
import { LOCKER_NAME } from '../../protocol/environment.js';

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
