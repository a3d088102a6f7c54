import { EXIT, Nexus3Error } from '../../errors.js';
import { isEnvironmentName } from '../../protocol/environment.js';
import { PORT_MAX, PORT_MIN } from '../../protocol/ports.js';
import type { CommandSpec } from '../command.js';
import { formatPorts, hanging } from '../render/text.js';
import { parsePort } from '../parse-port.js';

const NAME_CHARS_SHOWN_MAX = 40;

export const create: CommandSpec = {
  name: 'create',
  summary: 'add an environment, start it and prove it',
  description:
    'Goes through the protocol’s checklist for a new environment, each step ticked as it is done and measured, and ends with its own test: write on the vault, read on the operational. The environment is added to nexus3.yaml, where comments and order stay as they are; where there is no file, one is written to ~/.config/nexus3/nexus3.yaml with the built-in environments and the new one, because that is found from every folder.',
  arguments: [{ name: 'NAME', count: 'one', description: 'a lower-case letter, then up to 30 of a–z, 0–9 and "-"' }],
  options: [
    { flags: '--secure', description: 'a Secure Environment: a vault without an operational' },
    {
      flags: '--vault-port N',
      description: `port of the vault (${String(PORT_MIN)}–${String(PORT_MAX)}), the operational has the next one; by default the next free pair from 6600 on`,
      parse: parsePort,
    },
  ],
  examples: [
    { command: 'nexus3 create notes', does: 'a vault and its operational on the next free ports' },
    { command: 'nexus3 create notes --vault-port 6650', does: 'on 6650 and 6651' },
    { command: 'nexus3 create keys --secure', does: 'a vault alone' },
  ],
  exitCodes: {
    [EXIT.good]: 'the environment is there and proven',
    [EXIT.problem]: 'it could not be proven; run the same command again to go on',
  },
  schema: 'nexus3.create/1',
  async run(args, context) {
    const { operations, output, progress } = context;
    const name = args.one('NAME');
    if (!isEnvironmentName(name)) {
      const shown = name.length > NAME_CHARS_SHOWN_MAX ? `${name.slice(0, NAME_CHARS_SHOWN_MAX)}…` : name;
      throw new Nexus3Error('NAME_INVALID', `${JSON.stringify(shown)} is not a name for an environment.`, {
        hint: 'Begin with a lower-case letter, then up to 30 of a–z, 0–9 and "-": notes, web-2.',
      });
    }
    const vaultPort = args.number('vault-port');
    const world = await context.world();
    const options = { name, secure: args.flag('secure'), ...(vaultPort === undefined ? {} : { vaultPort }) };
    const report = await operations.create(world, options, progress);
    output.result('nexus3.create/1', { ok: true, ...report }, ({ quiet, width }) => {
      if (quiet) return [];
      const ports = formatPorts(report.vaultPort, report.operationalPort);
      return [
        `${report.name} is there and proven, on ${ports}.`,
        ...(world.configuration.file === undefined
          ? hanging(
              'There was no nexus3.yaml: ',
              `wrote ${report.configFile}, with the built-in environments and this one.`,
              width,
            )
          : [`It is in ${report.configFile}.`]),
        `Its password for applications: nexus3 credentials get ${report.name}`,
        `An MCP server on it, for agents: nexus3 mcp new NAME --env ${report.name}`,
      ];
    });
    return EXIT.good;
  },
};
