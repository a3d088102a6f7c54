import type { Rule } from './rule.js';

export const backupMissing: Rule = {
  code: 'backup-missing',
  severity: 'warning',
  means:
    'There is no backup that can be believed, although nexus3.yaml has `backup:`. Those that are damaged or were made under another root key do not count.',
  repairs: 'no; `nexus3 backup create ENV` makes one',
  see: ({ environment, backup }) => {
    if (backup === undefined || backup.newest !== undefined) return [];
    const { damaged } = backup;
    return [
      {
        instance: 'vault',
        message: damaged === 0 ? 'it has no backup' : 'it has no backup that can be used: none can be read or believed',
        evidence: { damaged },
        remedy: `nexus3 backup create ${environment.name}`,
        fixable: false,
      },
    ];
  },
};
