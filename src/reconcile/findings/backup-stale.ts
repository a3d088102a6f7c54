import type { Rule } from './rule.js';

export const backupStale: Rule = {
  code: 'backup-stale',
  severity: 'warning',
  means:
    'The newest backup that can be believed is older than nexus3.yaml allows (`backup: { staleAfterHours: N }`; twice the longest gap of the schedule, or 48, unless given).',
  repairs: 'no; `nexus3 backup create ENV` makes one',
  see: ({ environment, backup }) => {
    const newest = backup?.newest;
    if (backup === undefined || newest?.isOld !== true) return [];
    return [
      {
        instance: 'vault',
        message: `its newest backup is ${String(newest.hours)} hours old`,
        evidence: {
          newestAt: newest.at,
          hours: newest.hours,
          staleAfterHours: newest.hoursMax,
          damaged: backup.damaged,
        },
        remedy: `nexus3 backup create ${environment.name}`,
        fixable: false,
      },
    ];
  },
};
