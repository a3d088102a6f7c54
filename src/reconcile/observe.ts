/** One look at everything, asked all at once and in parallel: the runtime, Locker, the folders, every server. */
import { mapBounded } from '../concurrency.js';
import type { ConfiguredEnvironment } from '../config/configuration.js';
import { Nexus3Error } from '../errors.js';
import type { Role } from '../protocol/environment.js';
import { instanceKey } from '../protocol/environment.js';
import type { Placement } from '../protocol/redis-conf.js';
import { runtimeDirectives } from '../protocol/redis-conf.js';
import type { Credentials } from '../protocol/users.js';
import { CONFIG_FILE } from '../protocol/layout.js';
import { compareUsers, CREDENTIAL_NAMES, makeCredentials } from '../protocol/users.js';
import { Secret } from '../protocol/secret.js';
import type { Locker, StoredCredentials } from '../locker/locker.js';
import type { InstanceView } from '../redis/observation.js';
import type { InstanceRuntimeState, InstanceSpec, RuntimeObservation } from '../runtime/runtime.js';
import type { RenderedFile } from './desired.js';
import { lookAtBackups } from './backup/look.js';
import { isLocker, neededCredentials, renderFiles, specOf, specsOf } from './desired.js';
import { instancesIn, serverOf } from './facts.js';
import { readFolders } from './folder.js';
import { isResetBegun } from './locker/reset-marker.js';
import { seeRestore } from './restore/journal.js';
import {
  currentOnly,
  oldPasswords,
  replicationBefore,
  rotationSeen,
  toleratedDifferences,
} from './rotate/under-way.js';
import type { EnvironmentFacts, InstanceFacts, LockerFacts } from './facts.js';
import type { World } from './world.js';

/** How many environments are asked at once, each with one connection to each of its instances. */
const ENVIRONMENT_CONCURRENCY_MAX = 64;
/** A server that was started this recently may not listen yet: it is asked again, so often, so far apart. */
const FRESH_MS = 5_000;
const FRESH_RETRIES_MAX = 8;
const FRESH_RETRY_MS = 250;
const LOG_LINES = 12;

export interface Observation {
  readonly environments: readonly EnvironmentFacts[];
  /** Why Locker could not be asked. */
  readonly lockerError: Nexus3Error | undefined;
}

export interface ObserveOptions {
  /** Make the root key when there is none yet. */
  readonly mayCreateRootKey?: boolean;
}

export async function observe(
  world: World,
  environments: readonly ConfiguredEnvironment[],
  options: ObserveOptions = {},
): Promise<Observation> {
  const specs = specsOf(world.configuration, environments);
  const [runtime, credentials] = await Promise.all([
    world.runtime.observe(specs),
    readCredentials(world, environments, options),
  ]);
  const facts = await mapBounded(environments, ENVIRONMENT_CONCURRENCY_MAX, async (environment) => {
    const [alone, backup] = await Promise.all([
      observeAsOfNow(world, environment, runtime, credentials.stored?.get(environment.name)),
      lookAtBackups(world, environment),
    ]);
    const seen = { ...alone, backup };
    if (isLocker(environment)) return { ...seen, locker: credentials.locker, resetting: isResetBegun(world) };
    return { ...seen, unreadable: credentials.unreadable.get(environment.name) };
  });
  return { environments: facts, lockerError: credentials.error };
}

/** A rotation may have gone on between Locker's answer and the servers'. */
async function observeAsOfNow(
  world: World,
  environment: ConfiguredEnvironment,
  runtime: RuntimeObservation,
  stored: KnownCredentials | undefined,
): Promise<EnvironmentFacts> {
  const seen = await observeEnvironment(world, environment, runtime, stored);
  if (stored === undefined || !hasOtherPasswords(seen)) return seen;
  const now = (await readCredentials(world, [environment], {})).stored?.get(environment.name);
  return now === undefined || isSameState(stored, now) ? seen : observeEnvironment(world, environment, runtime, now);
}

function hasOtherPasswords(facts: EnvironmentFacts): boolean {
  return instancesIn(facts).some(
    (instance) =>
      instance.folder.drifted.length > 0 ||
      instance.userDifferences.some(({ kind }) => kind === 'password') ||
      instance.view?.state === 'locked' ||
      serverOf(instance)?.masterauthMatches === false,
  );
}

function isSameState(a: KnownCredentials, b: KnownCredentials): boolean {
  const stateOf = ({ rotation, current }: KnownCredentials): string =>
    JSON.stringify([rotation, CREDENTIAL_NAMES.map((name) => current[name]?.reveal())]);
  return stateOf(a) === stateOf(b);
}

/** What Locker holds; undefined for all of them when it cannot be asked, except for Locker itself. */
async function readCredentials(
  world: World,
  environments: readonly ConfiguredEnvironment[],
  options: ObserveOptions,
): Promise<{
  readonly stored: ReadonlyMap<string, KnownCredentials | undefined> | undefined;
  readonly unreadable: ReadonlyMap<string, Nexus3Error>;
  readonly error: Nexus3Error | undefined;
  readonly locker?: LockerFacts;
}> {
  const stored = new Map<string, KnownCredentials | undefined>();
  const unreadable = new Map<string, Nexus3Error>();
  const locker = environments.find(isLocker);
  try {
    if (locker !== undefined) {
      await world.locker.ownCredentials(options.mayCreateRootKey === true);
      const rotation = await world.locker.ownRotation();
      const own = await world.locker.ownCredentials(false);
      stored.set(locker.name, { ...NOTHING_STORED, current: own, own, rotation });
    }
    const others = environments.filter((environment) => !isLocker(environment)).map(({ name }) => name);
    if (others.length === 0) {
      return {
        ...{ stored, unreadable, error: undefined },
        ...(locker === undefined ? {} : { locker: await aboutLocker(world, undefined) }),
      };
    }
    const store = await world.locker.open();
    const found = await store.readEach(others);
    for (const name of others) {
      const one = found.get(name) ?? NOTHING_STORED;
      if (one instanceof Nexus3Error) unreadable.set(name, one);
      else stored.set(name, one);
    }
    const about = locker === undefined ? {} : { locker: await aboutLocker(world, store) };
    return { stored, unreadable, error: undefined, ...about };
  } catch (error) {
    if (error instanceof Nexus3Error) return { stored, unreadable, error };
    throw error;
  }
}

/** What is only true of Locker. @param store that has just been read from; undefined: nobody else’s credentials are asked for */
async function aboutLocker(world: World, store: Locker | undefined): Promise<LockerFacts> {
  const { phase } = await world.locker.custody.rekey.state();
  return { rekeying: phase !== 'none', kit: store === undefined ? await askForKit(world) : store.kit };
}

/** Whether Locker can be asked is for its own findings to say. */
async function askForKit(world: World): Promise<LockerFacts['kit']> {
  try {
    const store = await world.locker.open();
    await store.read([]);
    return store.kit;
  } catch (error) {
    if (error instanceof Nexus3Error) return undefined;
    throw error;
  }
}

async function observeEnvironment(
  world: World,
  environment: ConfiguredEnvironment,
  runtime: RuntimeObservation,
  stored: KnownCredentials | undefined,
): Promise<EnvironmentFacts> {
  const missing =
    stored === undefined
      ? undefined
      : neededCredentials(environment).filter((name) => stored.current[name] === undefined);
  const look = (role: Role): Promise<InstanceFacts> =>
    observeInstance(world, environment, role, runtime, stored ?? NOTHING_STORED, missing?.length === 0);
  const [vault, operational] = await Promise.all([
    look('vault'),
    environment.kind === 'standard' ? look('operational') : undefined,
  ]);
  return {
    environment,
    runtimeName: world.runtime.name,
    restore: seeRestore(world.configuration.dataRoot, environment.name),
    network: runtime.network,
    missingCredentials: missing,
    rotation: rotationSeen(stored?.rotation, world.clock.now()),
    oldPasswords: oldPasswords(
      stored?.madeAt ?? {},
      neededCredentials(environment),
      world.configuration.rotation.maxAgeDays,
      world.clock.now(),
    ),
    vault,
    operational,
  };
}

async function observeInstance(
  world: World,
  environment: ConfiguredEnvironment,
  role: Role,
  runtime: RuntimeObservation,
  stored: KnownCredentials,
  complete: boolean,
): Promise<InstanceFacts> {
  const spec = specOf(world.configuration, environment, role);
  const placement = world.runtime.placement(spec, environment.vaultPort);
  const files = complete ? renderFiles(environment, role, placement, completed(stored)) : undefined;
  const tolerated = complete ? renderedBesides(environment, role, placement, stored) : [];
  const folder = readFolders(spec, files, tolerated);
  const { state, view } = await lookTwiceAtFresh(world, environment, spec, runtime, stored);
  const inForce = view?.state === 'open' ? view.server.users : [];
  return {
    id: spec.id,
    spec,
    placement,
    runtime: state,
    view,
    folder,
    userDifferences: toleratedDifferences(
      usersThatDiffer(files, inForce),
      usersThatDiffer(tolerated.length === 0 ? files : tolerated, inForce),
    ),
    log: isSuspect(state, view) ? await world.runtime.logs(spec, LOG_LINES) : [],
  };
}

function usersThatDiffer(
  files: readonly RenderedFile[] | undefined,
  inForce: readonly string[],
): ReturnType<typeof compareUsers> {
  const expected = files?.find(({ name }) => name === CONFIG_FILE.usersAcl)?.content.split('\n');
  return expected === undefined || inForce.length === 0 ? [] : compareUsers(expected, inForce);
}

/** What else the files may hold while a rotation, or a change of the root key, is under way. */
function renderedBesides(
  environment: ConfiguredEnvironment,
  role: Role,
  placement: Placement,
  stored: KnownCredentials,
): readonly RenderedFile[] {
  const credentials = completed(stored);
  if (stored.rotation === undefined && credentials.alsoAccepted === undefined) return [];
  const before = replicationBefore(credentials, stored.rotation);
  const current = currentOnly(credentials);
  const ofBefore =
    before === undefined ? [] : renderFiles(environment, role, placement, { ...current, replicator: before });
  return [
    ...renderFiles(environment, role, placement, current),
    ...ofBefore.filter(({ name }) => name === CONFIG_FILE.redisConf),
  ];
}

/** As stored in Locker; of Locker itself, what is derived from the root key. */
type KnownCredentials = StoredCredentials & { readonly own?: Credentials };

export const NOTHING_STORED: StoredCredentials = { current: {}, alsoAccepted: {}, rotation: undefined, madeAt: {} };

/** All five names present: those that an environment does not need are never rendered. */
export function completed({ current, alsoAccepted, own }: KnownCredentials): Credentials {
  if (own !== undefined) return own;
  const unused = new Secret('');
  const five = makeCredentials((name) => current[name] ?? unused);
  return Object.keys(alsoAccepted).length === 0 ? five : { ...five, alsoAccepted };
}

/**
 * One that was started a moment ago may not listen yet, or its start script may be about to refuse. Docker starts such a
 * one again and again: what it ended with says more than that nothing answers, so that is looked at again, too.
 */
async function lookTwiceAtFresh(
  world: World,
  environment: ConfiguredEnvironment,
  spec: InstanceSpec,
  runtime: RuntimeObservation,
  stored: KnownCredentials,
): Promise<Pick<InstanceFacts, 'view'> & { readonly state: InstanceRuntimeState | undefined }> {
  let state = runtime.instances.get(instanceKey(spec.id));
  for (let retry = 0; ; retry += 1) {
    const view = await probeInstance(world, environment, spec.id.role, state, stored);
    const settled = view?.state !== 'unreachable' || !isFresh(world, state);
    if (settled || retry >= FRESH_RETRIES_MAX) return { state, view };
    await world.clock.sleep(FRESH_RETRY_MS);
    state = (await world.runtime.observe([spec])).instances.get(instanceKey(spec.id));
  }
}

async function probeInstance(
  world: World,
  environment: ConfiguredEnvironment,
  role: Role,
  state: InstanceRuntimeState | undefined,
  stored: KnownCredentials,
): Promise<InstanceView | undefined> {
  if (state?.state === 'paused') return { state: 'unreachable', cause: 'timeout', detail: 'it is paused' };
  if (state === undefined || (state.state !== 'running' && state.state !== 'starting')) return undefined;
  if (state.address === undefined)
    return { state: 'unreachable', cause: 'refused', detail: 'its port is not published' };
  const { current } = stored;
  const isReplica = role === 'operational';
  return world.servers.probe({
    address: state.address,
    // A stranger is never told a password.
    adminPassword: state.owned ? current[role === 'vault' ? 'admin' : 'operational-admin'] : undefined,
    directives: runtimeDirectives(role, environment.settings).map(({ name }) => name),
    masterauth: isReplica ? current.replicator : undefined,
    alsoMasterauth: isReplica ? replicationBefore(completed(stored), stored.rotation) : undefined,
  });
}

function isFresh(world: World, state: InstanceRuntimeState | undefined): boolean {
  if (state?.startedAt === undefined || state.address === undefined || state.state === 'paused') return false;
  return world.clock.now().getTime() - Date.parse(state.startedAt) < FRESH_MS;
}

/** Worth the cost of reading its log. */
function isSuspect(state: InstanceRuntimeState | undefined, view: InstanceView | undefined): boolean {
  if (state === undefined || !state.owned) return false;
  if (state.state !== 'running' || state.restartCount > 0) return state.state !== 'stopped';
  return view?.state === 'open' && view.server.replica?.link === 'down';
}
