/** `check` and `status`: every finding of every environment; with `fix`, what may be repaired is repaired and proven. */
import { Nexus3Error } from '../errors.js';
import type { ConfiguredEnvironment } from '../config/configuration.js';
import type { Progress } from '../progress.js';
import { bookkeep, needsBookkeeping } from './bookkeep.js';
import { selectEnvironments } from './desired.js';
import type { Look } from './loop.js';
import { look, repair } from './loop.js';
import { planRepairs } from './plan.js';
import type { Report } from './report.js';
import { reportOf } from './summary.js';
import type { World } from './world.js';

/** What `check` looks at, and whether it may change anything. */
export interface CheckOptions {
  /** Names; empty: all. */
  readonly envs: readonly string[];
  /** Repair what may be repaired. */
  readonly fix: boolean;
  /** Only say what `fix` would do: the report's `plan`. Nothing is changed, whatever `fix` says. */
  readonly dryRun: boolean;
  /** Of `fix`: do the plan of this id, or nothing (PLAN_CHANGED). Undefined: what is found. */
  readonly plan?: string | undefined;
  /** Reserved for the comparison of data; has no effect yet. */
  readonly deep: boolean;
  /** Of `fix`: ends it between two actions. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * One look at everything; with `fix`, then the repairs, and a look that proves them. What cannot be repaired, and a Locker
 * that cannot be asked, is in the report and is not thrown. Without `fix` it changes nothing but its own notes beside the
 * data: the last-copy mark, and which engine wrote them.
 * @throws Nexus3Error ENVIRONMENT_UNKNOWN; ENGINE_NOT_FOUND or DOCKER_UNREACHABLE; with `fix` also LOCK_HELD after 120 s of
 * waiting, and PLAN_CHANGED
 */
export async function check(world: World, options: CheckOptions, progress: Progress): Promise<Report> {
  const environments = selectEnvironments(world.configuration, options.envs);
  await world.runtime.ready();
  if (options.fix && !options.dryRun) return fix(world, environments, options, progress);
  const checkedAt = world.clock.now();
  const after = await look(world, environments);
  if (!options.dryRun) await bookkeepIfFree(world, after, progress);
  const durationMs = world.clock.now().getTime() - checkedAt.getTime();
  const plan = options.dryRun ? { plan: planRepairs(after.diagnosed) } : {};
  return reportOf({ after, checkedAt, durationMs, ...plan });
}

async function fix(
  world: World,
  environments: readonly ConfiguredEnvironment[],
  options: CheckOptions,
  progress: Progress,
): Promise<Report> {
  await using _lock = await world.locks.acquire('check --fix', (holder) => {
    progress.note(`waiting for ${holder}`);
  });
  const checkedAt = world.clock.now();
  const result = await repair(world, environments, { planId: options.plan, signal: options.signal }, progress);
  await bookkeepOrSay(result.after, progress);
  const durationMs = world.clock.now().getTime() - checkedAt.getTime();
  return reportOf({ ...result, applied: result.done.length, checkedAt, durationMs });
}

/** Under the lock of the command that calls it. */
export async function bookkeepAll(seen: Look): Promise<void> {
  for (const { facts } of seen.diagnosed) await bookkeep(facts);
}

/** A look that changes nothing else still raises the mark, unless somebody is changing things, or it may not write. */
async function bookkeepIfFree(world: World, seen: Look, progress: Progress): Promise<void> {
  if (!seen.diagnosed.some(({ facts }) => needsBookkeeping(facts))) return;
  try {
    await using lock = await world.locks.tryAcquire('check');
    if (lock !== undefined) await bookkeepAll(seen);
  } catch (error) {
    sayUnraised(error, progress);
  }
}

/** Under the lock. What was found and repaired is told all the same where there is no room left for the mark. */
export async function bookkeepOrSay(seen: Look, progress: Progress): Promise<void> {
  try {
    await bookkeepAll(seen);
  } catch (error) {
    sayUnraised(error, progress);
  }
}

function sayUnraised(error: unknown, progress: Progress): void {
  if (!(error instanceof Nexus3Error)) throw error;
  progress.note(`the last-copy mark was not raised: ${error.message}`);
}
