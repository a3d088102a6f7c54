import { EXIT } from '../../errors.js';
import type { CommandSpec } from '../command.js';
import { formatBytes, formatDuration, wrap } from '../render/text.js';

export const backupPush: CommandSpec = {
  name: 'backup push',
  summary: 'copy all backups off this machine, with restic',
  description:
    'Copies everything in the repository of backups to the target that nexus3.yaml names (`backup: target:`), which is made where it is not there yet. `backup create` does this by itself; run it when that could not reach the target, and after `nexus3 locker rekey`.',
  arguments: [],
  options: [],
  examples: [{ command: 'nexus3 backup push', does: 'all of it; only what is new is sent' }],
  exitCodes: {
    [EXIT.good]: 'the target has it all',
    [EXIT.unreachable]: 'restic is not installed, or did not end well',
  },
  schema: 'nexus3.backup-push/1',
  async run(_args, context) {
    const { operations, output, progress } = context;
    const report = await operations.pushBackups(await context.world(), progress);
    progress.clear();
    output.result('nexus3.backup-push/1', report, ({ quiet, width }) =>
      quiet
        ? []
        : wrap(
            `${report.repository} has it all: ${formatBytes(report.bytesAdded)} added in ${formatDuration(report.durationMs)}.`,
            width,
          ),
    );
    return EXIT.good;
  },
};
