/** The repository of backups, as files. */
import type { BackupPolicy } from '../config/configuration.js';
import type { Backups } from './backups.js';

export function openBackups(policy: BackupPolicy): Backups {
  const notYet = (): never => {
    throw new Error('not built yet');
  };
  return {
    root: policy.root,
    history: { archive: notYet, windows: notYet, plan: notYet, extract: notYet, prune: notYet },
    target: undefined,
    acquire: notYet,
    list: notYet,
    latest: notYet,
    environments: notYet,
    read: notYet,
    write: notYet,
    extract: notYet,
    record: notYet,
    remove: notYet,
    retention: notYet,
  };
}
