/** Backups by age. Pure. */
import type { BackupId, ListedBackup } from './backups.js';

/** By when they began: of one second by its fraction, where that can be believed. */
export function newestFirst(a: ListedBackup, b: ListedBackup): number {
  return order(b).localeCompare(order(a));
}

/**
 * Whether it was made later than now, as its id says, which is there also when nothing else can be read: a clock was
 * wrong, or is now.
 */
export function isInFuture({ id }: { readonly id: BackupId }, now: Date): boolean {
  return madeAt(id) > now;
}

/** When it began, to the second. */
export function madeAt(id: BackupId): Date {
  const [, year, month, day, hour, minute, second] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z/.exec(id) ?? [];
  return new Date(`${year ?? ''}-${month ?? ''}-${day ?? ''}T${hour ?? ''}:${minute ?? ''}:${second ?? ''}Z`);
}

function order(backup: ListedBackup): string {
  const [stamp = ''] = backup.id.split('-');
  const manifest = backup.problem === undefined ? backup.manifest : backup.failed;
  return `${stamp} ${manifest?.createdAt ?? ''} ${backup.id}`;
}
