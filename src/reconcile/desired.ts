/** What should be: specs and rendered files of every instance, from the configuration. Pure. */
import type { ConfiguredEnvironment, Configuration } from '../config/configuration.js';
import type { InstanceId, Role } from '../protocol/environment.js';
import { instancesOf, LOCKER_NAME, portOf } from '../protocol/environment.js';
import { CONFIG_FILE, containerName, layoutOf } from '../protocol/layout.js';
import type { Placement } from '../protocol/redis-conf.js';
import { renderRedisConf } from '../protocol/redis-conf.js';
import { renderHealthScript, renderStartScript } from '../protocol/start-script.js';
import type { CredentialName, Credentials, UserOptions } from '../protocol/users.js';
import { renderUsersAcl } from '../protocol/users.js';
import type { InstanceSpec } from '../runtime/runtime.js';
import { Nexus3Error } from '../errors.js';

export interface RenderedFile {
  readonly name: string;
  readonly content: string;
  readonly mode: number;
}

export function specOf(configuration: Configuration, environment: ConfiguredEnvironment, role: Role): InstanceSpec {
  const id: InstanceId = { env: environment.name, role };
  const layout = layoutOf(configuration.dataRoot, environment.name);
  return {
    id,
    name: containerName(configuration.containerPrefix, id),
    port: portOf(environment, role),
    bind: configuration.bind,
    dataDir: layout.data[role],
    configDir: layout.config[role],
    image: configuration.image,
    network: configuration.network,
  };
}

export function specsOf(
  configuration: Configuration,
  environments: readonly ConfiguredEnvironment[],
): readonly InstanceSpec[] {
  return environments.flatMap((environment) =>
    instancesOf(environment).map(({ role }) => specOf(configuration, environment, role)),
  );
}

/** Scripts are world-readable; what holds a password or a hash is for the server alone. */
export function renderFiles(
  environment: ConfiguredEnvironment,
  role: Role,
  placement: Placement,
  credentials: Credentials,
  options: UserOptions = {},
): readonly RenderedFile[] {
  const password = role === 'operational' ? credentials.replicator : undefined;
  const users = { ...options, withoutGraphs: placement.modulePath === undefined };
  return [
    {
      name: CONFIG_FILE.redisConf,
      content: renderRedisConf(role, placement, environment.settings, password),
      mode: 0o600,
    },
    { name: CONFIG_FILE.usersAcl, content: renderUsersAcl(role, environment.kind, credentials, users), mode: 0o600 },
    { name: CONFIG_FILE.start, content: renderStartScript(role, placement), mode: 0o755 },
    { name: CONFIG_FILE.health, content: renderHealthScript(placement.port), mode: 0o755 },
  ];
}

/** Which credentials an environment needs; a Secure Environment has nothing to replicate. */
export function neededCredentials(environment: ConfiguredEnvironment): readonly CredentialName[] {
  return environment.kind === 'standard'
    ? ['default', 'admin', 'replicator', 'backup', 'operational-admin']
    : ['default', 'admin', 'backup'];
}

export function isLocker(environment: { readonly name: string }): boolean {
  return environment.name === LOCKER_NAME;
}

/** The environments named, in the configuration's order; all of them for an empty list. @throws ENVIRONMENT_UNKNOWN */
export function selectEnvironments(
  configuration: Configuration,
  names: readonly string[],
): readonly ConfiguredEnvironment[] {
  const known = configuration.environments;
  const unknown = names.filter((name) => !known.some((environment) => environment.name === name));
  if (unknown.length > 0) {
    throw new Nexus3Error('ENVIRONMENT_UNKNOWN', `There is no environment named ${unknown.map(quote).join(', ')}.`, {
      evidence: [`known: ${known.map(({ name }) => name).join(', ')}`],
      hint: 'Check the spelling, or make it: nexus3 create NAME',
    });
  }
  return names.length === 0 ? known : known.filter(({ name }) => names.includes(name));
}

/** Where all of them are never meant by saying nothing. @param command `backup create` @throws Nexus3Error USAGE. Pure. */
export function refuseUnnamed(
  { envs, all }: { readonly envs: readonly string[]; readonly all: boolean },
  command: string,
): void {
  if (all === (envs.length === 0)) return;
  throw new Nexus3Error('USAGE', all ? '--all leaves no choice of environments.' : 'Nothing is named.', {
    hint: `Name environments, or give --all: nexus3 ${command} track; nexus3 ${command} --all`,
  });
}

/** A name as a person typed it: shortened, on one line. */
function quote(name: string): string {
  return JSON.stringify(name.length > 40 ? `${name.slice(0, 40)}…` : name);
}
