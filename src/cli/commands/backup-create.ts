import { EXIT } from '../../errors.js';
import type { CommandSpec } from '../command.js';
import { exitCodeOfEach } from '../report-exit.js';
import { renderBackupCreate } from '../render/backup.js';

export const backupCreate: CommandSpec = {
  name: 'backup create',
  summary: 'back vaults up, and prove that each backup loads',
  description:
    'A snapshot flows from the vault, which goes on serving, into the repository; nothing is written on its own disk. The history of its writes is archived beside it. Then a scratch server loads the backup and counts what it holds; how long that took is the measured part of a recovery. Where a target is configured, everything goes there at the end. What is cut off is never listed.',
  arguments: [{ name: 'ENV', count: 'many', description: 'environments; `locker` too' }],
  options: [
    { flags: '--all', description: 'every environment; one that cannot be backed up now does not hold up the others' },
    {
      flags: '--due',
      description: 'only those whose newest backup is older than the latest time of the schedule in nexus3.yaml',
    },
    { flags: '--no-verify', description: 'do not load it; `backup verify` does that later' },
  ],
  examples: [
    { command: 'nexus3 backup create track', does: 'one environment' },
    { command: 'nexus3 backup create --all', does: 'all of them, Locker included' },
    { command: 'nexus3 backup create --all --due', does: 'for a timer: what the schedule asks for' },
    { command: 'nexus3 backup create --all --no-verify', does: 'quickly, to be verified later' },
  ],
  exitCodes: {
    [EXIT.good]: 'every backup is made, and verified unless --no-verify was given',
    [EXIT.problem]: 'at least one environment has no new backup, or it is not proven',
    [EXIT.unreachable]: 'none was made, because the vaults, the runtime or Locker cannot be reached',
  },
  schema: 'nexus3.backup-create/1',
  async run(args, context) {
    const { operations, output, progress } = context;
    const options = {
      envs: args.many('ENV'),
      all: args.flag('all'),
      verify: args.flag('verify'),
      due: args.flag('due'),
    };
    const report = await operations.createBackups(await context.world(), options, progress);
    progress.clear();
    output.result('nexus3.backup-create/1', report, (page) => renderBackupCreate(report, page));
    return report.ok ? EXIT.good : exitCodeOfEach(report.environments.map(({ error }) => error));
  },
};
