import { EXIT } from '../../errors.js';
import { idOption } from '../backup-options.js';
import type { CommandSpec } from '../command.js';
import { exitCodeOfEach } from '../report-exit.js';
import { renderBackupVerify } from '../render/backup.js';

export const backupVerify: CommandSpec = {
  name: 'backup verify',
  summary: 'load backups into a scratch server, and compare',
  description:
    'Each backup is read back, proven to be what was written, loaded by a server that nothing else can reach, and counted: keys of each database, nodes, edges, labels, indexes and constraints of each graph. The first time that is written into its manifest; later it must be the same, but for keys whose time to live has passed. Where the vault has written nothing since, its own counts must be the same, too.',
  arguments: [{ name: 'ENV', count: 'many', description: 'environments; all that have a backup by default' }],
  options: [
    { flags: '--all', description: 'the newest backup of every environment that has one' },
    idOption('this backup of the one environment named; the newest unless given'),
  ],
  examples: [
    { command: 'nexus3 backup verify', does: 'the newest backup of each environment' },
    { command: 'nexus3 backup verify track --id 20260108T120000Z-1a2b', does: 'an older one' },
  ],
  exitCodes: {
    [EXIT.good]: 'every backup loads, and holds what it should',
    [EXIT.problem]: 'at least one is damaged, untrue, or could not be loaded',
  },
  schema: 'nexus3.backup-verify/1',
  async run(args, context) {
    const { operations, output, progress } = context;
    const options = { envs: args.many('ENV'), all: args.flag('all'), id: args.text('id') };
    const report = await operations.verifyBackups(await context.world(), options, progress);
    progress.clear();
    output.result('nexus3.backup-verify/1', report, (page) => renderBackupVerify(report, page));
    return report.ok ? EXIT.good : exitCodeOfEach(report.environments.map(({ error }) => error));
  },
};
