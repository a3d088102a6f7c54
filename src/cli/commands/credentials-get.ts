import { EXIT, Nexus3Error } from '../../errors.js';
import type { CredentialName } from '../../protocol/users.js';
import { CREDENTIAL_NAMES } from '../../protocol/users.js';
import type { CommandSpec } from '../command.js';

export const credentialsGet: CommandSpec = {
  name: 'credentials get',
  summary: 'print one password from Locker',
  description:
    'Prints one password of an environment, alone and with a newline, for a script or an application. This is the one command that prints a secret. The operational needs none.',
  arguments: [{ name: 'ENV', count: 'one', description: 'the environment' }],
  options: [
    {
      flags: '--user NAME',
      description: `whose password: ${CREDENTIAL_NAMES.join(', ')}`,
      default: 'default',
      parse: parseCredentialName,
    },
  ],
  examples: [
    { command: 'nexus3 credentials get track', does: 'the password of applications' },
    { command: 'REDISCLI_AUTH=$(nexus3 credentials get track) redis-cli -p 6640 ping', does: 'never in argv' },
  ],
  exitCodes: { [EXIT.unreachable]: 'Locker cannot be reached, or does not hold it' },
  schema: 'nexus3.credentials/1',
  async run(args, context) {
    const { operations, output } = context;
    const env = args.one('ENV');
    const user = parseCredentialName(args.text('user') ?? 'default');
    const world = await context.world();
    const { selectEnvironments } = await import('../../reconcile/desired.js');
    selectEnvironments(world.configuration, [env]);
    const password = (await operations.getCredential(world, env, user)).reveal();
    output.result('nexus3.credentials/1', { ok: true, env, user, password }, () => [password]);
    return EXIT.good;
  },
};

function parseCredentialName(text: string): CredentialName {
  const name = CREDENTIAL_NAMES.find((candidate) => candidate === text);
  if (name !== undefined) return name;
  throw new Nexus3Error('USAGE', `There is no user ${JSON.stringify(text.slice(0, 40))}.`, {
    hint: `Use one of ${CREDENTIAL_NAMES.join(', ')}.`,
  });
}
