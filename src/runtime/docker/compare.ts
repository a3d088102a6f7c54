/** How a container differs from its spec. Pure. */
import type { ContainerInspectInfo } from 'dockerode';
import type { InstanceSpec, SpecDifference } from '../runtime.js';
import type { ContainerUser } from './definition.js';
import {
  CONFIG_DIR,
  containerDefinition,
  DATA_DIR,
  formatUser,
  PORT_KEY,
  RESTART_POLICY,
  SPEC_LABEL,
} from './definition.js';

export interface ComparisonContext {
  readonly owned: boolean;
  /** The network of the spec's name; undefined when there is none. */
  readonly networkId: string | undefined;
  /** As whom it should run; undefined when the data folder is not there to tell. */
  readonly user: ContainerUser | undefined;
}

/** Ids are as long as they need be to be told apart by eye. */
const SHORT_ID_LENGTH = 12;

/**
 * A foreign container is compared in what it does, not in how it was made: it has no configuration folder, its bind
 * address is another finding's matter, and `always` brings it back as well.
 */
export function compareContainer(
  spec: InstanceSpec,
  container: ContainerInspectInfo,
  context: ComparisonContext,
): readonly SpecDifference[] {
  const made = [
    ...comparePort(spec, container, context.owned),
    ...compareMounts(spec, container, context.owned),
    ...compareImage(spec, container),
  ];
  const network = compareNetwork(spec, container, context.networkId);
  const found = [...made, ...network, ...compareRestartPolicy(container, context.owned)];
  if (!context.owned || made.length > 0 || container.HostConfig.NetworkMode !== spec.network) return found;
  return [...found, ...compareDefinition(spec, container, context.user)];
}

function comparePort(spec: InstanceSpec, container: ContainerInspectInfo, owned: boolean): readonly SpecDifference[] {
  const [binding] = publishedOn(container.HostConfig.PortBindings as object | null);
  const same = binding?.port === spec.port && (!owned || binding.host === spec.bind);
  if (same) return [];
  const actual = binding === undefined ? 'not published' : `${binding.host}:${String(binding.port)}`;
  return [{ aspect: 'port', expected: `${spec.bind}:${String(spec.port)}`, actual }];
}

function compareMounts(spec: InstanceSpec, container: ContainerInspectInfo, owned: boolean): readonly SpecDifference[] {
  const wanted = [{ target: DATA_DIR, source: spec.dataDir, writable: true }];
  if (owned) wanted.push({ target: CONFIG_DIR, source: spec.configDir, writable: false });
  return wanted.flatMap(({ target, source, writable }): readonly SpecDifference[] => {
    const mount = container.Mounts.find(({ Destination }) => Destination === target);
    if (mount?.Type === 'bind' && mount.Source === source && mount.RW === writable) return [];
    return [{ aspect: 'mount', expected: `${source} on ${target}`, actual: describeMount(mount, writable, target) }];
  });
}

type Mount = ContainerInspectInfo['Mounts'][number];

function describeMount(mount: Mount | undefined, writable: boolean, target: string): string {
  if (mount === undefined) return `nothing on ${target}`;
  const what = mount.Type === 'bind' ? mount.Source : `the ${mount.Type} ${mount.Name ?? ''}`.trimEnd();
  if (mount.RW === writable) return `${what} on ${target}`;
  return `${what} on ${target}, ${mount.RW ? 'writable' : 'read-only'}`;
}

function compareImage(spec: InstanceSpec, { Config }: ContainerInspectInfo): readonly SpecDifference[] {
  if (withTag(Config.Image) === withTag(spec.image)) return [];
  return [{ aspect: 'image', expected: spec.image, actual: Config.Image }];
}

/** `name` is `name:latest`; a colon before a slash is a registry's port. */
function withTag(image: string): string {
  return /[:@][^/]*$/.test(image) ? image : `${image}:latest`;
}

function compareNetwork(
  spec: InstanceSpec,
  container: ContainerInspectInfo,
  networkId: string | undefined,
): readonly SpecDifference[] {
  // Without the network, that it is missing is what there is to say.
  if (networkId === undefined) return [];
  const endpoint = endpointsOf(container)[spec.network];
  // A container that was created and never started is attached by its first start, and has no id yet.
  if (endpoint !== undefined && (endpoint.NetworkID === networkId || endpoint.NetworkID === '')) return [];
  const names = Object.keys(endpointsOf(container));
  const actual =
    endpoint === undefined
      ? names.join(', ') || 'no network'
      : `a removed network of that name (${endpoint.NetworkID.slice(0, SHORT_ID_LENGTH)})`;
  return [{ aspect: 'network', expected: spec.network, actual }];
}

function compareRestartPolicy({ HostConfig }: ContainerInspectInfo, owned: boolean): readonly SpecDifference[] {
  const actual = HostConfig.RestartPolicy?.Name ?? '';
  if (actual === RESTART_POLICY || (!owned && actual === 'always')) return [];
  return [{ aspect: 'restart-policy', expected: RESTART_POLICY, actual: actual === '' ? 'no' : actual }];
}

/** Anything else that went into its making; it is looked at only when nothing above explains a difference. */
function compareDefinition(
  spec: InstanceSpec,
  { Config }: ContainerInspectInfo,
  user: ContainerUser | undefined,
): readonly SpecDifference[] {
  if (user !== undefined && Config.User !== formatUser(user)) {
    return [{ aspect: 'definition', expected: `user ${formatUser(user)}`, actual: `user ${Config.User || '0:0'}` }];
  }
  // `name` and `name:latest` are the same image.
  const same = { ...spec, image: Config.Image };
  const expected = containerDefinition(same, user ?? parseUser(Config.User)).Labels?.[SPEC_LABEL] ?? '';
  const actual = Config.Labels[SPEC_LABEL] ?? '';
  if (expected === actual) return [];
  const short = (print: string): string => `definition ${print.slice(0, SHORT_ID_LENGTH)}`;
  return [{ aspect: 'definition', expected: short(expected), actual: short(actual) }];
}

function parseUser(text: string): ContainerUser {
  const [uid = '', gid = ''] = text.split(':');
  return { uid: Number(uid), gid: Number(gid) };
}

export interface Published {
  readonly host: string;
  readonly port: number;
}

type Bindings = Partial<Record<string, readonly { readonly HostIp?: string; readonly HostPort?: string }[] | null>>;

/** Where the server's port is published; Docker writes every address as an empty one. */
export function publishedOn(bindings: object | null | undefined): readonly Published[] {
  return ((bindings as Bindings | null | undefined)?.[PORT_KEY] ?? [])
    .map(({ HostIp = '', HostPort }) => ({ host: HostIp === '' ? '0.0.0.0' : HostIp, port: Number(HostPort) }))
    .filter(({ port }) => port > 0);
}

type Endpoints = ContainerInspectInfo['NetworkSettings']['Networks'];

/** By network name; not every name has one. */
export function endpointsOf({ NetworkSettings }: ContainerInspectInfo): Readonly<Partial<Endpoints>> {
  return NetworkSettings.Networks;
}
