/** Which environments a data server serves, and how it connects to one. Neither asks Locker, or a server, before it must. */
import { tokenPath } from './compose-credentials.js';
import type { Surroundings } from './config/locate.js';
import { Nexus3Error } from './errors.js';
import type { ServedEnvironment } from './mcp/data/context.js';
import { REPLY_BYTES_MAX } from './mcp/data/limits.js';
import type { Opened } from './mcp/data/open-environment.js';
import type { Environment } from './protocol/environment.js';
import { LOCKER_NAME, portOf } from './protocol/environment.js';

export interface WhereToConnect {
  /** Path of a token of Locker, as it was named; else `$NEXUS3_TOKEN_FILE`. */
  readonly token: string | undefined;
  /** Path of nexus3.yaml, as it was named. */
  readonly config: string | undefined;
  readonly surroundings: Surroundings;
}

/**
 * Those named, or all but Locker.
 * @throws Nexus3Error USAGE, ENVIRONMENT_UNKNOWN, CONFIG_…; with a token TOKEN_…
 */
export async function servedEnvironments(
  envs: readonly string[],
  { token, config, surroundings }: WhereToConnect,
): Promise<readonly ServedEnvironment[]> {
  if (envs.includes(LOCKER_NAME)) {
    throw new Nexus3Error('USAGE', 'Locker is served to no agent.', {
      hint: 'Name other environments. What Locker keeps is reached with `nexus3 locker`.',
    });
  }
  const path = tokenPath({ token }, surroundings);
  if (path !== undefined) return [await environmentOfToken(path, envs)];
  const [{ loadConfiguration }, { selectEnvironments }] = await Promise.all([
    import('./config/load.js'),
    import('./reconcile/desired.js'),
  ]);
  const configuration = await loadConfiguration({ config }, surroundings);
  const environments = configuration.environments.filter(({ name }) => name !== LOCKER_NAME);
  const selected = selectEnvironments({ ...configuration, environments }, envs);
  if (selected.length > 0) return selected.map(served);
  throw new Nexus3Error('USAGE', 'There is no environment to serve.', { hint: 'Make one first: nexus3 create NAME' });
}

export async function openEnvironment(name: string, { token, config, surroundings }: WhereToConnect): Promise<Opened> {
  const [{ connect }, { BareConnection }] = await Promise.all([
    import('./compose-client.js'),
    import('./redis/driver/bare-connection.js'),
  ]);
  const client = await connect(name, { token, config, surroundings, readYourWrites: true });
  return { client, connect: (side) => BareConnection.openBeside(client[side], REPLY_BYTES_MAX) };
}

function served(environment: Environment): ServedEnvironment {
  const { name, kind } = environment;
  const vaultPort = portOf(environment, 'vault');
  return { name, kind, vaultPort, operationalPort: kind === 'secure' ? undefined : portOf(environment, 'operational') };
}

/** A token is for one, and says of which kind it is and where it answers. */
async function environmentOfToken(path: string, envs: readonly string[]): Promise<ServedEnvironment> {
  const { loadToken } = await import('./locker/token/token-file.js');
  const { id, env, kind, vault } = await loadToken(path);
  const other = envs.find((name) => name !== env);
  if (other !== undefined) {
    throw new Nexus3Error('TOKEN_NOT_FOR', `The token ${id} is not for ${JSON.stringify(other.slice(0, 40))}.`, {
      evidence: [`it is for ${env}`],
      hint: `Name ${env} or none, or another token with --token or $NEXUS3_TOKEN_FILE.`,
    });
  }
  return served({ name: env, kind, vaultPort: vault.port });
}
