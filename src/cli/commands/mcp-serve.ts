import { EXIT } from '../../errors.js';
import type { CommandSpec } from '../command.js';
import { HTTP_OPTIONS, servingOf } from '../mcp-serving.js';

export const mcpServe: CommandSpec = {
  name: 'mcp serve',
  summary: 'serve the data of environments to an agent',
  description:
    'Serves the keys and graphs of environments as tools over the Model Context Protocol, until stdin ends or it is told to end: reads from the operational, and with --write also changes at the vault. An agent’s host starts it by itself, once `nexus3 mcp config` has told it how; with --http it is started by you, and answers programs of this machine that show the token (`nexus3 mcp token`). Nothing is asked of Locker before a tool needs it.',
  arguments: [{ name: 'ENV', count: 'many', description: 'environments to serve; all but Locker where none is named' }],
  options: [
    { flags: '--write', description: 'also the tools that change something' },
    ...HTTP_OPTIONS,
    {
      flags: '--token FILE',
      description:
        'read the password with this token (see `nexus3 locker grant`); else $NEXUS3_TOKEN_FILE, else the root key',
    },
  ],
  examples: [
    { command: 'nexus3 mcp serve track', does: 'track, to be read' },
    { command: 'nexus3 mcp serve track --write', does: 'to be changed, too' },
    { command: 'nexus3 mcp serve --http 8640', does: 'all, at http://127.0.0.1:8640/mcp' },
    { command: 'nexus3 mcp serve --token track.token', does: 'without the root key' },
  ],
  exitCodes: {
    [EXIT.good]: 'it has ended as it was told to',
    [EXIT.problem]: 'with --http: the port is taken',
    [EXIT.unreachable]: 'with --http: Locker, which has the token, cannot be reached',
  },
  schema: undefined,
  servesUntilSignal: true,
  async run(args, context) {
    await context.operations.serveMcpData({
      ...servingOf(args, context),
      envs: args.many('ENV'),
      write: args.flag('write'),
      token: args.text('token'),
    });
    return EXIT.good;
  },
};
