/**
 * The Docker runtime: instances are containers of this host's engine, named and published as the protocol has it, with
 * the rendered folders mounted from this host.
 */
import { mapBounded } from '../../concurrency.js';
import { Nexus3Error } from '../../errors.js';
import type { Progress } from '../../progress.js';
import { SILENT } from '../../progress.js';
import type { InstanceKey } from '../../protocol/environment.js';
import { instanceKey } from '../../protocol/environment.js';
import type { Placement } from '../../protocol/redis-conf.js';
import type {
  InstanceRuntimeState,
  InstanceSpec,
  Runtime,
  RuntimeObservation,
  Scratch,
  ScratchPlacement,
  ScratchSpec,
} from '../runtime.js';
import { RUNTIME_CONCURRENCY_MAX } from '../runtime.js';
import { describeContainer } from './container-state.js';
import { createContainer, HTTP, inspectOwned, inspectSettled, removeContainer, stopContainer } from './containers.js';
import { userOf } from './container-user.js';
import type { ContainerUser } from './definition.js';
import { CONFIG_DIR, CONTAINER_PORT, containerDefinition, DATA_DIR, MODULE_PATH } from './definition.js';
import { Engine, refusedWith } from './engine.js';
import { ImagePuller } from './image.js';
import type { RequestLimits } from './limits.js';
import { REQUEST_LIMITS } from './limits.js';
import { followLogs, readLogs } from './logs.js';
import { connectNetwork, ensureNetwork, findNetwork } from './network.js';
import { SCRATCH_DIR, startScratchContainer } from './scratch.js';
import { startContainer } from './start.js';

/**
 * Of new data folders when nexus3 runs as root: a number that belongs to nobody on an ordinary system, so that a server
 * that is broken into owns its data and nothing else. (The port's number is easily recognised in `ls -l`.)
 */
const UNPRIVILEGED: ContainerUser = { uid: 6379, gid: 6379 };

export interface DockerRuntimeOptions {
  /** The network that `ensureNetwork` makes. */
  readonly network: string;
  /** `none`: no graph module, for benchmarks. */
  readonly module?: 'none' | undefined;
  /** Hears of downloads. */
  readonly progress?: Progress | undefined;
  /** `process.env` unless a test says otherwise. */
  readonly environment?: NodeJS.ProcessEnv | undefined;
  readonly limits?: RequestLimits | undefined;
}

interface Connected {
  readonly engine: Engine;
  readonly images: ImagePuller;
}

export class DockerRuntime implements Runtime {
  readonly name = 'docker';
  readonly #options: DockerRuntimeOptions;
  #connecting: Promise<Connected> | undefined;

  constructor(options: DockerRuntimeOptions) {
    this.#options = options;
  }

  /** A missing image is not a reason to refuse: it is downloaded when a container is made of it. */
  async ready(): Promise<void> {
    await this.#connect();
  }

  placement(spec: InstanceSpec): Placement {
    return {
      engineCommand: ['redis-server'],
      modulePath: this.#options.module === 'none' ? undefined : MODULE_PATH,
      configDir: CONFIG_DIR,
      dataDir: DATA_DIR,
      port: CONTAINER_PORT,
      // A name that has no address (IPv6 in most containers) is no reason not to start.
      bind: ['*', '-::*'],
      vaultAddress: { host: vaultNameOf(spec), port: CONTAINER_PORT },
    };
  }

  newFolderOwner(): ContainerUser | undefined {
    return process.getuid?.() === 0 ? UNPRIVILEGED : undefined;
  }

  /**
   * One inspect each, because a list says neither restart policy nor exit code; measured, 200 of them take 0.1 s, and a
   * list before them would only add to it.
   */
  async observe(specs: readonly InstanceSpec[]): Promise<RuntimeObservation> {
    const { engine } = await this.#connect();
    const names = [...new Set([this.#options.network, ...specs.map(({ network }) => network)])];
    const [networks, looks] = await Promise.all([
      mapBounded(names, RUNTIME_CONCURRENCY_MAX, async (name) => [name, await findNetwork(engine, name)] as const),
      mapBounded(specs, RUNTIME_CONCURRENCY_MAX, async (spec) => {
        const container = await inspectSettled(engine, spec);
        return { spec, container, user: container && (await userOf(engine, spec.dataDir)) };
      }),
    ]);
    const ids = new Map(networks);
    const instances = new Map<InstanceKey, InstanceRuntimeState>();
    for (const { spec, container, user } of looks) {
      if (container === undefined) continue;
      instances.set(
        instanceKey(spec.id),
        describeContainer(spec, container, { networkId: ids.get(spec.network), user }),
      );
    }
    return { network: ids.get(this.#options.network) === undefined ? 'missing' : 'present', instances };
  }

  async ensureNetwork(): Promise<void> {
    const { engine } = await this.#connect();
    await ensureNetwork(engine, this.#options.network);
  }

  async connectNetwork(spec: InstanceSpec): Promise<void> {
    const { engine } = await this.#connect();
    await connectNetwork(engine, spec);
  }

  /** @throws Nexus3Error IMAGE_MISSING, FOREIGN_INSTANCE */
  async create(spec: InstanceSpec): Promise<void> {
    const { engine, images } = await this.#connect();
    const user = await userOf(engine, spec.dataDir);
    if (user === undefined) {
      throw new Nexus3Error(
        'START_FAILED',
        `${spec.name} cannot be made: its data folder ${spec.dataDir} is not there.`,
        {
          evidence: [`no folder ${spec.dataDir}`],
          hint: `See: nexus3 check ${spec.id.env}`,
        },
      );
    }
    const definition = containerDefinition(spec, user);
    try {
      await createContainer(engine, spec, definition);
    } catch (error) {
      if (!refusedWith(error, HTTP.notFound)) throw error;
      await images.pull(spec.image);
      await createContainer(engine, spec, definition);
    }
  }

  async start(spec: InstanceSpec): Promise<void> {
    const { engine } = await this.#connect();
    await startContainer(engine, spec);
  }

  async stop(spec: InstanceSpec): Promise<void> {
    const { engine } = await this.#connect();
    const container = await inspectOwned(engine, spec);
    if (container !== undefined) await stopContainer(engine, spec, container);
  }

  async remove(spec: InstanceSpec): Promise<void> {
    const { engine } = await this.#connect();
    const container = await inspectOwned(engine, spec);
    if (container === undefined) return;
    await stopContainer(engine, spec, container);
    await removeContainer(engine, spec, container.Id);
  }

  async logs(spec: InstanceSpec, lines: number): Promise<readonly string[]> {
    const { engine } = await this.#connect();
    return readLogs(engine, spec, lines);
  }

  async followLogs(spec: InstanceSpec, onLine: (line: string) => void, signal: AbortSignal): Promise<void> {
    const { engine } = await this.#connect();
    await followLogs(engine, spec, onLine, signal);
  }

  scratchPlacement(): ScratchPlacement {
    return {
      engineCommand: ['redis-server'],
      modulePath: this.#options.module === 'none' ? undefined : MODULE_PATH,
      dir: SCRATCH_DIR,
    };
  }

  async startScratch(spec: ScratchSpec): Promise<Scratch> {
    const { engine, images } = await this.#connect();
    return startScratchContainer(engine, images, spec);
  }

  /** Idle connections are Node's own agent's, and keep no program from ending. */
  close(): Promise<void> {
    this.#connecting = undefined;
    return Promise.resolve();
  }

  /** Found once; a failure is not remembered. */
  async #connect(): Promise<Connected> {
    this.#connecting ??= this.#find();
    try {
      return await this.#connecting;
    } catch (error) {
      this.#connecting = undefined;
      throw error;
    }
  }

  async #find(): Promise<Connected> {
    const { environment = process.env, limits = REQUEST_LIMITS, progress = SILENT } = this.#options;
    const engine = await Engine.connect(environment, limits);
    return { engine, images: new ImagePuller(engine, progress) };
  }
}

/** `nexus3-track-operational` finds its vault as `nexus3-track-vault`. */
function vaultNameOf({ name, id }: InstanceSpec): string {
  return `${name.slice(0, name.length - id.role.length)}vault`;
}
