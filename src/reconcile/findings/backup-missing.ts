import type { Rule } from './rule.js';

export const backupMissing: Rule = {
  code: 'backup-missing',
  severity: 'warning',
  means:
    'There is no backup that can be believed, although nexus3.yaml has `backup:`. Those that are damaged, were made under another root key, or are dated in the future do not count. Also where the folder of backups cannot be read.',
  repairs: 'no; `nexus3 backup create ENV` makes one',
  see: ({ environment, backup }) => {
    if (backup === undefined || backup.newest !== undefined) return [];
    if (backup.unreadable !== undefined) return [unreadable(environment.name, backup.unreadable)];
    const { damaged, failed, inFuture } = backup;
    const isThereAny = damaged > 0 || failed !== undefined;
    return [
      {
        instance: 'vault',
        message: isThereAny
          ? 'it has no backup that can be used: none can be read or believed'
          : inFuture > 0
            ? 'it has no backup but such as are dated in the future: a clock was wrong'
            : 'it has no backup',
        evidence: { damaged, inFuture },
        remedy: `nexus3 backup create ${environment.name}`,
        fixable: false,
      },
    ];
  },
};

function unreadable(env: string, reason: string): ReturnType<Rule['see']>[number] {
  return {
    instance: 'vault',
    message: 'whether it has a backup is not known: the folder of backups cannot be read',
    evidence: { reason },
    remedy: `nexus3 backup list ${env}`,
    fixable: false,
  };
}
