/** One action, done. Each can be cut off at any instant and done again. */
import type { ConfiguredEnvironment } from '../config/configuration.js';
import { Nexus3Error } from '../errors.js';
import type { InstanceId } from '../protocol/environment.js';
import { canRead } from '../protocol/engine-record.js';
import { instanceKey } from '../protocol/environment.js';
import { HELD_EXIT } from '../protocol/start-script.js';
import type { CredentialName } from '../protocol/users.js';
import type { Progress } from '../progress.js';
import type { InstanceSpec } from '../runtime/runtime.js';
import { adminOf, credentialsOf, openLocker } from './access.js';
import type { Action } from './action.js';
import { isLocker, selectEnvironments, specOf } from './desired.js';
import type { EnvironmentFacts } from './facts.js';
import { guardOf, isHeld, serverOf, servesPastGuard } from './facts.js';
import { readFolders } from './folder.js';
import { observe } from './observe.js';
import { renderInstance } from './render.js';
import { replaceNow } from './rotate/replace-now.js';
import { waitForLink, waitForServer } from './wait.js';
import type { World } from './world.js';

/** Of the log, as evidence. */
const REFUSAL_LINES = 3;

export async function perform(world: World, action: Action, progress: Progress): Promise<void> {
  switch (action.kind) {
    case 'create-network':
      return world.runtime.ensureNetwork();
    case 'generate-credentials':
      return generate(world, action.env, action.names);
    case 'rotate-credential':
      return replaceNow(world, environmentNamed(world, action.env), action.name, progress);
    default:
      return performOn(world, action, progress);
  }
}

type InstanceAction = Extract<Action, { readonly on: InstanceId }>;

async function performOn(world: World, action: InstanceAction, progress: Progress): Promise<void> {
  const environment = environmentNamed(world, action.on.env);
  const spec = specOf(world.configuration, environment, action.on.role);
  switch (action.kind) {
    case 'connect-network':
      return world.runtime.connectNetwork(spec);
    case 'render':
      return render(world, environment, spec);
    case 'create':
      return world.runtime.create(spec);
    case 'start':
      return start(world, environment, spec);
    case 'restart':
      await world.runtime.stop(spec);
      return start(world, environment, spec);
    case 'recreate':
      return recreate(world, environment, spec);
    case 'promote-vault':
      return promote(world, environment);
    case 'attach':
      return attach(world, environment);
    case 'wait-for-link':
      return waitForLink(world, environment, progress);
    case 'load-users':
    case 'set-config':
      return changeRunning(world, environment, action);
  }
}

function environmentNamed(world: World, name: string): ConfiguredEnvironment {
  const [environment] = selectEnvironments(world.configuration, [name]);
  if (environment === undefined) throw new Error(`no environment ${name}`);
  return environment;
}

async function generate(world: World, env: string, names: readonly CredentialName[]): Promise<void> {
  await (await openLocker(world)).generate(env, names, world.clock.now());
}

/** Rendering gives a vault without data the permission to start empty: not while its operational has any. */
async function render(world: World, environment: ConfiguredEnvironment, spec: InstanceSpec): Promise<void> {
  const credentials = await credentialsOf(world, environment);
  if (spec.id.role === 'vault' && environment.kind === 'standard') {
    const { mark, vault } = readFolders(spec, undefined);
    if (mark === undefined && vault.aof === undefined) {
      const facts = await factsNow(world, environment);
      if (isHeld(facts)) throw lastCopy(facts);
    }
  }
  await renderInstance(world, environment, spec, credentials);
}

/** @throws LAST_COPY, START_FAILED where the start script refused: what comes after would wait for it in vain. */
async function start(world: World, environment: ConfiguredEnvironment, spec: InstanceSpec): Promise<void> {
  const refusal = await startedOnceMore(world, environment, spec);
  if (refusal === undefined) return;
  const held = refusal === HELD_EXIT;
  throw new Nexus3Error(held ? 'LAST_COPY' : 'START_FAILED', `${instanceKey(spec.id)} refused to start.`, {
    evidence: (await world.runtime.logs(spec, REFUSAL_LINES)).slice(-REFUSAL_LINES),
    hint: `See: nexus3 check ${spec.id.env}`,
  });
}

/**
 * One that does not answer is ended and started once more: in about one start of a thousand the graph module waits for itself
 * for good as it loads its first graph (seen, FalkorDB 4.16.3: Globals_AddGraph). What only loads loses nothing.
 */
async function startedOnceMore(
  world: World,
  environment: ConfiguredEnvironment,
  spec: InstanceSpec,
): Promise<number | undefined> {
  await world.runtime.start(spec);
  try {
    return await waitForServer(world, environment, spec.id.role);
  } catch (error) {
    if (!(error instanceof Nexus3Error) || error.code !== 'START_FAILED') throw error;
    await world.runtime.stop(spec);
    await world.runtime.start(spec);
    return await waitForServer(world, environment, spec.id.role);
  }
}

/** A vault's container is made again only when its data are known to lie in the folder that the new one gets. */
async function recreate(world: World, environment: ConfiguredEnvironment, spec: InstanceSpec): Promise<void> {
  if (spec.id.role === 'vault') {
    const state = [...(await world.runtime.observe([spec])).instances.values()][0];
    const image = state?.differences.find(({ aspect }) => aspect === 'image');
    if (image !== undefined) {
      throw new Nexus3Error('LAST_COPY', `The vault of ${spec.id.env} would be made again on another image.`, {
        evidence: [`expected: ${image.expected}`, `actual: ${image.actual}`],
        hint: `See: nexus3 check ${spec.id.env}`,
      });
    }
    const mount = state?.differences.find(({ aspect }) => aspect === 'mount');
    if (mount !== undefined) {
      throw new Nexus3Error('LAST_COPY', `The vault of ${spec.id.env} keeps its data in ${mount.actual}.`, {
        evidence: [`expected: ${mount.expected}`],
        hint: 'Move the data there first, or set dataRoot in nexus3.yaml to where they are.',
      });
    }
  }
  await world.runtime.remove(spec);
  await world.runtime.create(spec);
  await start(world, environment, spec);
}

async function changeRunning(
  world: World,
  environment: ConfiguredEnvironment,
  action: Extract<InstanceAction, { readonly kind: 'load-users' | 'set-config' }>,
): Promise<void> {
  const credentials = await credentialsOf(world, environment);
  await using admin = await adminOf(world, environment, action.on.role, credentials);
  if (action.kind === 'load-users') await admin.loadUsers();
  else await admin.setConfig(action.name, action.value);
}

/** What is true now, not what was true when the plan was made. */
async function factsNow(world: World, environment: ConfiguredEnvironment): Promise<EnvironmentFacts> {
  const { environments, lockerError } = await observe(world, [environment]);
  const [facts] = environments;
  if (facts === undefined || (lockerError !== undefined && !isLocker(environment))) {
    throw lockerError ?? new Error(`no facts of ${environment.name}`);
  }
  if (facts.unreadable !== undefined) throw facts.unreadable;
  return facts;
}

async function promote(world: World, environment: ConfiguredEnvironment): Promise<void> {
  const facts = await factsNow(world, environment);
  if (isHeld(facts)) throw lastCopy(facts);
  await using admin = await adminOf(world, environment, 'vault', await credentialsOf(world, environment));
  await admin.replicaOfNoOne();
}

/** Past the last-copy guard only: what is attached is made the same as its vault. */
async function attach(world: World, environment: ConfiguredEnvironment): Promise<void> {
  const facts = await factsNow(world, environment);
  if (!servesPastGuard(facts)) throw lastCopy(facts);
  const vault = serverOf(facts.vault)?.engine;
  const operational = serverOf(facts.operational)?.engine;
  if (vault === undefined || operational === undefined || !canRead(operational, vault)) {
    throw new Nexus3Error('NOT_PROVEN', `The operational of ${environment.name} cannot be attached.`, {
      evidence: [
        operational === undefined ? 'the operational cannot be asked' : 'its engine cannot read its vault’s data',
      ],
      hint: `See: nexus3 check ${environment.name}`,
    });
  }
  const credentials = await credentialsOf(world, environment);
  await using admin = await adminOf(world, environment, 'operational', credentials);
  await admin.setConfig('masteruser', 'replicator');
  await admin.setConfig('masterauth', credentials.replicator.reveal());
  const spec = specOf(world.configuration, environment, 'operational');
  await admin.replicaOf(world.runtime.placement(spec, environment.vaultPort).vaultAddress);
}

export function lastCopy(facts: EnvironmentFacts): Nexus3Error {
  const { name } = facts.environment;
  const verdict = guardOf(facts);
  return new Nexus3Error('LAST_COPY', `The vault of ${name} does not serve past the last-copy guard.`, {
    evidence: [verdict.state === 'held' ? verdict.detail : `its state: ${facts.vault.view?.state ?? 'not running'}`],
    hint: `See: nexus3 check ${name}; to rebuild it from its operational: nexus3 recover ${name} --vault`,
  });
}
