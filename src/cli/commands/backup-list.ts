import { EXIT } from '../../errors.js';
import { namedOrAll } from '../backup-options.js';
import type { CommandSpec } from '../command.js';
import { renderBackupList } from '../render/backup-list.js';

export const backupList: CommandSpec = {
  name: 'backup list',
  summary: 'show which backups there are, and how good they are',
  description:
    'Shows each backup: how old and how large it is, what it holds, when it was last proven to load and how long that took, and what is wrong with it. Above them, how far back any second can be restored. One that `backup prune` would remove says so. Backups of environments that nexus3.yaml does not know any more are shown, too.',
  arguments: [{ name: 'ENV', count: 'many', description: 'environments; all that have a backup by default' }],
  options: [{ flags: '--all', description: 'every environment that has a backup, as when none is named' }],
  examples: [
    { command: 'nexus3 backup list', does: 'all of them' },
    { command: 'nexus3 backup list track --json', does: 'one environment, for a script' },
  ],
  exitCodes: {
    [EXIT.good]: 'each can be read and believed; whether it loads, `backup verify` proves',
    [EXIT.problem]: 'at least one cannot be read or believed',
  },
  schema: 'nexus3.backup-list/1',
  async run(args, context) {
    const { operations, output } = context;
    const report = await operations.listBackups(await context.world(), namedOrAll(args));
    output.result('nexus3.backup-list/1', report, (page) => renderBackupList(report, page));
    return report.ok ? EXIT.good : EXIT.problem;
  },
};
