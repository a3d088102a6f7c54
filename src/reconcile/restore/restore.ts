/** `restore`: one environment, one beside it, or all; previewed, and then done under the locks. */
import { Nexus3Error } from '../../errors.js';
import type { ConfiguredEnvironment } from '../../config/configuration.js';
import type { Progress } from '../../progress.js';
import { selectEnvironments } from '../desired.js';
import { refuseUnfinishedReset } from '../locker/reset-marker.js';
import type { World } from '../world.js';
import { planAll, restoreAll } from './all.js';
import { holdRepository } from './hold-repository.js';
import { planInto, restoreInto } from './into.js';
import { readJournal } from './journal.js';
import type { Seen } from './one.js';
import { admit, factsOf, restoreOne, wayOf } from './one.js';
import { openedOf } from './opened.js';
import type { PlannedRestore } from './plan.js';
import { planBegin, planIdOf, planResumed } from './plan.js';
import type { RestoredEnvironment, RestoreOptions, RestoreReport } from './report.js';
import { plannedReport, restoredReport, warnedLast } from './report.js';
import { askedOf, historyFolder, isPullNeeded, planUnknown, pull, sourceFor } from './request.js';
import { endRunIfDone } from './run.js';
import { Steps } from './steps.js';

export interface RestorePlan {
  readonly id: string;
  readonly planned: readonly PlannedRestore[];
}

/** Nothing is changed. @throws what `restore` would refuse */
export async function previewRestore(world: World, options: RestoreOptions): Promise<RestorePlan> {
  refuseContradictions(options);
  await selected(world, options);
  await world.runtime.ready();
  const { planned } = await planOf(world, options);
  return { id: planIdOf(planned), planned };
}

/** The same as a report. */
export async function dryRunRestore(world: World, options: RestoreOptions): Promise<RestoreReport> {
  const startedAt = world.clock.now().getTime();
  const { id, planned } = await previewRestore(world, options);
  return plannedReport(id, planned, world.clock.now().getTime() - startedAt);
}

/**
 * @param planId what was agreed to: that, or nothing
 * @throws Nexus3Error RESTORE_FAILED, PLAN_CHANGED, and what kept it from beginning; of several, each has its own error
 */
export async function restore(
  world: World,
  options: RestoreOptions & { readonly planId?: string | undefined },
  progress: Progress,
): Promise<RestoreReport> {
  refuseContradictions(options);
  await selected(world, options);
  await world.runtime.ready();
  const command = `restore ${options.env ?? '--all'}`;
  const onWait = (holder: string): void => progress.note(`waiting for ${holder}`);
  await using _dataRoot = await world.locks.acquire(command, onWait);
  await refuseUnfinishedReset(world);
  // To put the old data back, no repository need be there.
  await using repository = options.abort ? undefined : await holdRepository(world, command, progress);
  const startedAt = world.clock.now().getTime();
  const { planned, seen } = await planOf(world, options);
  const id = planIdOf(planned);
  if (options.planId !== undefined && options.planId !== id) throw planChanged(options.planId, id);
  const environments =
    options.env === undefined
      ? await restoreAll(world, progress)
      : [await restoreNamed(world, options.env, options, seen, progress)];
  const notEnded = options.env === undefined || options.abort ? [] : await endRunIfDone(world);
  const warned = warnedLast(environments, notEnded).map((one) => ({
    ...one,
    warnings: [...(repository?.warnings ?? []), ...one.warnings],
  }));
  return restoredReport(id, warned, world.clock.now().getTime() - startedAt);
}

interface Planned {
  readonly planned: readonly PlannedRestore[];
  /** Of the one environment that is to begin. */
  readonly seen?: Seen | undefined;
}

async function planOf(world: World, options: RestoreOptions): Promise<Planned> {
  if (options.env === undefined) return { planned: await planAll(world) };
  if (options.into !== undefined) {
    return { planned: [await planInto(world, { from: options.env, into: options.into }, options)] };
  }
  const [environment] = selectEnvironments(world.configuration, [options.env]);
  if (environment === undefined) throw new Error(`no environment ${options.env}`);
  return planNamed(world, environment, options);
}

async function planNamed(world: World, environment: ConfiguredEnvironment, options: RestoreOptions): Promise<Planned> {
  const { name } = environment;
  const journal = readJournal(world.configuration.dataRoot, name);
  const way = wayOf(name, journal, askedOf(name, options), await openedOf(world, environment, journal));
  if (journal !== undefined && way !== 'begin') return { planned: [planResumed(name, journal.source, way)] };
  const facts = await factsOf(world, environment);
  admit(facts);
  if (await isPullNeeded(world, name, options)) return { planned: [planUnknown(world, name, name)] };
  const historyOf = historyFolder(world, name);
  const chosen = await sourceFor(world, name, options, historyOf);
  const planned = planBegin({ environment, facts, from: name, chosen });
  return { planned: [planned], seen: { facts, options: { from: name, chosen, historyOf } } };
}

async function restoreNamed(
  world: World,
  env: string,
  options: RestoreOptions,
  seen: Seen | undefined,
  progress: Progress,
): Promise<RestoredEnvironment> {
  if (options.into !== undefined) return restoreInto(world, { from: env, into: options.into }, options, progress);
  const [environment] = selectEnvironments(world.configuration, [env]);
  if (environment === undefined) throw new Error(`no environment ${env}`);
  const steps = new Steps(progress);
  const startedAt = world.clock.now().getTime();
  const historyOf = historyFolder(world, env);
  const outcome = await restoreOne(
    world,
    environment,
    {
      asked: askedOf(env, options),
      seen,
      choose: async () => {
        if (await isPullNeeded(world, env, options)) await pull(world, [env], steps);
        return { from: env, chosen: await sourceFor(world, env, options, historyOf), historyOf };
      },
    },
    steps,
  );
  return {
    env,
    from: outcome.source.env,
    ...outcome,
    steps: steps.taken,
    durationMs: world.clock.now().getTime() - startedAt,
    error: null,
  };
}

/** A mistake in a name is told before an engine is looked for. */
async function selected(world: World, { env, into }: RestoreOptions): Promise<void> {
  if (env === undefined) return;
  const isKnown = world.configuration.environments.some(({ name }) => name === env);
  // One that was removed may still be restored beside.
  if (!isKnown && into !== undefined && (await world.backups.environments()).includes(env)) return;
  selectEnvironments(world.configuration, [env]);
}

/** @throws Nexus3Error USAGE */
function refuseContradictions({ env, id, at, into, vaultPort, abort }: RestoreOptions): void {
  const usage = (message: string, hint: string): Nexus3Error => new Nexus3Error('USAGE', message, { hint });
  const chooses = id !== undefined || at !== undefined;
  if (id !== undefined && at !== undefined) {
    throw usage('--id and --at name two different things.', 'Give one of them.');
  }
  if (env === undefined && (chooses || into !== undefined || abort)) {
    throw usage('--all restores the newest backup of every environment.', 'Name one environment for that option.');
  }
  if (vaultPort !== undefined && into === undefined) {
    throw usage('--vault-port is for a new environment.', 'Name that, too: --into NAME');
  }
  if (abort && (chooses || into !== undefined)) {
    throw usage('--abort puts the old data back; it restores nothing.', 'Leave the other options out.');
  }
}

function planChanged(agreed: string, now: string): Nexus3Error {
  return new Nexus3Error('PLAN_CHANGED', `The plan is no longer ${agreed}; nothing was done.`, {
    evidence: [`now it is ${now}`],
    hint: 'Look at what would be done now: nexus3 restore … --dry-run',
  });
}
