import { EXIT } from '../../errors.js';
import { namedOrAll } from '../backup-options.js';
import type { CommandSpec } from '../command.js';
import { formatDuration, plural, wrap } from '../render/text.js';

export const backupPull: CommandSpec = {
  name: 'backup pull',
  summary: 'fetch the backups that are missing here, with restic',
  description:
    'Fetches what lies at the target that nexus3.yaml names (`backup: target:`) and not in the repository here. Nothing that can be used is replaced. Whether what came can be believed, `backup list` says; whether it loads, `backup verify`.',
  arguments: [{ name: 'ENV', count: 'many', description: 'environments; all that lie there by default' }],
  options: [{ flags: '--all', description: 'every environment that lies there, as when none is named' }],
  examples: [
    { command: 'nexus3 backup pull', does: 'everything, on a new machine' },
    { command: 'nexus3 backup pull track', does: 'of one environment' },
  ],
  exitCodes: {
    [EXIT.good]: 'everything that lies there is here',
    [EXIT.unreachable]: 'restic is not installed, or did not end well',
  },
  schema: 'nexus3.backup-pull/1',
  async run(args, context) {
    const { operations, output, progress } = context;
    const report = await operations.pullBackups(await context.world(), namedOrAll(args), progress);
    progress.clear();
    output.result('nexus3.backup-pull/1', report, ({ quiet, width }) =>
      quiet
        ? []
        : wrap(
            report.files === 0
              ? `Nothing was missing here of what lies at ${report.repository}.`
              : `${plural(report.files, 'file')} fetched from ${report.repository} in ${formatDuration(report.durationMs)}. Which backups there are: nexus3 backup list`,
            width,
          ),
    );
    return EXIT.good;
  },
};
