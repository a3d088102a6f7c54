/** Backups by age. Pure. */
import type { ListedBackup } from './backups.js';

/** By when they began: of one second by its fraction, where that can be believed. */
export function newestFirst(a: ListedBackup, b: ListedBackup): number {
  return order(b).localeCompare(order(a));
}

function order({ id, manifest }: ListedBackup): string {
  const [stamp = ''] = id.split('-');
  return `${stamp} ${manifest?.createdAt ?? ''} ${id}`;
}
