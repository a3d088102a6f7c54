/** The user-defined network on which instances find each other by name. */
import { createHash } from 'node:crypto';
import { endpointsOf } from './compare.js';
import { HTTP, inspectOwned } from './containers.js';
import type { Engine } from './engine.js';
import { refusedWith } from './engine.js';
import type { InstanceSpec } from '../runtime.js';

/** Its id; undefined: there is none of that name. */
export async function findNetwork(engine: Engine, name: string): Promise<string | undefined> {
  const networks = await engine.ask(`list the network ${name}`, engine.limits.readMs, (docker, abortSignal) =>
    docker.listNetworks({ filters: JSON.stringify({ name: [name] }), abortSignal }),
  );
  // The filter takes parts of a name.
  return networks.find(({ Name }) => Name === name)?.Id;
}

export async function ensureNetwork(engine: Engine, name: string): Promise<void> {
  if ((await findNetwork(engine, name)) !== undefined) return;
  const { ID } = await engine.ask(
    'say who it is',
    engine.limits.readMs,
    (docker) => docker.info() as Promise<Identity>,
  );
  try {
    await engine.ask(`create the network ${name}`, engine.limits.changeMs, (docker, abortSignal) =>
      docker.createNetwork({
        Name: name,
        Driver: 'bridge',
        CheckDuplicate: true,
        Options: { 'com.docker.network.bridge.name': bridgeName(ID, name) },
        abortSignal,
      }),
    );
  } catch (error) {
    // Another nexus3 was faster.
    if (!refusedWith(error, HTTP.conflict, HTTP.forbidden) || (await findNetwork(engine, name)) === undefined)
      throw error;
  }
}

interface Identity {
  readonly ID: string;
}

/**
 * Engines before 25 make two networks of one name when asked for both at once (CheckDuplicate looks before it leaps;
 * measured with 20.10), and then no container can be attached to either. They never make two with one interface, so the
 * name of that follows from the network's, and from the engine's, because engines of one host share its interfaces.
 */
function bridgeName(engineId: string, network: string): string {
  const digest = createHash('sha256').update(`${engineId}\n${network}`).digest('hex');
  return `${BRIDGE_PREFIX}${digest.slice(0, INTERFACE_NAME_BYTES_MAX - BRIDGE_PREFIX.length)}`;
}

const BRIDGE_PREFIX = 'nexus3-';
/** IFNAMSIZ of Linux, less the terminating zero. */
const INTERFACE_NAME_BYTES_MAX = 15;

/**
 * A container whose network was removed and made again still names the old one, and cannot start. It is taken off that
 * first: Docker 20.10 would put the new one in its place anyway, but that is nowhere promised.
 */
export async function connectNetwork(engine: Engine, spec: InstanceSpec): Promise<void> {
  const container = await inspectOwned(engine, spec);
  const networkId = await findNetwork(engine, spec.network);
  if (container === undefined || networkId === undefined) return;
  const endpoint = endpointsOf(container)[spec.network];
  if (endpoint?.NetworkID === networkId) return;
  if (endpoint !== undefined) await disconnect(engine, spec, container.Id);
  try {
    await engine.ask(`connect ${spec.name} to ${spec.network}`, engine.limits.changeMs, (docker, abortSignal) => {
      // Its types know no signal.
      const options = { Container: container.Id, abortSignal };
      return docker.getNetwork(networkId).connect(options);
    });
  } catch (error) {
    // 403: it is connected already.
    if (!refusedWith(error, HTTP.forbidden)) throw error;
  }
}

async function disconnect(engine: Engine, spec: InstanceSpec, containerId: string): Promise<void> {
  try {
    await engine.ask(`disconnect ${spec.name} from ${spec.network}`, engine.limits.changeMs, (docker, abortSignal) =>
      docker.getNetwork(spec.network).disconnect({ Container: containerId, Force: true, abortSignal }),
    );
  } catch (error) {
    if (!refusedWith(error, HTTP.forbidden, HTTP.notFound)) throw error;
  }
}
