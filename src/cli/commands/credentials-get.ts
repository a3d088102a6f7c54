import { EXIT, Nexus3Error } from '../../errors.js';
import type { CommandSpec } from '../command.js';
import {
  CREDENTIAL_OPTIONS,
  CREDENTIALS_SCHEMA,
  credentialFor,
  documentOf,
  formatOf,
  rendered,
} from '../credential.js';

export const credentialsGet: CommandSpec = {
  name: 'credentials get',
  summary: 'print one password from Locker',
  description:
    'Prints one password of an environment, alone and with a newline or in another format, for a script or an application. This command is there to print a secret. The operational needs none.',
  arguments: [{ name: 'ENV', count: 'one', description: 'the environment' }],
  options: CREDENTIAL_OPTIONS,
  examples: [
    { command: 'nexus3 credentials get track', does: 'the password of applications' },
    { command: 'REDISCLI_AUTH=$(nexus3 credentials get track) redis-cli -p 6640 ping', does: 'never in argv' },
    { command: 'nexus3 credentials get track --format json', does: 'for a program in any language' },
    { command: 'eval "$(nexus3 credentials get track --format env)"', does: 'sets NEXUS3_TRACK_PASSWORD, …' },
    { command: 'nexus3 credentials get track --token track.token', does: 'without the root key' },
  ],
  exitCodes: { [EXIT.unreachable]: 'Locker cannot be reached, or does not hold it, or the token is refused' },
  schema: CREDENTIALS_SCHEMA,
  async run(args, context) {
    const { output } = context;
    const format = formatOf(args);
    if (output.json && format !== 'raw' && format !== 'json') {
      throw new Nexus3Error('USAGE', `--json and --format ${format} contradict each other.`, {
        hint: 'Leave one of them out.',
      });
    }
    const credential = await credentialFor(args, context);
    const text = output.json ? '' : rendered(credential, format);
    output.result(CREDENTIALS_SCHEMA, documentOf(credential), () => [
      // A line break of its own ends it; one that belongs to the password stays.
      format === 'json' || format === 'env' ? text.slice(0, -1) : text,
    ]);
    return EXIT.good;
  },
};
