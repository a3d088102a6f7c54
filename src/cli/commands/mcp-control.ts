import { EXIT } from '../../errors.js';
import type { CommandSpec } from '../command.js';
import { HTTP_OPTIONS, servingOf } from '../mcp-serving.js';

export const mcpControl: CommandSpec = {
  name: 'mcp control',
  summary: 'serve the care of all environments to an agent',
  description:
    'Serves status, check, backups and the plans of repairs of all environments as tools over the Model Context Protocol, until stdin ends or it is told to end. With --allow-changes also what changes something: each such tool asks the person first, where the agent’s host can. No tool returns a secret.',
  arguments: [],
  options: [
    { flags: '--allow-changes', description: 'also the tools that repair, back up, recover and rotate' },
    ...HTTP_OPTIONS,
  ],
  examples: [
    { command: 'nexus3 mcp control', does: 'an agent may look at everything' },
    { command: 'nexus3 mcp control --allow-changes', does: 'and repair it' },
    { command: 'nexus3 mcp control --http 8641', does: 'at http://127.0.0.1:8641/mcp' },
  ],
  exitCodes: {
    [EXIT.good]: 'it has ended as it was told to',
    [EXIT.problem]: 'with --http: the port is taken',
    [EXIT.unreachable]: 'with --http: Locker, which has the token, cannot be reached',
  },
  schema: undefined,
  servesUntilSignal: true,
  async run(args, context) {
    const allowChanges = args.flag('allow-changes');
    await context.operations.serveMcpControl({ ...servingOf(args, context), allowChanges });
    return EXIT.good;
  },
};
