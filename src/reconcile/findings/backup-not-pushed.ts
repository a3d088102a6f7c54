import type { Rule } from './rule.js';

export const backupNotPushed: Rule = {
  code: 'backup-not-pushed',
  severity: 'warning',
  means:
    'What was backed up here is not off this machine, although nexus3.yaml has `backup: { target: … }`: the last push failed, or none has succeeded for a day.',
  repairs: 'no; `nexus3 backup push` tries again, and so does `nexus3 backup create --all --due`',
  see: ({ backup }) => {
    const push = backup?.push;
    if (push?.isLate !== true) return [];
    const { since, code } = push;
    return [
      {
        instance: 'vault',
        message: `its backups are not off this machine: ${code === null ? 'no push has succeeded for a day' : 'the last push failed'}`,
        evidence: { owedSince: since, code },
        remedy: 'nexus3 backup push',
        fixable: false,
      },
    ];
  },
};
