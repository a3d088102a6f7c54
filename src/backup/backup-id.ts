/** Names of backups: when its snapshot began, in UTC, and four random digits; so that names sort by age. Pure. */
import { BACKUP_ID, type BackupId } from './backups.js';

const SUFFIX_DIGITS = 4;

/** @param suffix four hex digits */
export function backupId(createdAt: Date, suffix: string): BackupId {
  const id = `${stampOf(createdAt)}-${suffix}`;
  if (!BACKUP_ID.test(id)) throw new RangeError(`no backup can be named ${id}`);
  return id;
}

/** Whether a backup of this name can have begun then: at that second. */
export function isNamedFor(id: BackupId, createdAt: Date): boolean {
  return BACKUP_ID.test(id) && id.slice(0, -(SUFFIX_DIGITS + 1)) === stampOf(createdAt);
}

/** `20260108T120000Z` */
function stampOf(at: Date): string {
  return `${at.toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}Z`;
}
