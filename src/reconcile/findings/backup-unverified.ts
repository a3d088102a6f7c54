import type { BackupFacts } from '../facts.js';
import type { Rule } from './rule.js';

export const backupUnverified: Rule = {
  code: 'backup-unverified',
  severity: 'warning',
  means:
    'No backup was proven to load and to hold what it says for longer than nexus3.yaml allows (`backup: { unverifiedAfterHours: N }`; 168 unless given), or a newer one was found damaged or untrue. Not said where the newest one was verified and is itself `backup-stale`.',
  repairs: 'no; `nexus3 backup verify ENV` proves the newest one',
  see: ({ environment, backup }) => {
    if (backup?.failed !== undefined) return [failedOf(environment.name, backup.failed)];
    if (backup?.newest === undefined) return [];
    const { newest, verified, newestIsVerified } = backup;
    // Then it is a newer one that is missing, and that is said already.
    if (newest.isOld && newestIsVerified) return [];
    if (verified?.isOld === false) return [];
    return [
      {
        instance: 'vault',
        message:
          verified === undefined
            ? 'none of its backups was ever verified'
            : `its backups were last verified ${String(verified.hours)} hours ago`,
        evidence: {
          verifiedAt: verified?.at ?? null,
          hours: verified?.hours ?? null,
          unverifiedAfterHours: verified?.hoursMax ?? null,
        },
        remedy: `nexus3 backup verify ${environment.name}`,
        fixable: false,
      },
    ];
  },
};

function failedOf(env: string, { id, at, code }: NonNullable<BackupFacts['failed']>): ReturnType<Rule['see']>[number] {
  return {
    instance: 'vault',
    message: `its backup ${id} was found ${code === 'BACKUP_DAMAGED' ? 'damaged' : 'not to hold what it should'}`,
    evidence: { id, failedAt: at, code },
    remedy: `nexus3 backup create ${env}`,
    fixable: false,
  };
}
