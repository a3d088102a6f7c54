import { EXIT, Nexus3Error } from '../../errors.js';
import type { CommandSpec } from '../command.js';
import { PACKAGE_ROOT } from '../package-root.js';
import { hanging } from '../render/text.js';

export const mcpNew: CommandSpec = {
  name: 'mcp new',
  summary: 'write an MCP server of your own, complete and tested',
  description:
    'Writes a small MCP server in TypeScript that keeps notes in an environment: it writes to the vault, reads from the operational, and has its password from Locker. It is complete, with tests that drive it as an MCP client does, and meant to be changed. No file of it holds a secret. The folder appears whole or not at all, and nothing is overwritten.',
  arguments: [{ name: 'NAME', count: 'one', description: 'a lower-case letter, then up to 30 of a–z, 0–9 and "-"' }],
  options: [
    { flags: '--env ENV', description: 'the environment that it keeps its data in' },
    { flags: '--dir PATH', description: 'the new folder, which may be there and empty (default: ./NAME)' },
  ],
  examples: [
    { command: 'nexus3 mcp new notes --env track', does: 'in ./notes, on track' },
    { command: 'nexus3 mcp new notes --env track --dir /srv/mcp/notes', does: 'in a folder of your choice' },
  ],
  exitCodes: {
    [EXIT.good]: 'the folder is written',
    [EXIT.usage]: 'a name that cannot be, an environment that is not there, or a folder that is not empty',
  },
  schema: 'nexus3.mcp-new/1',
  async run(args, context) {
    const { io, operations, output } = context;
    const environment = args.text('env');
    if (environment === undefined) {
      throw new Nexus3Error('USAGE', 'A server needs an environment to keep its data in.', {
        hint: `Name one: nexus3 mcp new NAME --env track; \`nexus3 status\` shows which there are, \`nexus3 create NAME\` makes one.`,
      });
    }
    const options = { name: args.one('NAME'), environment, dir: args.text('dir') };
    const report = await operations.newMcpServer(
      await context.configuration(),
      { ...options, packageRoot: PACKAGE_ROOT, node: process.execPath },
      io,
    );
    output.result('nexus3.mcp-new/1', { ok: true, ...report }, ({ quiet, width }) => [
      report.dir,
      ...(quiet
        ? []
        : [
            `${report.name}, an MCP server on ${report.environment}: ${String(report.files.length)} files, with a README.`,
            'Next:',
            ...report.next.map((command) => `  ${command}`),
            'In the configuration of an MCP client, once it is built:',
            ...JSON.stringify(report.client, null, 2)
              .split('\n')
              .map((line) => `  ${line}`),
            ...hanging(
              'A token is safer than the root key: ',
              `nexus3 locker grant ${report.environment} --out FILE, and NEXUS3_TOKEN_FILE=FILE for the server.`,
              width,
            ),
          ]),
    ]);
    return EXIT.good;
  },
};
