/**
 * A scratch server as a container: without a network, without a port, reached through the socket in its folder. Its
 * standard input is attached to this process alone, and Docker closes it when this process is gone; see scratch-watch.ts.
 */
import type { ContainerCreateOptions } from 'dockerode';
import { Nexus3Error } from '../../errors.js';
import type { Scratch, ScratchSpec } from '../runtime.js';
import { SCRATCH_FILE } from '../runtime.js';
import { wayToSocket } from '../scratch-socket.js';
import { watchCommand } from '../scratch-watch.js';
import { userOf } from './container-user.js';
import { HTTP, inspectContainer } from './containers.js';
import type { ContainerUser } from './definition.js';
import { formatUser, LOG_LIMITS, TMPFS_OPTIONS } from './definition.js';
import type { Engine } from './engine.js';
import { refusalOf, refusedWith } from './engine.js';
import type { ImagePuller } from './image.js';
import { readLogs } from './logs.js';

/** Where the folder is mounted. */
export const SCRATCH_DIR = '/scratch';
/** The name once more: without it a container is foreign. Never INSTANCE_LABEL, so it is taken for no instance. */
export const SCRATCH_LABEL = 'nexus3.scratch';
/** Of a container that somebody has taken away: as if it had been killed. */
const KILLED_EXIT = 137;

/** @throws Nexus3Error START_FAILED, IMAGE_MISSING, FOREIGN_INSTANCE */
export async function startScratchContainer(engine: Engine, images: ImagePuller, spec: ScratchSpec): Promise<Scratch> {
  await removeLeftover(engine, spec);
  const user = await userOf(engine, spec.dir);
  if (user === undefined) throw startFailed(spec, `there is no folder ${spec.dir}`);
  await create(engine, images, definitionOf(spec, user));
  try {
    const attached = await attach(engine, spec);
    await start(engine, spec);
    const way = await wayToSocket(spec.dir);
    return {
      socket: way.path,
      exitCode: () => exitCodeOf(engine, spec),
      logs: (lines) => readLogs(engine, spec, lines),
      async [Symbol.asyncDispose]() {
        await way[Symbol.asyncDispose]();
        attached.end();
        await remove(engine, spec);
      },
    };
  } catch (error) {
    await remove(engine, spec).catch(() => undefined);
    throw error;
  }
}

function definitionOf(spec: ScratchSpec, user: ContainerUser): ContainerCreateOptions {
  return {
    name: spec.name,
    Image: spec.image,
    Entrypoint: [...watchCommand(spec.name, `${SCRATCH_DIR}/${SCRATCH_FILE.start}`)],
    Cmd: [],
    User: formatUser(user),
    Labels: { [SCRATCH_LABEL]: spec.name },
    AttachStdin: true,
    OpenStdin: true,
    StdinOnce: true,
    Healthcheck: { Test: ['NONE'] },
    HostConfig: {
      NetworkMode: 'none',
      Mounts: [{ Type: 'bind', Source: spec.dir, Target: SCRATCH_DIR }],
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges'],
      ReadonlyRootfs: true,
      Tmpfs: { '/tmp': TMPFS_OPTIONS },
      LogConfig: LOG_LIMITS,
    },
  };
}

async function create(engine: Engine, images: ImagePuller, definition: ContainerCreateOptions): Promise<void> {
  const once = async (): Promise<void> => {
    await engine.ask(`create ${String(definition.name)}`, engine.limits.changeMs, (docker, abortSignal) =>
      docker.createContainer({ ...definition, abortSignal }),
    );
  };
  try {
    await once();
  } catch (error) {
    if (!refusedWith(error, HTTP.notFound)) throw error;
    await images.pull(String(definition.Image));
    await once();
  }
}

/** Before the start, so that there is no moment in which nobody holds the other end. */
async function attach(engine: Engine, { name }: ScratchSpec): Promise<NodeJS.ReadWriteStream> {
  const stream = await engine.ask(`attach to ${name}`, engine.limits.changeMs, (docker, abortSignal) =>
    docker.getContainer(name).attach({ stream: true, stdin: true, hijack: true, abortSignal }),
  );
  // Its end is seen by the container, and by whoever asks for the exit code.
  stream.on('error', () => undefined);
  return stream;
}

async function start(engine: Engine, spec: ScratchSpec): Promise<void> {
  try {
    await engine.ask(`start ${spec.name}`, engine.limits.startMs, (docker, abortSignal) =>
      docker.getContainer(spec.name).start({ abortSignal }),
    );
  } catch (error) {
    const refusal = refusalOf(error);
    throw refusal === undefined ? error : startFailed(spec, refusal.message);
  }
}

async function exitCodeOf(engine: Engine, spec: ScratchSpec): Promise<number | undefined> {
  const container = await inspectContainer(engine, spec);
  if (container === undefined) return KILLED_EXIT;
  return ['exited', 'dead'].includes(container.State.Status) ? container.State.ExitCode : undefined;
}

/** @throws Nexus3Error FOREIGN_INSTANCE */
async function removeLeftover(engine: Engine, spec: ScratchSpec): Promise<void> {
  const container = await inspectContainer(engine, spec);
  if (container === undefined) return;
  if (container.Config.Labels[SCRATCH_LABEL] !== spec.name) {
    throw new Nexus3Error(
      'FOREIGN_INSTANCE',
      `nexus3 did not make the container ${spec.name}, so it leaves it alone.`,
      {
        evidence: [`it has no label ${SCRATCH_LABEL}`],
        hint: 'Rename it or take it away yourself, then run the command again.',
      },
    );
  }
  await remove(engine, spec);
}

async function remove(engine: Engine, { name }: ScratchSpec): Promise<void> {
  try {
    await engine.ask(`remove ${name}`, engine.limits.stopMs, (docker, abortSignal) =>
      docker.getContainer(name).remove({ v: true, force: true, abortSignal }),
    );
  } catch (error) {
    // Gone, or somebody else is at it.
    if (!refusedWith(error, HTTP.notFound, HTTP.conflict)) throw error;
  }
}

function startFailed({ name }: ScratchSpec, why: string): Nexus3Error {
  return new Nexus3Error('START_FAILED', `The scratch server ${name} was not started.`, {
    evidence: [why],
    hint: 'Put right what Docker complains about, then run the command again.',
  });
}
