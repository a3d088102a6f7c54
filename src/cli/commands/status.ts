import { EXIT } from '../../errors.js';
import type { CommandSpec } from '../command.js';
import { exitCodeOfReport } from '../report-exit.js';
import { renderStatus } from '../render/status.js';

export const status: CommandSpec = {
  name: 'status',
  summary: 'show all environments in a table',
  description:
    'Asks every instance once and shows a line for each environment: its ports, how its instances are, the replication link and how far it is behind, keys and memory (of both instances together), and what `nexus3 check` would say.',
  arguments: [{ name: 'ENV', count: 'many', description: 'environments; all by default' }],
  options: [],
  examples: [
    { command: 'nexus3 status', does: 'everything' },
    { command: 'nexus3 status track --json', does: 'one environment, for a script' },
  ],
  exitCodes: {
    [EXIT.good]: 'no finding of severity error',
    [EXIT.problem]: 'at least one error was found; `nexus3 check` says what it is',
  },
  schema: 'nexus3.status/1',
  async run(args, context) {
    const { operations, output, progress } = context;
    const options = { envs: args.many('ENV'), fix: false, dryRun: false, deep: false };
    const report = await operations.check(await context.world(), options, progress);
    output.result('nexus3.status/1', report, (page) => renderStatus(report, page));
    return exitCodeOfReport(report);
  },
};
