import { resolve } from 'node:path';
import { EXIT, Nexus3Error } from '../../errors.js';
import { shellQuote } from '../../protocol/connection-formats.js';
import type { CredentialName } from '../../protocol/users.js';
import { CREDENTIAL_NAMES } from '../../protocol/users.js';
import type { CommandSpec, OptionValue } from '../command.js';
import { parseCredentialName } from '../credential.js';
import { grantDocument } from '../render/grants.js';

const LABEL_CHARACTERS_MAX = 200;

export const lockerGrant: CommandSpec = {
  name: 'locker grant',
  summary: 'make a token that reads one environment’s password',
  description:
    'Makes a token: a file whose holder can read the passwords of one environment that are named here, and nothing else, without the root key. A token that was in the same file before is taken back. For another user of this host, have the file copied and owned by that user.',
  arguments: [{ name: 'ENV', count: 'one', description: 'the environment' }],
  options: [
    {
      flags: '--user NAME',
      description: `whose password (default: default); again, or with commas, for more: ${CREDENTIAL_NAMES.join(', ')}`,
      parse: collectNames,
    },
    { flags: '--out FILE', description: 'where the token goes; default: tokens/ENV.token beside the root key' },
    { flags: '--label TEXT', description: 'your own words for it, shown by `nexus3 locker grants`' },
  ],
  examples: [
    { command: 'nexus3 locker grant track', does: 'for an application that uses track' },
    { command: 'nexus3 locker grant track --out /srv/mcp/track.token --label mcp', does: 'in a file of your choice' },
    { command: 'nexus3 locker grant track --user backup', does: 'for a backup program' },
  ],
  exitCodes: { [EXIT.unreachable]: 'Locker cannot be reached, or holds no such password' },
  schema: 'nexus3.grant/1',
  async run(args, context) {
    const { io, operations, output, progress } = context;
    const out = args.text('out');
    const names = (args.text('user') ?? 'default').split(',').map(parseCredentialName);
    const options = {
      env: args.one('ENV'),
      names: CREDENTIAL_NAMES.filter((name: CredentialName) => names.includes(name)),
      file: out === undefined ? undefined : resolve(io.cwd, out),
      label: parseLabel(args.text('label') ?? ''),
    };
    const { grant, replaced } = await operations.grantToken(await context.world(), options, progress);
    output.result('nexus3.grant/1', { ok: true, ...grantDocument(grant), replaced }, ({ quiet }) => [
      grant.file,
      ...(quiet
        ? []
        : [
            `The token ${grant.id} reads ${grant.names.join(', ')} of ${grant.env}. Use it so:`,
            `  NEXUS3_TOKEN_FILE=${asWord(grant.file)} nexus3 credentials get ${grant.env}`,
            ...(replaced.length === 0 ? [] : [`Taken back: ${replaced.join(', ')}, which was in this file before.`]),
          ]),
    ]);
    return EXIT.good;
  },
};

function collectNames(text: string, before?: OptionValue): string {
  for (const name of text.split(',')) parseCredentialName(name);
  return before === undefined ? text : `${String(before)},${text}`;
}

/** It is shown on terminals: one line, and nothing that moves a cursor. */
function parseLabel(text: string): string {
  if (text.length <= LABEL_CHARACTERS_MAX && !/\p{Cc}/u.test(text)) return text;
  throw new Nexus3Error('USAGE', 'That label cannot be used.', {
    hint: `Give one line of at most ${String(LABEL_CHARACTERS_MAX)} characters.`,
  });
}

/** Quoted only where a shell would need it. */
function asWord(path: string): string {
  return /^[\w./+@:-]+$/.test(path) ? path : shellQuote(path);
}
