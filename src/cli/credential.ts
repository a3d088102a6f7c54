/** One credential for a command that hands it out: with a token where there is one, with the root key otherwise. */
import { resolve } from 'node:path';
import type { Credential } from '../client/credential.js';
import { Nexus3Error } from '../errors.js';
import { holdsNul, renderEnv } from '../protocol/connection-formats.js';
import type { CredentialName } from '../protocol/users.js';
import { CREDENTIAL_NAMES } from '../protocol/users.js';
import type { Arguments, OptionSpec } from './command.js';
import type { Context } from './context.js';

const CREDENTIAL_FORMATS = ['raw', 'json', 'env', 'url'] as const;
export type CredentialFormat = (typeof CREDENTIAL_FORMATS)[number];

export const CREDENTIALS_SCHEMA = 'nexus3.credentials/1';

export const CREDENTIAL_OPTIONS: readonly OptionSpec[] = [
  {
    flags: '--user NAME',
    description: `whose password: ${CREDENTIAL_NAMES.join(', ')}`,
    default: 'default',
    parse: parseCredentialName,
  },
  {
    flags: '--format FORMAT',
    description:
      'raw (the password alone), json, env (shell variables NEXUS3_ENV_HOST, _PORT, _USERNAME, _PASSWORD, _URL) or url',
    default: 'raw',
    parse: parseFormat,
  },
  {
    flags: '--token FILE',
    description: 'read with this token (see `nexus3 locker grant`); else $NEXUS3_TOKEN_FILE, else the root key',
  },
];

/** @throws Nexus3Error LOCKER_…, ROOT_KEY_…, TOKEN_…, ENVIRONMENT_UNKNOWN */
export async function credentialFor(args: Arguments, context: Context): Promise<Credential> {
  const { io, operations } = context;
  const env = args.one('ENV');
  const user = parseCredentialName(args.text('user') ?? 'default');
  const token = args.text('token') ?? io.env['NEXUS3_TOKEN_FILE'];
  if (token !== undefined && token !== '') return operations.getWithToken(resolve(io.cwd, token), env, user);
  const world = await context.world();
  const [{ selectEnvironments, specOf }, { hostAddress }, { toCredential }] = await Promise.all([
    import('../reconcile/desired.js'),
    import('../reconcile/access.js'),
    import('../client/credential.js'),
  ]);
  const [environment] = selectEnvironments(world.configuration, [env]);
  if (environment === undefined) throw new Error('an environment was selected by name but is not there');
  const password = await operations.getCredential(world, env, user);
  return toCredential(env, user, hostAddress(specOf(world.configuration, environment, 'vault')), password);
}

export function documentOf({ env, user, username, host, port, password, url }: Credential): object {
  return { ok: true, env, user, username, host, port, password: password.reveal(), url: url() };
}

/** @throws Nexus3Error USAGE for a password that no shell variable can hold */
export function rendered(credential: Credential, format: CredentialFormat): string {
  const { password } = credential;
  switch (format) {
    case 'raw':
      return password.reveal();
    case 'url':
      return credential.url();
    case 'json':
      return `${JSON.stringify({ schema: CREDENTIALS_SCHEMA, ...documentOf(credential) }, null, 2)}\n`;
    case 'env':
      if (holdsNul(password.reveal())) throw noVariable(credential);
      return renderEnv({ ...credential, password: password.reveal() });
  }
}

export function formatOf(args: Arguments): CredentialFormat {
  return parseFormat(args.text('format') ?? 'raw');
}

export function parseCredentialName(text: string): CredentialName {
  const name = CREDENTIAL_NAMES.find((candidate) => candidate === text);
  if (name !== undefined) return name;
  throw new Nexus3Error('USAGE', `There is no user ${JSON.stringify(text.slice(0, 40))}.`, {
    hint: `Use one of ${CREDENTIAL_NAMES.join(', ')}.`,
  });
}

function parseFormat(text: string): CredentialFormat {
  const format = CREDENTIAL_FORMATS.find((candidate) => candidate === text);
  if (format !== undefined) return format;
  throw new Nexus3Error('USAGE', `There is no format ${JSON.stringify(text.slice(0, 40))}.`, {
    hint: `Use one of ${CREDENTIAL_FORMATS.join(', ')}.`,
  });
}

function noVariable({ env, user }: Credential): Nexus3Error {
  return new Nexus3Error('USAGE', `The password ${user} of ${env} holds a NUL, which no shell variable can.`, {
    hint: 'Use --format raw, json or url.',
  });
}
