/** Carries out a plan: Locker's environment first, because the others' credentials are in it, then all at once. */
import { mapBounded } from '../concurrency.js';
import { Nexus3Error } from '../errors.js';
import { LOCKER_NAME } from '../protocol/environment.js';
import type { Progress } from '../progress.js';
import { RUNTIME_CONCURRENCY_MAX } from '../runtime/runtime.js';
import type { Plan, PlannedAction } from './action.js';
import { refuseInterrupted } from './interrupted.js';
import { perform } from './perform.js';
import { environmentOf, keyOf } from './plan.js';
import type { World } from './world.js';

/** How many environments’ credentials are made at once. */
const CREDENTIALS_CONCURRENCY_MAX = 256;

export interface Failure {
  readonly planned: PlannedAction;
  readonly error: Nexus3Error;
}

export interface Applied {
  readonly done: readonly PlannedAction[];
  readonly failures: readonly Failure[];
}

/** @param signal ends it between two actions: what has begun is finished */
export async function apply(world: World, plan: Plan, progress: Progress, signal?: AbortSignal): Promise<Applied> {
  const groups = new Map<string, PlannedAction[]>();
  for (const planned of plan.actions) {
    const name = environmentOf(planned.action);
    groups.set(name, [...(groups.get(name) ?? []), planned]);
  }
  const done: PlannedAction[] = [];
  const failures: Failure[] = [];
  const failed = new Set<string>();
  const run = async (name: string, group: readonly PlannedAction[]): Promise<void> => {
    const failure = failed.has(name) ? undefined : await applyGroup(world, group, done, progress, signal);
    if (failure === undefined) return;
    failures.push(failure);
    failed.add(name);
  };
  const first = ['', LOCKER_NAME];
  for (const name of first) await run(name, groups.get(name) ?? []);
  if (failures.length > 0 && !(await lockerAnswers(world))) return { done, failures };
  const others = [...groups].filter(([name]) => !first.includes(name));
  await mapBounded(others, CREDENTIALS_CONCURRENCY_MAX, ([name, group]) => run(name, group.filter(makesCredentials)));
  await mapBounded(others, RUNTIME_CONCURRENCY_MAX, ([name, group]) =>
    run(
      name,
      group.filter((planned) => !makesCredentials(planned)),
    ),
  );
  return { done, failures };
}

/**
 * These come first in every environment, and for all environments together: Locker's disk is waited for up to a second,
 * once for all who wait.
 */
function makesCredentials({ action }: PlannedAction): boolean {
  return action.kind === 'generate-credentials';
}

/** Where Locker could not be brought up, each of the others would wait in vain for its credentials. */
async function lockerAnswers(world: World): Promise<boolean> {
  try {
    await (await world.locker.open()).read([]);
    return true;
  } catch (error) {
    if (error instanceof Nexus3Error) return false;
    throw error;
  }
}

/** One environment, in order; what fails stops the rest of it, and nothing else. */
async function applyGroup(
  world: World,
  group: readonly PlannedAction[],
  done: PlannedAction[],
  progress: Progress,
  signal: AbortSignal | undefined,
): Promise<Failure | undefined> {
  for (const planned of group) {
    try {
      refuseInterrupted(signal);
      progress.step(planned.summary);
      await perform(world, planned.action, progress);
      done.push(planned);
      progress.done(planned.summary);
    } catch (error) {
      if (error instanceof Nexus3Error) return { planned, error };
      throw error;
    }
  }
  return undefined;
}

/** `track/operational`, `track`, or null for what all share. */
export function whereOf(planned: PlannedAction): string | null {
  const key = keyOf(planned.action);
  return key === '' ? null : key;
}
