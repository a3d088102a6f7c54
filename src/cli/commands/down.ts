import { EXIT } from '../../errors.js';
import type { CommandSpec } from '../command.js';
import { hanging, plural } from '../render/text.js';

export const down: CommandSpec = {
  name: 'down',
  summary: 'stop instances; their data stay',
  description:
    'Stops the instances of the environments; nothing is removed, and `nexus3 up` starts them again. With no ENV, all environments. What nexus3 did not make goes on running, and is said.',
  arguments: [{ name: 'ENV', count: 'many', description: 'environments; all by default' }],
  options: [],
  examples: [
    { command: 'nexus3 down', does: 'stop everything' },
    { command: 'nexus3 down track', does: 'stop one environment' },
  ],
  exitCodes: {
    [EXIT.good]: 'nothing of these environments runs any more',
    [EXIT.problem]: 'something runs that nexus3 did not make',
  },
  schema: 'nexus3.down/1',
  async run(args, context) {
    const { operations, output, progress } = context;
    const report = await operations.down(await context.world(), { envs: args.many('ENV') }, progress);
    const { stopped, alreadyStopped, foreign } = report;
    const ok = foreign.length === 0;
    output.result('nexus3.down/1', { ok, stopped, alreadyStopped, foreign }, ({ quiet, width }) => [
      ...(quiet
        ? []
        : [`${plural(stopped.length, 'instance')} stopped, ${String(alreadyStopped.length)} stopped already.`]),
      ...(ok ? [] : hanging('Still running, because nexus3 did not make it: ', foreign.join(', '), width)),
      ...(quiet || stopped.length === 0 ? [] : ['Their data stay. Start them again: nexus3 up']),
    ]);
    return ok ? EXIT.good : EXIT.problem;
  },
};
