/** `create NAME`: the protocol's checklist for a new environment, each step done and measured. */
import { Nexus3Error } from '../errors.js';
import type { Environment, EnvironmentKind } from '../protocol/environment.js';
import { instancesOf, isEnvironmentName, portOf } from '../protocol/environment.js';
import { fitsPortRange, nextVaultPort, PORT_MAX, PORT_MIN } from '../protocol/ports.js';
import type { Progress } from '../progress.js';
import { bookkeepOrSay } from './check.js';
import { isLocker } from './desired.js';
import { refuseUnfinishedReset } from './locker/reset-marker.js';
import type { LoopResult } from './loop.js';
import { repair } from './loop.js';
import { refuseWhileLockerIsRestored } from './restore/refuse.js';
import { UP_LICENCE } from './up.js';
import { proveWriteAndRead } from './wait.js';
import type { World } from './world.js';

export interface CreateOptions {
  readonly name: string;
  readonly secure: boolean;
  /** Undefined: the next free pair. */
  readonly vaultPort?: number | undefined;
}

export interface CreateReport {
  readonly name: string;
  readonly kind: EnvironmentKind;
  readonly vaultPort: number;
  readonly operationalPort: number | null;
  /** Where it was written down. */
  readonly configFile: string;
  readonly steps: readonly { readonly text: string; readonly ms: number }[];
}

export async function create(world: World, options: CreateOptions, progress: Progress): Promise<CreateReport> {
  refuseBadName(options.name);
  await world.runtime.ready();
  await using _lock = await world.locks.acquire(`create ${options.name}`, (holder) => {
    progress.note(`waiting for ${holder}`);
  });
  await refuseUnfinishedReset(world);
  refuseWhileLockerIsRestored(world.configuration.dataRoot);
  const steps = new Steps(world, progress);
  const existing = world.configuration.environments.find(({ name }) => name === options.name);
  const environment = existing ?? (await chooseEnvironment(world, options));
  if (existing !== undefined) refuseOtherShape(existing, options);
  steps.done(`ports ${portsOf(environment)}`);
  const grown = existing === undefined ? await world.addEnvironment(environment) : world;
  if (existing === undefined) steps.done(`written to ${grown.configuration.file ?? 'nexus3.yaml'}`);
  const environments = grown.configuration.environments.filter((one) => one.name === options.name || isLocker(one));
  const result = await repair(grown, environments, { licence: UP_LICENCE, mayCreateRootKey: true }, steps);
  await bookkeepOrSay(result.after, steps);
  refuseUnhealthy(result, options.name);
  if (existing !== undefined && result.done.length === 0) throw alreadyThere(existing);
  const [configured] = environments.filter(({ name }) => name === options.name);
  if (configured === undefined) throw new Error(`${options.name} is not in the configuration that it was added to`);
  const ms = await proveWriteAndRead(grown, configured);
  const route = environment.kind === 'standard' ? 'written on the vault, read on the operational' : 'written and read';
  steps.done(`${route} in ${ms.toFixed(1)} ms`);
  return {
    name: environment.name,
    kind: environment.kind,
    vaultPort: environment.vaultPort,
    operationalPort: environment.kind === 'standard' ? portOf(environment, 'operational') : null,
    configFile: grown.configuration.file ?? '',
    steps: steps.taken,
  };
}

/** Times each step, and passes it on. */
class Steps implements Progress {
  readonly taken: { readonly text: string; readonly ms: number }[] = [];
  #since: number;

  constructor(
    private readonly world: World,
    private readonly progress: Progress,
  ) {
    this.#since = world.clock.now().getTime();
  }

  step(text: string): void {
    this.progress.step(text);
  }

  done(text: string): void {
    const now = this.world.clock.now().getTime();
    this.taken.push({ text, ms: now - this.#since });
    this.#since = now;
    this.progress.done(text);
  }

  note(text: string): void {
    this.progress.note(text);
  }
}

/** @throws Nexus3Error NAME_INVALID */
export function refuseBadName(name: string): void {
  if (isEnvironmentName(name)) return;
  const shown = name.length > 40 ? `${name.slice(0, 40)}…` : name;
  throw new Nexus3Error('NAME_INVALID', `${JSON.stringify(shown)} cannot be the name of an environment.`, {
    hint: 'Begin with a lower-case letter, then up to 30 of a–z, 0–9 and hyphens, for example: nexus3 create notes',
  });
}

function portsOf(environment: Environment): string {
  return instancesOf(environment)
    .map(({ role }) => String(portOf(environment, role)))
    .join('/');
}

/** @throws Nexus3Error PORT_INVALID, PORT_TAKEN */
export async function chooseEnvironment(world: World, options: CreateOptions): Promise<Environment> {
  const kind: EnvironmentKind = options.secure ? 'secure' : 'standard';
  const shape = (vaultPort: number): Environment => ({ name: options.name, kind, vaultPort });
  if (options.vaultPort !== undefined) {
    const wanted = shape(options.vaultPort);
    if (!fitsPortRange(wanted)) throw outOfRange(options.vaultPort, kind);
    const holder = await strangerOn(world, wanted);
    if (holder !== undefined) throw holder;
    return wanted;
  }
  const taken = new Set<number>();
  for (;;) {
    const port = nextVaultPort(world.configuration.environments, taken);
    if (port === undefined) throw noneFree();
    const candidate = shape(port);
    if ((await strangerOn(world, candidate)) === undefined) return candidate;
    taken.add(port);
  }
}

/** Why a port of the pair cannot be had: something that is not of this configuration listens there. */
async function strangerOn(world: World, environment: Environment): Promise<Nexus3Error | undefined> {
  const known = new Set(
    world.configuration.environments.flatMap((one) => instancesOf(one).map(({ role }) => portOf(one, role))),
  );
  for (const { role } of instancesOf(environment)) {
    const port = portOf(environment, role);
    // What the configuration itself holds is said by its own check, with the name of the neighbour.
    const holder = known.has(port) ? undefined : await world.portHolder(port);
    if (holder !== undefined) {
      const who = holder.command === undefined ? 'another process' : `${holder.command}, process ${String(holder.pid)}`;
      return new Nexus3Error('PORT_TAKEN', `Port ${String(port)} is taken by ${who}.`, {
        hint: 'Choose another with --vault-port, or leave it out: nexus3 then takes the next free pair.',
      });
    }
  }
  return undefined;
}

function outOfRange(port: number, kind: EnvironmentKind): Nexus3Error {
  const last = kind === 'standard' ? PORT_MAX - 1 : PORT_MAX;
  return new Nexus3Error('PORT_INVALID', `${String(port)} cannot be the vault's port.`, {
    hint: `Choose one from ${String(PORT_MIN)} to ${String(last)}; the operational takes the next one.`,
  });
}

function noneFree(): Nexus3Error {
  return new Nexus3Error('PORT_TAKEN', 'Every pair of ports from 6600/6601 to 6990/6991 is taken.', {
    hint: 'Name a vault port yourself: nexus3 create NAME --vault-port N',
  });
}

/** Run again after a kill, `create` goes on with what is there; anything else of that name is refused. */
function refuseOtherShape(existing: Environment, options: CreateOptions): void {
  const kind: EnvironmentKind = options.secure ? 'secure' : 'standard';
  const samePort = options.vaultPort === undefined || options.vaultPort === existing.vaultPort;
  if (existing.kind !== kind || !samePort) throw alreadyThere(existing);
}

function alreadyThere(existing: Environment): Nexus3Error {
  return new Nexus3Error('ENVIRONMENT_EXISTS', `There is an environment ${existing.name} already.`, {
    evidence: [`${existing.kind}, on ${portsOf(existing)}`],
    hint: `Look at it: nexus3 status ${existing.name}`,
  });
}

function refuseUnhealthy({ after, failures }: LoopResult, name: string): void {
  const [failure] = failures;
  if (failure !== undefined) throw failure.error;
  if (after.lockerError !== undefined) throw after.lockerError;
  const left = after.diagnosed
    .flatMap(({ diagnoses }) => diagnoses)
    .filter(({ finding }) => finding.env === name && finding.severity === 'error');
  if (left.length === 0) return;
  throw new Nexus3Error('NOT_PROVEN', `${name} was created but is not healthy.`, {
    evidence: left.map(({ finding }) => `${finding.code} (${finding.instance}): ${finding.message}`),
    hint: `See: nexus3 check ${name}`,
  });
}
