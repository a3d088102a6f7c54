import { resolve } from 'node:path';
import type { Configuration } from '../../config/configuration.js';
import { EXIT, Nexus3Error } from '../../errors.js';
import type { ClientName } from '../../mcp/client-config/clients.js';
import type { EntryParts, ServerEntry } from '../../mcp/client-config/server-entry.js';
import type { Arguments, CommandSpec } from '../command.js';
import type { Context } from '../context.js';

const SCHEMA = 'nexus3.mcp-config/1';
/** Of an entry: hosts make tool names of it. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$/;

export const mcpConfig: CommandSpec = {
  name: 'mcp config',
  summary: 'print or write the configuration of an agent’s host',
  description:
    'Says how an agent’s host is to start the MCP servers of nexus3. Without --client it is printed, in the form that most hosts take. With --client it is written into that host’s own file: what stands there stays, comments and other servers too, and run twice it changes nothing. File paths are in it, and never a secret. --write, --token and --allow-changes are handed on to the servers.',
  arguments: [{ name: 'ENV', count: 'many', description: 'environments to serve; all but Locker where none is named' }],
  options: [
    { flags: '--client NAME', description: 'claude-desktop or vscode: write into its file', parse: parseClient },
    { flags: '--file PATH', description: 'with --client: another file than the host’s own, e.g. .vscode/mcp.json' },
    { flags: '--print', description: 'with --client: print it only' },
    { flags: '--name NAME', description: 'what it is called there', default: 'nexus3', parse: parseName },
    { flags: '--write', description: 'the agent may change data: `nexus3 mcp serve --write`' },
    {
      flags: '--token FILE',
      description: 'the password is read with this token; else $NEXUS3_TOKEN_FILE, else the root key',
    },
    { flags: '--control', description: 'also the care of all environments: `nexus3 mcp control`, as NAME-control' },
    { flags: '--allow-changes', description: 'with --control: the agent may repair, back up, recover and rotate' },
  ],
  examples: [
    { command: 'nexus3 mcp config track', does: 'printed, to be put where it belongs' },
    { command: 'nexus3 mcp config --client claude-desktop', does: 'into Claude Desktop, all environments, to be read' },
    { command: 'nexus3 mcp config track --write --client vscode --file .vscode/mcp.json', does: 'into a workspace' },
    { command: 'nexus3 mcp config --control --client vscode', does: 'with the care of them' },
  ],
  exitCodes: {
    [EXIT.good]: 'printed, written, or there already',
    [EXIT.problem]: 'the file cannot be written',
  },
  schema: SCHEMA,
  async run(args, context) {
    const { io, output } = context;
    refuseContradictions(args);
    const servers = await serversOf(args, context);
    const [{ CLIENTS, clientFile }, { mergeServers, renderServers }] = await Promise.all([
      import('../../mcp/client-config/clients.js'),
      import('../../mcp/client-config/merge.js'),
    ]);
    const name = args.text('client') as ClientName | undefined;
    const client = CLIENTS[name ?? 'claude-desktop'];
    const text = renderServers(servers, client);
    const about = { ok: true, client: name ?? null, ...(JSON.parse(text) as object) };
    if (name === undefined || args.flag('print')) {
      output.result(SCHEMA, { ...about, file: null, changed: false }, () => [text.trimEnd()]);
      return EXIT.good;
    }
    const { editClientFile } = await import('../../mcp/client-config/write.js');
    const named = args.text('file');
    const file = named === undefined ? clientFile(client, io) : resolve(io.cwd, named);
    const edit = (found: string): string => mergeServers(found, servers, client, file);
    const changed = await editClientFile(file, edit, io, (holder) => output.say([`Waiting for ${holder} …`]));
    output.result(SCHEMA, { ...about, file, changed }, ({ quiet }) => {
      const names = [...servers.keys()].join(' and ');
      if (!changed) return [`${file} has ${names} already; nothing was changed.`];
      return [`Wrote ${names} into ${file}.`, ...(quiet ? [] : [`Next: ${client.next}`])];
    });
    return EXIT.good;
  },
};

function refuseContradictions(args: Arguments): void {
  const needs = (flag: string, other: string): void => {
    if ((args.flag(flag) || args.text(flag) !== undefined) && !(args.flag(other) || args.text(other) !== undefined)) {
      throw new Nexus3Error('USAGE', `--${flag} says nothing without --${other}.`, {
        hint: 'See nexus3 mcp config --help',
      });
    }
  };
  needs('file', 'client');
  needs('print', 'client');
  needs('allow-changes', 'control');
}

async function serversOf(args: Arguments, context: Context): Promise<ReadonlyMap<string, ServerEntry>> {
  const { io } = context;
  const { CONTROL_SUFFIX, controlEntry, dataEntry } = await import('../../mcp/client-config/server-entry.js');
  const { token, configuration } = await foundations(args, context);
  const parts = await partsOf(context, configuration);
  const name = args.text('name') ?? 'nexus3';
  const data = dataEntry(token === undefined ? parts : { ...parts, globals: [] }, {
    envs: args.many('ENV'),
    write: args.flag('write'),
    token: token === undefined ? undefined : resolve(io.cwd, token),
  });
  const servers = new Map([[name, data]]);
  if (args.flag('control')) servers.set(name + CONTROL_SUFFIX, controlEntry(parts, args.flag('allow-changes')));
  return servers;
}

/** With a token, and without the care server, a host needs no nexus3.yaml. */
async function foundations(
  args: Arguments,
  context: Context,
): Promise<{ readonly token: string | undefined; readonly configuration: Configuration | undefined }> {
  const variable = context.io.env['NEXUS3_TOKEN_FILE'];
  const token = args.text('token') ?? (variable === '' ? undefined : variable);
  if (token !== undefined && !args.flag('control')) return { token, configuration: undefined };
  const configuration = await context.configuration();
  if (token === undefined) await refuseUnknown(configuration, args.many('ENV'));
  return { token, configuration };
}

async function refuseUnknown(configuration: Configuration, envs: readonly string[]): Promise<void> {
  if (envs.length === 0) return;
  const { isLocker, selectEnvironments } = await import('../../reconcile/desired.js');
  const [lockers, environments] = [
    configuration.environments.filter(isLocker),
    configuration.environments.filter((one) => !isLocker(one)),
  ];
  if (lockers.some(({ name }) => envs.includes(name))) {
    throw new Nexus3Error('USAGE', 'Locker is served to no agent.', { hint: 'Name other environments.' });
  }
  selectEnvironments({ ...configuration, environments }, envs);
}

async function partsOf(
  { io, overrides, operations }: Context,
  configuration: Configuration | undefined,
): Promise<EntryParts> {
  const { file } = configuration ?? {};
  const globals = [
    ...(file === undefined ? [] : ['--config', file]),
    ...(overrides.runtime === undefined ? [] : ['--runtime', overrides.runtime]),
    ...(overrides.dataRoot === undefined ? [] : ['--data-root', resolve(io.cwd, overrides.dataRoot)]),
  ];
  return { ...operations.programPaths(), globals, variables: io.env };
}

function parseClient(text: string): ClientName {
  if (text === 'claude-desktop' || text === 'vscode') return text;
  throw new Nexus3Error('USAGE', `There is no client ${JSON.stringify(text.slice(0, 40))}.`, {
    hint: 'Use claude-desktop or vscode; or leave --client out, and put what is printed where another one wants it.',
  });
}

function parseName(text: string): string {
  if (NAME.test(text)) return text;
  throw new Nexus3Error('USAGE', `${JSON.stringify(text.slice(0, 40))} is no name for a server.`, {
    hint: 'Use up to 40 letters, digits, - and _.',
  });
}
