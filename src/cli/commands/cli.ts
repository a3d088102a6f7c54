import type { ExitCode } from '../../errors.js';
import { EXIT, Nexus3Error } from '../../errors.js';
import type { Role } from '../../protocol/environment.js';
import type { CredentialName } from '../../protocol/users.js';
import type { CommandSpec } from '../command.js';
import { isErrorReply, talkAtPrompt, talkThroughPipe } from '../line-client.js';

export const cli: CommandSpec = {
  name: 'cli',
  summary: 'talk to a server with the right credentials',
  description:
    'Sends commands to one server of an environment, with the right password from Locker: it never stands in the arguments, the environment or a history file. With a COMMAND, that one; from a pipe, one a line; on a terminal, a prompt. Arguments are quoted as in redis-cli.',
  arguments: [
    { name: 'ENV', count: 'one', description: 'the environment' },
    { name: 'COMMAND', count: 'many', description: 'what to send; behind -- where a word begins with a dash' },
  ],
  options: [
    { flags: '--operational', description: 'the operational instead of the vault' },
    {
      flags: '--user NAME',
      description: 'default (what applications may do) or admin',
      default: 'default',
      parse: parseUser,
    },
  ],
  rest: 'COMMAND...',
  examples: [
    { command: 'nexus3 cli track', does: 'a prompt on the vault' },
    { command: 'nexus3 cli track SET greeting hello', does: 'one command' },
    { command: 'nexus3 cli track --operational GET greeting', does: 'what readers see' },
    { command: 'nexus3 cli track -- ZRANGE scores 0 -1', does: 'dashes and all' },
  ],
  exitCodes: { [EXIT.problem]: 'a command was answered with an error' },
  schema: undefined,
  async run(args, context): Promise<ExitCode> {
    const { io, operations, output } = context;
    const env = args.one('ENV');
    const role: Role = args.flag('operational') ? 'operational' : 'vault';
    const world = await context.world();
    const [{ selectEnvironments, specOf }, { hostAddress }] = await Promise.all([
      import('../../reconcile/desired.js'),
      import('../../reconcile/access.js'),
    ]);
    const [environment] = selectEnvironments(world.configuration, [env]);
    if (environment === undefined || (role === 'operational' && environment.kind === 'secure')) {
      throw new Nexus3Error('USAGE', `${env} is a Secure Environment: it has no operational.`, {
        hint: 'Leave out --operational.',
      });
    }
    const user = args.text('user') ?? 'default';
    const name = credentialFor(role, user);
    const password = name === undefined ? undefined : await operations.getCredential(world, env, name);
    using session = await operations.openSession(
      hostAddress(specOf(world.configuration, environment, role)),
      password === undefined ? undefined : { user, password },
    );
    context.progress.clear();
    const words = [...args.many('COMMAND'), ...args.rest];
    if (words.length > 0) {
      const reply = await session.send(words);
      output.lines([reply]);
      return isErrorReply(reply) ? EXIT.problem : EXIT.good;
    }
    if (io.stdin.isTTY === true && io.stdout.isTTY === true)
      return await talkAtPrompt(session, `${env}/${role}> `, io, output);
    return await talkThroughPipe(session, io, output);
  },
};

function parseUser(text: string): string {
  if (text === 'default' || text === 'admin') return text;
  throw new Nexus3Error('USAGE', `There is no user ${JSON.stringify(text.slice(0, 40))} here.`, {
    hint: 'Use --user default or --user admin.',
  });
}

/** Undefined: anybody may read on the operational. */
function credentialFor(role: Role, user: string): CredentialName | undefined {
  if (user === 'admin') return role === 'vault' ? 'admin' : 'operational-admin';
  return role === 'vault' ? 'default' : undefined;
}
