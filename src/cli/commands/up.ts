import { EXIT } from '../../errors.js';
import type { CommandSpec } from '../command.js';
import { exitCodeOfReport } from '../report-exit.js';
import { renderCheck } from '../render/check.js';

export const up: CommandSpec = {
  name: 'up',
  summary: 'create and start what is missing, and prove it healthy',
  description:
    'Creates and starts what is missing, waits until every instance is proven healthy, and changes nothing that is well. With no ENV, all environments. Locker is always among them, because the others get their passwords there.',
  arguments: [{ name: 'ENV', count: 'many', description: 'environments; all by default' }],
  options: [{ flags: '--dry-run', description: 'print what would be done, and change nothing' }],
  examples: [
    { command: 'nexus3 up', does: 'everything' },
    { command: 'nexus3 up track web', does: 'two environments' },
    { command: 'nexus3 up --dry-run', does: 'what it would do' },
  ],
  exitCodes: { [EXIT.good]: 'everything asked for is healthy', [EXIT.problem]: 'something is not healthy' },
  schema: 'nexus3.up/1',
  async run(args, context) {
    const { operations, output, progress } = context;
    const envs = args.many('ENV');
    const dryRun = args.flag('dry-run');
    const report = await operations.up(await context.world(), { envs, dryRun }, progress);
    output.result('nexus3.up/1', report, (page) =>
      renderCheck(report, { command: 'up', fix: false, dryRun, envs }, page),
    );
    return exitCodeOfReport(report);
  },
};
