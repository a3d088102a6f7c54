/**
 * `restore --all`: everything that nexus3.yaml names, each from its newest backup: Locker first, because everybody's
 * passwords are in it, then the rest side by side. For a new machine that has only the repository, nexus3.yaml and the
 * root key.
 */
import { mapBounded } from '../../concurrency.js';
import { Nexus3Error } from '../../errors.js';
import type { ConfiguredEnvironment } from '../../config/configuration.js';
import type { Progress } from '../../progress.js';
import { isLocker } from '../desired.js';
import type { EnvironmentFacts } from '../facts.js';
import { look, repair } from '../loop.js';
import { UP_LICENCE } from '../up.js';
import type { World } from '../world.js';
import { readJournal, seeRestore } from './journal.js';
import { restoreOne, wayOf } from './one.js';
import { openedOf } from './opened.js';
import type { PlannedRestore } from './plan.js';
import { beforeWarnings, planBefore, planBegin, planFailed, planResumed, planSkipped } from './plan.js';
import type { RestoredEnvironment } from './report.js';
import { errorFields, NOTHING_DONE, warnedLast } from './report.js';
import { historyFolder, isPullNeeded, planUnknown, pull, sourceFor } from './request.js';
import { beginRun, endRun, restoredBefore } from './run.js';
import type { RestoreSource } from './source.js';
import { sourceOf } from './source.js';
import { Steps } from './steps.js';

/** How many environments are restored at once: each loads its data, and is bound by disk and memory. */
const CONCURRENCY_MAX = 4;
const NEWEST = { id: undefined, at: undefined } as const;
const ASKED = { by: 'all', abort: false, source: undefined } as const;
const NO_BACKUP = 'There is no backup of it.';

/** What can be said before Locker is back: what each would be restored from. */
export async function planAll(world: World): Promise<readonly PlannedRestore[]> {
  await world.locker.ownCredentials(false);
  const { diagnosed } = await look(world, world.configuration.environments);
  const planned = await Promise.all(diagnosed.map(({ facts }) => planOrSay(world, facts)));
  if (planned.some(({ way, source }) => way !== 'fail' && (way !== 'skip' || source !== null))) return planned;
  const failed = planned.find(({ error }) => error !== undefined)?.error;
  if (failed !== undefined) throw failed;
  // Nothing at all: the repository says where it looked.
  await world.backups.read(world.configuration.environments[0]?.name ?? '', undefined);
  return planned;
}

/** One that will fail does not stop the others. */
async function planOrSay(world: World, facts: EnvironmentFacts): Promise<PlannedRestore> {
  try {
    return await planOne(world, facts);
  } catch (error) {
    if (!(error instanceof Nexus3Error)) throw error;
    return planFailed(facts.environment.name, error);
  }
}

async function planOne(world: World, facts: EnvironmentFacts): Promise<PlannedRestore> {
  const { environment } = facts;
  const { name } = environment;
  const journal = readJournal(world.configuration.dataRoot, name);
  const way = wayOf(name, journal, ASKED, await openedOf(world, environment, journal));
  if (journal !== undefined && way !== 'begin') return planResumed(name, journal.source, way);
  const before = await restoredBefore(world, environment, () => newestOf(world, name));
  if (before !== undefined) return planBefore(facts, before);
  if (await isPullNeeded(world, name, NEWEST)) return planUnknown(world, name, name);
  if ((await world.backups.list(name)).length === 0) return planSkipped(name, NO_BACKUP);
  const chosen = await sourceFor(world, name, NEWEST, undefined);
  const planned = planBegin({ environment, facts, from: name, chosen });
  const { target } = world.backups;
  if (target === undefined) return planned;
  const first = `fetch from ${target.repository} what is not here, where that can be reached; what is newer is restored instead`;
  return { ...planned, steps: [first, ...planned.steps] };
}

export async function restoreAll(world: World, progress: Progress): Promise<readonly RestoredEnvironment[]> {
  const environments = world.configuration.environments;
  const notFetched = await pullOrSay(world, environments, progress);
  await beginRun(world, await namesToRestore(world, notFetched));
  const done: RestoredEnvironment[] = [];
  for (const locker of environments.filter(isLocker)) {
    const restored = await restoreOrSay(world, locker, notFetched, progress);
    done.push(restored);
    if (restored.outcome === 'skipped' && restored.source === null) await bringUp(world, locker, progress);
  }
  const others = environments.filter((one) => !isLocker(one));
  done.push(...(await mapBounded(others, CONCURRENCY_MAX, (one) => restoreOrSay(world, one, notFetched, progress))));
  return done.every(({ error }) => error === null) ? warnedLast(done, await endRun(world)) : done;
}

/** Also those that may be found to have a backup once the target, or the repository, can be read. */
async function namesToRestore(world: World, notFetched: Nexus3Error | undefined): Promise<readonly string[]> {
  const { dataRoot, environments } = world.configuration;
  const names: string[] = [];
  for (const { name } of environments) {
    const isToDo =
      notFetched !== undefined || seeRestore(dataRoot, name) !== undefined || (await mayHaveBackups(world, name));
    if (isToDo) names.push(name);
  }
  return names;
}

async function mayHaveBackups(world: World, env: string): Promise<boolean> {
  try {
    return (await world.backups.list(env)).length > 0;
  } catch (error) {
    if (!(error instanceof Nexus3Error)) throw error;
    return true;
  }
}

/** On this machine there may be less, or older, than there is: the target is always asked. What is here is restored without it. */
async function pullOrSay(
  world: World,
  environments: readonly ConfiguredEnvironment[],
  progress: Progress,
): Promise<Nexus3Error | undefined> {
  // What is under way is finished from what lies here.
  const beginning = environments.filter(({ name }) => seeRestore(world.configuration.dataRoot, name) === undefined);
  try {
    await pull(
      world,
      beginning.map(({ name }) => name),
      progress,
    );
    return undefined;
  } catch (error) {
    if (!(error instanceof Nexus3Error)) throw error;
    progress.note(`${error.message} What is here is restored.`);
    return error;
  }
}

/** One that fails does not stop the others. @param notFetched why there may be less here than at the target */
async function restoreOrSay(
  world: World,
  environment: ConfiguredEnvironment,
  notFetched: Nexus3Error | undefined,
  progress: Progress,
): Promise<RestoredEnvironment> {
  const { name } = environment;
  const steps = new Steps(progress, `${name}: `);
  const startedAt = world.clock.now().getTime();
  const nothing = { ...NOTHING_DONE, env: name, from: name, source: null, steps: steps.taken };
  const tookMs = (): number => world.clock.now().getTime() - startedAt;
  try {
    const isUnderWay = readJournal(world.configuration.dataRoot, name) !== undefined;
    const before = isUnderWay ? undefined : await restoredBefore(world, environment, () => newestOf(world, name));
    if (before !== undefined) {
      // The machine may have been started anew since.
      const facts = await bringUp(world, environment, steps);
      const warnings = beforeWarnings(facts, before);
      return { ...nothing, source: before.source, outcome: 'skipped', warnings, durationMs: tookMs() };
    }
    if (!isUnderWay && notFetched !== undefined && (await isPullNeeded(world, name, NEWEST))) throw notFetched;
    if (!isUnderWay && (await world.backups.list(name)).length === 0) {
      return { ...nothing, outcome: 'skipped', warnings: [NO_BACKUP] };
    }
    const historyOf = historyFolder(world, name);
    const choose = async () => ({ from: name, chosen: await sourceFor(world, name, NEWEST, historyOf), historyOf });
    const outcome = await restoreOne(world, environment, { asked: ASKED, choose }, steps);
    const warnings = [...outcome.warnings, ...(isUnderWay ? [] : olderThanThere(world, notFetched))];
    return { ...nothing, ...outcome, warnings, durationMs: tookMs() };
  } catch (error) {
    if (!(error instanceof Nexus3Error)) throw error;
    steps.note(error.message);
    return { ...nothing, outcome: 'failed', warnings: [], durationMs: tookMs(), error: errorFields(error) };
  }
}

/** Undefined: there is none here. */
async function newestOf(world: World, env: string): Promise<RestoreSource | undefined> {
  if ((await isPullNeeded(world, env, NEWEST)) || (await world.backups.list(env)).length === 0) return undefined;
  return sourceOf(env, await sourceFor(world, env, NEWEST, undefined));
}

function olderThanThere({ backups }: World, notFetched: Nexus3Error | undefined): readonly string[] {
  if (notFetched === undefined || backups.target === undefined) return [];
  return [`${backups.target.repository} may have a newer backup; it could not be fetched: ${notFetched.message}`];
}

/** Of a Locker without a backup, the environments' passwords are made anew. */
async function bringUp(
  world: World,
  environment: ConfiguredEnvironment,
  progress: Progress,
): Promise<EnvironmentFacts> {
  const { failures, after } = await repair(world, [environment], { licence: UP_LICENCE }, progress);
  const [failure] = failures;
  if (failure !== undefined) throw failure.error;
  if (after.lockerError !== undefined) throw after.lockerError;
  const [item] = after.diagnosed;
  if (item === undefined) throw new Error(`no facts of ${environment.name}`);
  return item.facts;
}
