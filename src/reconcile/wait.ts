/** Bounded waits: for a server that has been started, for an operational that catches up. */
import type { ConfiguredEnvironment } from '../config/configuration.js';
import { Nexus3Error } from '../errors.js';
import type { Role } from '../protocol/environment.js';
import { instanceKey } from '../protocol/environment.js';
import { ENGINE_EXIT, HELD_EXIT } from '../protocol/start-script.js';
import type { Progress } from '../progress.js';
import type { InstanceView } from '../redis/observation.js';
import { credentialsOf, hostAddress } from './access.js';
import { isLocker, specOf } from './desired.js';
import type { World } from './world.js';

/** A server must answer within this after a start; loading its data counts as an answer. */
export const ANSWER_WAIT_MS = 20_000;
/** An operational must be linked within this after nothing was left to load, and a load may take this long. */
const LINK_WAIT_MS = 60_000;
export const LOAD_WAIT_MS = 1_800_000;
/** Asked again after a fiftieth of the time waited so far: at once where little is waited for, seldom where much is. */
const POLL_SHARE = 0.02;
const POLL_MS_MIN = 50;
const POLL_MS_MAX = 100;
/** A wait longer than this is said. */
const NOTE_AFTER_MS = 3_000;

/** How long until it is asked again, in milliseconds. Pure. */
export function pauseAfter(waitedMs: number): number {
  return Math.min(POLL_MS_MAX, Math.max(POLL_MS_MIN, waitedMs * POLL_SHARE));
}

/**
 * Returns as soon as the server answers, also -LOADING or NOAUTH, or its start script has refused.
 * @returns the exit code of that refusal; undefined for a server that answers.
 */
export async function waitForServer(
  world: World,
  environment: ConfiguredEnvironment,
  role: Role,
): Promise<number | undefined> {
  const spec = specOf(world.configuration, environment, role);
  const startedAt = world.clock.now().getTime();
  for (;;) {
    const view = await probeAnonymously(world, environment, role);
    if (view.state !== 'unreachable') return undefined;
    const state = (await world.runtime.observe([spec])).instances.get(instanceKey(spec.id));
    if (state?.exitCode === HELD_EXIT || state?.exitCode === ENGINE_EXIT) return state.exitCode;
    const waitedMs = world.clock.now().getTime() - startedAt;
    if (waitedMs >= ANSWER_WAIT_MS) {
      throw new Nexus3Error('START_FAILED', `${instanceKey(spec.id)} was started but does not answer.`, {
        evidence: [view.detail, ...(await world.runtime.logs(spec, 5))],
        hint: `Look at its log: nexus3 logs ${environment.name} --${role}`,
      });
    }
    await world.clock.sleep(pauseAfter(waitedMs));
  }
}

/** Until a server that was started has loaded its data. @throws NOT_PROVEN */
export async function untilLoaded(world: World, environment: ConfiguredEnvironment, role: Role): Promise<void> {
  const credentials = await credentialsOf(world, environment);
  const startedAt = world.clock.now().getTime();
  for (;;) {
    const view = await probe(world, environment, role, credentials[role === 'vault' ? 'admin' : 'operational-admin']);
    if (view.state === 'open') return;
    const waitedMs = world.clock.now().getTime() - startedAt;
    if (view.state !== 'loading' || waitedMs >= LOAD_WAIT_MS) {
      throw new Nexus3Error('NOT_PROVEN', `The ${role} of ${environment.name} did not come up.`, {
        evidence: [`its state: ${view.state}`, ...('detail' in view ? [view.detail] : [])],
        hint: `Look at its log: nexus3 logs ${environment.name} --${role}`,
      });
    }
    await world.clock.sleep(pauseAfter(waitedMs));
  }
}

/** Until the operational is linked, synchronised and within the lag bound. */
export async function waitForLink(world: World, environment: ConfiguredEnvironment, progress: Progress): Promise<void> {
  const credentials = await credentialsOf(world, environment);
  const startedAt = world.clock.now().getTime();
  let giveUpAt = startedAt + LINK_WAIT_MS;
  let answeredAt = startedAt;
  let noted = false;
  for (;;) {
    const [vault, operational] = await Promise.all([
      probe(world, environment, 'vault', credentials.admin),
      probe(world, environment, 'operational', credentials['operational-admin']),
    ]);
    if (isCaughtUp(environment, vault, operational)) return;
    const now = world.clock.now().getTime();
    if (isLoading(vault) || isLoading(operational)) {
      giveUpAt = Math.min(startedAt + LOAD_WAIT_MS, now + LINK_WAIT_MS);
      if (!noted && now - startedAt > NOTE_AFTER_MS) progress.note(`${environment.name}: all data are being loaded`);
      noted = now - startedAt > NOTE_AFTER_MS;
    }
    // What does not even answer will not come up by waiting: `check` says what it is. Once is nothing, on a busy host.
    if (vault.state !== 'unreachable' && operational.state !== 'unreachable') answeredAt = now;
    if (now >= giveUpAt || now - answeredAt > ANSWER_WAIT_MS) {
      throw notCaughtUp(environment, vault, operational);
    }
    await world.clock.sleep(pauseAfter(now - startedAt));
  }
}

function isCaughtUp(environment: ConfiguredEnvironment, vault: InstanceView, operational: InstanceView): boolean {
  if (vault.state !== 'open' || operational.state !== 'open') return false;
  const replica = operational.server.replica;
  if (replica === undefined || replica.link !== 'up' || replica.syncing) return false;
  return vault.server.offset - replica.offset <= environment.settings.lagBytesMax;
}

function isLoading(view: InstanceView): boolean {
  return view.state === 'loading' || (view.state === 'open' && view.server.replica?.syncing === true);
}

function notCaughtUp(environment: ConfiguredEnvironment, vault: InstanceView, operational: InstanceView): Nexus3Error {
  const link = operational.state === 'open' ? (operational.server.replica?.link ?? 'none') : 'unknown';
  return new Nexus3Error('NOT_PROVEN', `The operational of ${environment.name} did not catch up with its vault.`, {
    evidence: [
      `vault: ${vault.state}${whyNot(vault)}`,
      `operational: ${operational.state}${whyNot(operational)}, link ${link}`,
    ],
    hint: `See what is wrong: nexus3 check ${environment.name}`,
  });
}

function whyNot(view: InstanceView): string {
  return view.state === 'unreachable' || view.state === 'locked' ? ` (${view.detail})` : '';
}

async function probe(
  world: World,
  environment: ConfiguredEnvironment,
  role: Role,
  adminPassword: Parameters<World['servers']['probe']>[0]['adminPassword'],
): Promise<InstanceView> {
  const address = hostAddress(specOf(world.configuration, environment, role));
  return world.servers.probe({ address, adminPassword, directives: [], masterauth: undefined });
}

async function probeAnonymously(world: World, environment: ConfiguredEnvironment, role: Role): Promise<InstanceView> {
  return probe(world, environment, role, undefined);
}

/** The protocol's own test, over the route a client takes. @throws NOT_PROVEN, REDIS_UNREACHABLE */
export async function proveWriteAndRead(world: World, environment: ConfiguredEnvironment): Promise<number> {
  const credentials = await credentialsOf(world, environment);
  const vault = hostAddress(specOf(world.configuration, environment, 'vault'));
  const operational =
    environment.kind === 'standard' && !isLocker(environment)
      ? hostAddress(specOf(world.configuration, environment, 'operational'))
      : undefined;
  return world.servers.writeAndRead(vault, credentials.default, operational);
}
