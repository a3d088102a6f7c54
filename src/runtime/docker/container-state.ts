/** What an inspected container is, in the terms of the Runtime port. Pure. */
import type { ContainerInspectInfo } from 'dockerode';
import { instanceKey } from '../../protocol/environment.js';
import type { InstanceRuntimeState, InstanceSpec, InstanceState } from '../runtime.js';
import type { ComparisonContext, Published } from './compare.js';
import { compareContainer, endpointsOf, publishedOn } from './compare.js';
import { INSTANCE_LABEL, SPEC_LABEL } from './definition.js';
import { showsSecret } from './secret-in-arguments.js';

/** Docker's zero time: it never ran. */
const NEVER = '0001-';

export function describeContainer(
  spec: InstanceSpec,
  container: ContainerInspectInfo,
  context: Omit<ComparisonContext, 'owned'>,
): InstanceRuntimeState {
  const owned = isOwned(spec, container);
  const state = stateOf(container);
  const { State } = container;
  const published = publishedAddresses(container);
  const startedAt = State.StartedAt.startsWith(NEVER) ? undefined : State.StartedAt;
  const ended = startedAt !== undefined && (state === 'stopped' || state === 'restarting');
  return {
    id: spec.id,
    owned,
    state,
    exitCode: ended ? State.ExitCode : undefined,
    endedUnexpectedly: ended ? endedUnexpectedly(container) : undefined,
    restartCount: container.RestartCount,
    startedAt,
    address: addressOf(container),
    exposedOn: published.find(({ host }) => !isLoopback(host))?.host,
    networkAddress: endpointsOf(container)[spec.network]?.IPAddress || undefined,
    differences: compareContainer(spec, container, { ...context, owned }),
    secretInArguments: showsSecret(container),
    pid: State.Pid,
  };
}

/** Made by nexus3, and for this very instance. */
export function isOwned(spec: InstanceSpec, { Config }: ContainerInspectInfo): boolean {
  const labels = (Config.Labels as Record<string, string> | null) ?? {};
  return labels[INSTANCE_LABEL] === instanceKey(spec.id) && labels[SPEC_LABEL] !== undefined;
}

/** Docker's states are created, running, paused, restarting, removing, exited and dead. */
export function stateOf({ State }: ContainerInspectInfo): InstanceState {
  switch (State.Status) {
    case 'running':
    case 'paused':
    case 'restarting':
      return State.Status;
    default:
      return 'stopped';
  }
}

/** Its policy starts it again after anything but a stop that was asked for, so one that lies there was asked to stop. */
function endedUnexpectedly({ State, HostConfig }: ContainerInspectInfo): boolean {
  if (State.OOMKilled || State.Status === 'restarting' || State.Status === 'dead' || State.Error !== '') return true;
  const policy = HostConfig.RestartPolicy?.Name;
  return policy === 'unless-stopped' || policy === 'always' ? false : State.ExitCode !== 0;
}

/** Where this host reaches its server, or would if it ran. Docker publishes on IPv4 and IPv6 unless told otherwise. */
export function addressOf(container: ContainerInspectInfo): InstanceRuntimeState['address'] {
  const published = publishedAddresses(container);
  const first = published.find(({ host }) => !host.includes(':')) ?? published[0];
  if (first === undefined) return undefined;
  return { host: LOOPBACK_OF[first.host] ?? first.host, port: first.port };
}

/** What is in force while it runs, else what it was made with. */
function publishedAddresses({ NetworkSettings, HostConfig }: ContainerInspectInfo): readonly Published[] {
  const live = publishedOn(NetworkSettings.Ports);
  return live.length > 0 ? live : publishedOn(HostConfig.PortBindings as object | null);
}

/** Every address includes loopback. */
const LOOPBACK_OF: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' };

function isLoopback(host: string): boolean {
  return host === '::1' || host.startsWith('127.');
}
