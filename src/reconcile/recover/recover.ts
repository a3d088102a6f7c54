/** `recover ENV`: what may be done about an operational or a vault that is beyond repair, and in which order. */
import { Nexus3Error } from '../../errors.js';
import type { Role } from '../../protocol/environment.js';
import type { Progress } from '../../progress.js';
import { hasAside } from '../vault-data/aside.js';
import { isLocker, selectEnvironments } from '../desired.js';
import type { EnvironmentFacts, InstanceFacts } from '../facts.js';
import { differsIn, guardOf, hasData, instancesIn, isFenced, isForeign, isHeld, servesPastGuard } from '../facts.js';
import { look } from '../loop.js';
import { acceptLoss } from './accept-loss.js';
import { recoverOperational } from './operational.js';
import { endJournal } from '../restore/journal.js';
import type { Recovered } from './recovered.js';
import { finishVaultRecovery, recoverVault } from './vault.js';
import type { World } from '../world.js';

export interface RecoverOptions {
  readonly env: string;
  /** Rebuild the vault from its operational; otherwise the operational is refilled from its vault. */
  readonly vault: boolean;
  /** Take what the vault's folder holds now, older or empty, as the truth. */
  readonly acceptLoss: boolean;
  /** The kind that a preview named and somebody agreed to: that, or nothing. */
  readonly agreed?: string | undefined;
}

export interface RecoverReport {
  readonly env: string;
  readonly instance: Role;
  /** What it holds now, as counted at the end. */
  readonly keys: number;
  readonly graphs: number;
  readonly steps: readonly string[];
  /** What was moved aside and is still there. */
  readonly keptAside: string | null;
  readonly durationMs: number;
}

export interface RecoverPreview {
  readonly kind: RecoveryKind;
  readonly steps: readonly string[];
  readonly warnings: readonly string[];
}

export type RecoveryKind = 'operational' | 'vault' | 'finish-vault' | 'accept-loss';

const STEPS: Readonly<Record<RecoveryKind, readonly string[]>> = {
  operational: [
    'stop the operational',
    'move its data aside',
    'start it empty, and let it refill from its vault',
    'count keys and graphs on both',
    'discard what was moved aside',
  ],
  vault: [
    'stop the vault',
    'take a snapshot on the operational, which goes on answering reads',
    'build the vault’s data from it, beside what the vault holds',
    'move what the vault holds aside, and put the new data in its place',
    'start the vault fenced: no replica may attach yet',
    'count keys and graphs on both',
    'lift the fence, and wait until the operational follows',
    'write on the vault, read on the operational',
  ],
  'finish-vault': ['count keys and graphs on both', 'discard what an earlier recovery moved aside'],
  'accept-loss': [
    'stop the operational and the vault',
    'move the operational’s data aside, where they are kept',
    'take what the vault’s folder holds now as the truth',
    'start both, and let the operational refill',
  ],
};

const RUN: Readonly<
  Record<RecoveryKind, (world: World, facts: EnvironmentFacts, progress: Progress) => Promise<Recovered>>
> = {
  operational: recoverOperational,
  vault: recoverVault,
  'finish-vault': finishVaultRecovery,
  'accept-loss': acceptLoss,
};

/** @throws RECOVER_REFUSED where it is not needed, or would destroy the last copy. */
export async function previewRecover(world: World, options: RecoverOptions): Promise<RecoverPreview> {
  // A mistake in the name is told before an engine is looked for.
  selectEnvironments(world.configuration, [options.env]);
  await world.runtime.ready();
  const facts = await factsOf(world, options.env);
  const kind = admit(facts, options, await hasAside(world, options.env, 'vault'));
  const warnings =
    kind === 'accept-loss'
      ? [`What the vault of ${options.env} held beyond what is in its folder now is given up.`]
      : [];
  return { kind, steps: STEPS[kind], warnings };
}

export async function recover(world: World, options: RecoverOptions, progress: Progress): Promise<RecoverReport> {
  selectEnvironments(world.configuration, [options.env]);
  await world.runtime.ready();
  await using _lock = await world.locks.acquire(`recover ${options.env}`, (holder) => {
    progress.note(`waiting for ${holder}`);
  });
  const startedAt = world.clock.now().getTime();
  const facts = await factsOf(world, options.env);
  const kind = admit(facts, options, await hasAside(world, options.env, 'vault'));
  if (options.agreed !== undefined && options.agreed !== kind) throw planChanged(options.env, kind);
  if (facts.restore !== undefined) await endJournal(world.configuration.dataRoot, options.env);
  const steps: string[] = [];
  const recording: Progress = {
    ...progress,
    step: (text) => {
      progress.step(text);
    },
    note: (text) => {
      progress.note(text);
    },
    done: (text) => {
      steps.push(text);
      progress.done(text);
    },
  };
  const recovered = await RUN[kind](world, facts, recording);
  return {
    env: options.env,
    instance: kind === 'operational' ? 'operational' : 'vault',
    ...recovered,
    steps,
    durationMs: world.clock.now().getTime() - startedAt,
  };
}

function planChanged(env: string, kind: RecoveryKind): Nexus3Error {
  return new Nexus3Error('PLAN_CHANGED', `Another recovery of ${env} is needed now; nothing was done.`, {
    evidence: [`now it is: ${STEPS[kind].join('; ')}`],
    hint: `See: nexus3 check ${env}`,
  });
}

async function factsOf(world: World, env: string): Promise<EnvironmentFacts> {
  const environments = selectEnvironments(world.configuration, [env]);
  const { diagnosed, lockerError } = await look(world, environments);
  const [item] = diagnosed;
  if (item === undefined) throw new Error(`no facts of ${env}`);
  // Locker itself is recovered without asking it.
  if (lockerError !== undefined && !isLocker(item.facts.environment)) throw lockerError;
  if (item.facts.unreadable !== undefined) throw item.facts.unreadable;
  return item.facts;
}

/**
 * Decides which recovery this is, and refuses the ones that are not safe or not needed.
 * @param unfinished an earlier recovery of the vault has left something aside.
 */
export function admit(facts: EnvironmentFacts, options: RecoverOptions, unfinished: boolean): RecoveryKind {
  const { name } = facts.environment;
  const foreign = instancesIn(facts).find(isForeign);
  if (foreign !== undefined) {
    throw new Nexus3Error('FOREIGN_INSTANCE', `${foreign.spec.name} was not made by nexus3, so it is left alone.`, {
      hint: 'Remove that container by hand first; keep its data.',
    });
  }
  // Proven by it and lost since: what it had left to do, a recovery does too.
  const isLostSince = facts.restore?.phase === 'opening' && isHeld(facts) && options.vault;
  if (facts.restore !== undefined && !isLostSince) {
    throw refused(
      `A restore of the vault of ${name} was cut off, so two copies of its data lie here.`,
      `Finish that first: nexus3 restore ${name}`,
    );
  }
  if (options.vault) return admitVault(facts, options, unfinished);
  if (facts.operational === undefined) {
    throw refused(
      `${name} is a Secure Environment: it has no operational.`,
      `For its vault: nexus3 recover ${name} --vault`,
    );
  }
  if (isFenced(facts)) {
    throw refused(
      `A recovery of the vault of ${name} was cut off, so its operational may be the last copy.`,
      `Finish that first: nexus3 recover ${name} --vault`,
    );
  }
  if (!servesPastGuard(facts)) {
    throw refused(
      `The vault of ${name} does not serve, so its operational may be the last copy.`,
      `Bring the vault up first (nexus3 up ${name}), or rebuild it: nexus3 recover ${name} --vault`,
      facts,
    );
  }
  return 'operational';
}

function admitVault(facts: EnvironmentFacts, options: RecoverOptions, unfinished: boolean): RecoveryKind {
  const { name } = facts.environment;
  if (!isHeld(facts) && !isFenced(facts)) {
    if (unfinished && servesPastGuard(facts) && facts.operational !== undefined) return 'finish-vault';
    throw refused(
      `The vault of ${name} is not held by the last-copy guard: what it holds stays.`,
      `Where it does not run: nexus3 up ${name}`,
      facts,
    );
  }
  if (options.acceptLoss) return 'accept-loss';
  if (facts.operational === undefined || !hasData(facts.operational)) {
    throw refused(
      `There is no operational of ${name} with data to rebuild the vault from.`,
      `Put the vault's data back; or accept what its folder holds now: nexus3 recover ${name} --vault --accept-loss`,
      facts,
    );
  }
  if (differsIn(facts.operational, 'mount')) {
    throw refused(
      `The operational of ${name} keeps its data in another folder, so its snapshot cannot be taken.`,
      `See: nexus3 check ${name}`,
      facts,
    );
  }
  return 'vault';
}

function refused(message: string, hint: string, facts?: EnvironmentFacts): Nexus3Error {
  const verdict = facts === undefined ? undefined : guardOf(facts);
  return new Nexus3Error('RECOVER_REFUSED', message, {
    evidence: [
      ...(verdict?.state === 'held' ? [verdict.detail] : []),
      ...(facts === undefined ? [] : [`the vault: ${asSeen(facts.vault)}`]),
    ],
    hint,
  });
}

/** In a line: what the runtime says, and what it says itself. */
function asSeen({ runtime, view }: InstanceFacts): string {
  if (runtime === undefined || view === undefined) return runtime?.state ?? 'it is not there';
  if (view.state === 'open') return `${runtime.state}, answers as a ${view.server.role}`;
  return [runtime.state, view.state, ...('detail' in view ? [view.detail] : [])].join(', ');
}
