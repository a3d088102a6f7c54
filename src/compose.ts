/**
 * The composition root: the one place that knows every adapter and joins them to the ports that the operations use.
 * Adapters are loaded when they are first needed, because loading the Docker client takes longer than most commands.
 */
import { join } from 'node:path';
import { openBackups } from './backup/stored-backups.js';
import type { Configuration } from './config/configuration.js';
import { addEnvironment, removeEnvironment } from './config/edit.js';
import type { Overrides } from './config/load.js';
import { loadConfiguration } from './config/load.js';
import { didYouMean } from './config/suggest.js';
import type { Surroundings } from './config/locate.js';
import { processSurroundings } from './config/locate.js';
import { Nexus3Error } from './errors.js';
import { clearHalfWrittenIn } from './files.js';
import { lock, tryLock } from './lock.js';
import { LockerAccess } from './locker/access.js';
import type { LockerEnvironments } from './locker/lockers/environment-keys.js';
import { rootKeyPath } from './locker/root-key-file.js';
import type { Progress } from './progress.js';
import { instanceKey, LOCKER_NAME } from './protocol/environment.js';
import { CONFIG_FILE, layoutOf } from './protocol/layout.js';
import type { Secret } from './protocol/secret.js';
import { hostAddress } from './reconcile/access.js';
import { isLocker, neededCredentials, specOf } from './reconcile/desired.js';
import { readFolders, readRenderedUsers } from './reconcile/folder.js';
import { refuseWhileLockerIsRestored, whyLockerIsFenced } from './reconcile/restore/refuse.js';
import type { Clock, Locks, Servers, World } from './reconcile/world.js';
import { acceptsPassword, openAdmin } from './redis/admin.js';
import { probeInstance } from './redis/probe.js';
import type { TextConnection } from './redis/text-connection.js';
import { openTextConnection } from './redis/text-connection.js';
import { streamSnapshot } from './redis/snapshot.js';
import { writeAndRead } from './redis/write-read.js';
import { describePortHolder, findPortHolder } from './runtime/port-holder.js';
import type { InstanceSpec, Runtime } from './runtime/runtime.js';

export { openSession } from './redis/session.js';
export { explainEngines } from './runtime/process/engine/find-engine.js';
export { fetchPrivateEngine } from './runtime/process/engine/fetch-private-engine.js';

/**
 * The world that `check`, `up` and `down` work on, from nexus3.yaml or the built-in registry. Neither the runtime nor Locker
 * is asked anything yet; dispose of it at the end (`await using`).
 * @param surroundings current folder and environment variables; by default the process's own
 * @throws Nexus3Error CONFIG_NOT_FOUND, CONFIG_INVALID, USAGE
 */
export async function compose(
  overrides: Overrides,
  progress: Progress,
  surroundings: Surroundings = processSurroundings(),
): Promise<World> {
  const configuration = await loadConfiguration(overrides, surroundings);
  const runtime = await runtimeOf(configuration, progress, surroundings);
  const parts = { runtime, surroundings, locker: lockerOf(configuration, surroundings, runtime, progress) };
  return worldOf(configuration, parts);
}

interface Parts {
  readonly runtime: Runtime;
  readonly surroundings: Surroundings;
  readonly locker: LockerAccess;
}

function worldOf(configuration: Configuration, parts: Parts): World {
  const { runtime, surroundings, locker } = parts;
  return {
    configuration,
    runtime,
    servers: SERVERS,
    locker: {
      // Data that an older root key has sealed would be lost behind a new one.
      ownCredentials: (mayCreate) => locker.ownCredentials(mayCreate && !lockerHasData(configuration)),
      ownRotation: () => locker.ownRotation(),
      rotateOwn: (step) => locker.rotateOwn(step),
      open: () => locker.open(),
      getCredential: (env, name) => locker.getCredential(env, name),
      note: (note) => locker.note(note),
      audit: () => locker.audit(),
      tokens: () => locker.tokens(),
      lockers: () => locker.lockers({ environments: lockerEnvironments(configuration), suggest: didYouMean }),
      custody: locker.custody,
    },
    locks: locksOf(configuration),
    backups: openBackups(configuration.backup, {
      secrets: () => locker.backupSecrets(),
      now: () => CLOCK.now(),
      variables: surroundings.env,
    }),
    clock: CLOCK,
    portHolder: (port) => Promise.resolve(findPortHolder(port)),
    addEnvironment: async (environment) =>
      worldOf(await addEnvironment(configuration, environment, surroundings), parts),
    removeEnvironment: async (name) => worldOf(await removeEnvironment(configuration, name, surroundings), parts),
    async [Symbol.asyncDispose]() {
      await Promise.all([locker.close(), runtime.close()]);
    },
  };
}

async function runtimeOf(
  configuration: Configuration,
  progress: Progress,
  surroundings: Surroundings,
): Promise<Runtime> {
  const { engine, module } = configuration;
  if (configuration.runtime === 'process') {
    const { ProcessRuntime } = await import('./runtime/process/process-runtime.js');
    return new ProcessRuntime({ engine, module, env: surroundings.env });
  }
  const { DockerRuntime } = await import('./runtime/docker/docker-runtime.js');
  return new DockerRuntime({
    network: configuration.network,
    module: module === 'none' ? 'none' : undefined,
    progress,
    environment: surroundings.env,
  });
}

function lockerOf(
  configuration: Configuration,
  surroundings: Surroundings,
  runtime: Runtime,
  progress: Progress,
): LockerAccess {
  return new LockerAccess({
    rootKeyPath: rootKeyPath({ variables: surroundings.env, configurationFile: configuration.file }),
    connect: (password, user = 'default') => connectLocker(lockerSpec(configuration), runtime, { user, password }),
    renderedUsers: () => (lockerHasData(configuration) ? readRenderedUsers(lockerSpec(configuration)) : undefined),
    auditEntriesMax: configuration.audit.entriesMax,
    beforeChange: () => {
      refuseWhileLockerIsRestored(configuration.dataRoot);
    },
    whyFenced: () => whyLockerIsFenced(configuration.dataRoot),
    warn: (text) => progress.note(text),
    tokensFile: join(lockerSpec(configuration).configDir, CONFIG_FILE.tokens),
  });
}

interface Login {
  readonly user: string;
  readonly password: Secret;
}

/** Locker's password opens everything: only an instance of ours is told it, never whoever else listens on that port. */
async function connectLocker(spec: InstanceSpec, runtime: Runtime, credential: Login): Promise<TextConnection> {
  const state = (await runtime.observe([spec])).instances.get(instanceKey(spec.id));
  if (state?.owned !== true || (state.state !== 'running' && state.state !== 'starting')) {
    const found = state === undefined ? 'missing' : state.owned ? state.state : 'not made by nexus3';
    const holder = findPortHolder(spec.port, spec.bind);
    const stranger = holder === undefined ? '' : `, and ${describePortHolder(holder)}`;
    throw new Nexus3Error('REDIS_UNREACHABLE', `Locker does not run: it is ${found}${stranger}`, {
      hint: 'nexus3 up locker',
    });
  }
  return openTextConnection(hostAddress(spec), credential);
}

function lockerEnvironment(configuration: Configuration): Configuration['environments'][number] {
  const environment = configuration.environments.find(({ name }) => name === LOCKER_NAME);
  if (environment === undefined) throw new Error('every configuration holds locker');
  return environment;
}

/** Whose passwords Locker keeps: its own are derived. */
function lockerEnvironments({ environments }: Configuration): LockerEnvironments {
  const others = environments.filter((environment) => !isLocker(environment));
  return { needed: new Map(others.map((environment) => [environment.name, neededCredentials(environment)])) };
}

function lockerSpec(configuration: Configuration): InstanceSpec {
  return specOf(configuration, lockerEnvironment(configuration), 'vault');
}

function lockerHasData(configuration: Configuration): boolean {
  return readFolders(lockerSpec(configuration), undefined).hasData;
}

const SERVERS: Servers = {
  probe: probeInstance,
  admin: openAdmin,
  accepts: acceptsPassword,
  writeAndRead,
  snapshot: streamSnapshot,
};

const CLOCK: Clock = {
  now: () => new Date(),
  sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
};

function locksOf({ dataRoot, environments }: Configuration): Locks {
  const folders = environments.flatMap(({ name }) => {
    const { root, config, data } = layoutOf(dataRoot, name);
    return [...Object.values(config), ...Object.values(data), join(root, 'run')];
  });
  return {
    acquire: async (command, onWait) => {
      const held = await lock(dataRoot, command, onWait);
      try {
        await clearHalfWrittenIn(folders);
        return held;
      } catch (error) {
        await held[Symbol.asyncDispose]();
        throw error;
      }
    },
    tryAcquire: (command) => tryLock(dataRoot, command),
  };
}
