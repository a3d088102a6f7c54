/** What a person does to containers with `docker`, behind nexus3's back. The Engine API says the same in other words. */
import { readFileSync } from 'node:fs';
import type { Role } from '../../src/protocol/environment.js';
import type { Hands } from './break.js';
import { pidOf, until } from './break.js';
import { dockerJson } from './docker-api.js';
import { dockerEnvironment, dockerIsThere } from './docker-tests.js';
import type { Nexus, NexusOptions } from './nexus.js';

/** `docker inspect`, as far as these tests look into it. */
export interface Inspected {
  readonly Id: string;
  readonly RestartCount: number;
  readonly State: {
    readonly Status: string;
    readonly StartedAt: string;
    readonly ExitCode: number;
    readonly Pid: number;
    readonly Health?: unknown;
  };
  readonly Config: { readonly Image: string };
  readonly HostConfig: { readonly RestartPolicy: { readonly Name: string } };
  readonly Mounts: readonly { readonly Source: string; readonly Destination: string }[];
  readonly NetworkSettings: { readonly Networks: Readonly<Record<string, { readonly IPAddress: string }>> };
}

export const DOCKER_HANDS: Hands = {
  /** `docker kill` counts as a stop by hand: no restart policy brings it back. */
  async kill(nexus, env, role) {
    await onContainer(nexus, env, role, 'POST', '/kill');
  },
  async stop(nexus, env, role) {
    await onContainer(nexus, env, role, 'POST', '/stop');
  },
  async start(nexus, env, role) {
    await onContainer(nexus, env, role, 'POST', '/start');
  },
  async freeze(nexus, env, role) {
    await onContainer(nexus, env, role, 'POST', '/pause');
  },
  async thaw(nexus, env, role) {
    await onContainer(nexus, env, role, 'POST', '/unpause');
  },
  async takeAway(nexus, env, role) {
    await onContainer(nexus, env, role, 'DELETE', '?force=1&v=1');
  },
};

/** On the engine of the global setup. To be called in describeOnDocker, also where that skips. */
export function dockerNexus(environments: NexusOptions['environments'], yaml?: string): NexusOptions {
  return {
    runtime: 'docker',
    environments,
    env: dockerIsThere() ? dockerEnvironment() : {},
    ...(yaml === undefined ? {} : { yaml }),
  };
}

/** One request about one container: `/restart`, `/update`, … */
export async function onContainer(
  nexus: Nexus,
  env: string,
  role: Role,
  method: string,
  what: string,
  body?: unknown,
): Promise<unknown> {
  const { name } = await nexus.spec(env, role);
  return docker(nexus, method, `/containers/${name}${what}`, body);
}

export async function docker(nexus: Nexus, method: string, path: string, body?: unknown): Promise<unknown> {
  return dockerJson(socketOf(nexus), method, path, body);
}

export function socketOf(nexus: Nexus): string {
  return (nexus.env['DOCKER_HOST'] ?? '').replace(/^unix:\/\//, '');
}

/** Without what changes by itself: the log of health checks, and the order of mounts. */
export async function inspect(nexus: Nexus, env: string, role: Role): Promise<Inspected> {
  const seen = (await onContainer(nexus, env, role, 'GET', '/json')) as Inspected;
  const mounts = [...seen.Mounts].sort((a, b) => a.Destination.localeCompare(b.Destination));
  return { ...seen, Mounts: mounts, State: { ...seen.State, Health: undefined } };
}

/** Containers of this nexus3's name prefix, running or not. */
export async function containersOf(nexus: Nexus): Promise<readonly string[]> {
  const all = (await docker(nexus, 'GET', '/containers/json?all=1')) as { readonly Names: readonly string[] }[];
  const prefix = `/${await prefixOf(nexus)}-`;
  return all.flatMap(({ Names }) => Names.filter((name) => name.startsWith(prefix)));
}

async function prefixOf(nexus: Nexus): Promise<string> {
  await using world = await nexus.world();
  return world.configuration.containerPrefix;
}

/** The process lives and does nothing, and Docker sees nothing wrong with it. */
export async function hang(nexus: Nexus, env: string, role: Role): Promise<void> {
  const pid = await pidOf(nexus, env, role);
  process.kill(pid, 'SIGSTOP');
  await until(() => /\) T /.test(readFileSync(`/proc/${String(pid)}/stat`, 'utf8')), 'the stop');
}

interface CreateBody {
  Image: string;
  Labels: Record<string, string>;
  HostConfig: { Mounts: { Type: string; Source: string; Target: string }[]; NetworkMode: string };
}

/** Takes the container away and makes it again, a little different; nexus3's labels stay on it. */
export async function remake(
  nexus: Nexus,
  env: string,
  role: Role,
  change: (definition: CreateBody) => void,
): Promise<void> {
  const { name } = await nexus.spec(env, role);
  const before = (await onContainer(nexus, env, role, 'GET', '/json')) as {
    readonly Config: Omit<CreateBody, 'HostConfig'> & { readonly Hostname?: string };
    readonly HostConfig: CreateBody['HostConfig'];
  };
  const { Hostname: _, ...config } = before.Config;
  const definition = structuredClone({ ...config, HostConfig: before.HostConfig });
  change(definition);
  await onContainer(nexus, env, role, 'POST', '/stop');
  await onContainer(nexus, env, role, 'DELETE', '');
  await docker(nexus, 'POST', `/containers/create?name=${name}`, definition);
  await onContainer(nexus, env, role, 'POST', '/start');
}

/** `docker run`, as the protocol's pages have it. */
export async function dockerRun(
  nexus: Nexus,
  name: string,
  options: { image: string; command: readonly string[]; port?: number; dataDir?: string; network: string },
): Promise<void> {
  const { image, command, port, dataDir, network } = options;
  await docker(nexus, 'POST', `/containers/create?name=${name}`, {
    Image: image,
    Cmd: command,
    ExposedPorts: { '6379/tcp': {} },
    HostConfig: {
      RestartPolicy: { Name: 'unless-stopped' },
      NetworkMode: network,
      ...(port === undefined ? {} : { PortBindings: { '6379/tcp': [{ HostPort: String(port) }] } }),
      ...(dataDir === undefined ? {} : { Binds: [`${dataDir}:/var/lib/falkordb/data`] }),
    },
  });
  await docker(nexus, 'POST', `/containers/${name}/start`);
}
