import { EXIT, Nexus3Error } from '../../errors.js';
import type { CommandSpec } from '../command.js';
import { CREDENTIAL_OPTIONS, credentialFor, formatOf, rendered } from '../credential.js';
import { CREDENTIALS_FD, CREDENTIALS_FD_VARIABLE, execWithSecret } from '../exec.js';

export const credentialsExec: CommandSpec = {
  name: 'credentials exec',
  summary: 'run a command that is handed one password',
  description: `Runs a command and hands it one password of an environment through a pipe that it inherits as file descriptor ${String(CREDENTIALS_FD)}: the password stands neither in its environment nor in its arguments. The number is also in ${CREDENTIALS_FD_VARIABLE}. The pipe holds what --format says and ends there; in raw and url, without a newline. Input, output and signals are the command’s own, and its exit code is passed on (128 and the signal’s number where a signal ended it).`,
  arguments: [{ name: 'ENV', count: 'one', description: 'the environment' }],
  options: CREDENTIAL_OPTIONS,
  rest: 'COMMAND...',
  examples: [
    { command: 'nexus3 credentials exec track -- python3 server.py', does: 'server.py reads descriptor 3' },
    {
      command: "nexus3 credentials exec track -- sh -c 'REDISCLI_AUTH=$(cat <&3) redis-cli -p 6640 ping'",
      does: 'in a shell',
    },
    { command: 'nexus3 credentials exec track --format url -- node server.js', does: 'a whole redis:// URL' },
  ],
  exitCodes: {
    [EXIT.good]: 'the command’s own exit code, whatever it is; before it is started:',
    [EXIT.unreachable]: 'Locker cannot be reached, or does not hold it, or the token is refused',
  },
  schema: undefined,
  async run(args, context) {
    const [program, ...words] = args.rest;
    if (program === undefined) {
      throw new Nexus3Error('USAGE', 'There is no command to run.', {
        hint: 'Write it behind two dashes: nexus3 credentials exec ENV -- COMMAND',
      });
    }
    const text = rendered(await credentialFor(args, context), formatOf(args));
    context.progress.clear();
    return execWithSecret(text, program, words, context.io);
  },
};
