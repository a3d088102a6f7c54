import { EXIT } from '../../errors.js';
import type { CommandSpec, OptionSpec } from '../command.js';
import { wholeNumber } from '../command.js';
import { renderBackupPrune } from '../render/backup-list.js';

const KEPT_MAX = 10_000;

export const backupPrune: CommandSpec = {
  name: 'backup prune',
  summary: 'remove the backups that retention does not keep',
  description:
    'Keeps the newest backups and the newest of each hour, day, week and month, as many as nexus3.yaml says (`backup: keep:`), and shows why each is kept. Nothing is removed without --yes. The newest is always kept, and so is the newest verified one. The oldest history of writes goes, too, beyond historyBytesMax. What lies off this machine stays.',
  arguments: [{ name: 'ENV', count: 'many', description: 'environments' }],
  options: [
    { flags: '--all', description: 'every environment that has a backup' },
    { flags: '--yes', description: 'remove them; without it, they are only shown' },
    keepOption('last', 1, 'the newest so many'),
    keepOption('hourly', 0, 'the newest of each of so many hours'),
    keepOption('daily', 0, 'the newest of each of so many days (of UTC)'),
    keepOption('weekly', 0, 'the newest of each of so many weeks, which begin on Monday'),
    keepOption('monthly', 0, 'the newest of each of so many months'),
  ],
  examples: [
    { command: 'nexus3 backup prune --all', does: 'show what would go, and why the others stay' },
    { command: 'nexus3 backup prune --all --yes', does: 'remove it' },
    { command: 'nexus3 backup prune track --keep-last 1 --keep-daily 0 --yes', does: 'make room now' },
  ],
  exitCodes: { [EXIT.good]: 'shown; with --yes: removed' },
  schema: 'nexus3.backup-prune/1',
  async run(args, context) {
    const { operations, output, progress } = context;
    const numbers = (['last', 'hourly', 'daily', 'weekly', 'monthly'] as const).flatMap((span) => {
      const value = args.number(`keep-${span}`);
      return value === undefined ? [] : [[span, value] as const];
    });
    const options = {
      envs: args.many('ENV'),
      all: args.flag('all'),
      yes: args.flag('yes'),
      keep: Object.fromEntries(numbers),
    };
    const report = await operations.pruneBackups(await context.world(), options, progress);
    progress.clear();
    output.result('nexus3.backup-prune/1', report, (page) => renderBackupPrune(report, options, page));
    return EXIT.good;
  },
};

function keepOption(span: string, min: number, what: string): OptionSpec {
  return {
    flags: `--keep-${span} N`,
    description: `${what}, instead of the number in nexus3.yaml`,
    parse: wholeNumber(min, KEPT_MAX, 'a number of backups'),
  };
}
