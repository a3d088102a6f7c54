/** Carries out a plan: Locker's environment first, because the others' credentials are in it, then all at once. */
import { mapBounded } from '../concurrency.js';
import { Nexus3Error } from '../errors.js';
import { LOCKER_NAME } from '../protocol/environment.js';
import type { Progress } from '../progress.js';
import { RUNTIME_CONCURRENCY_MAX } from '../runtime/runtime.js';
import type { Plan, PlannedAction } from './action.js';
import { perform } from './perform.js';
import { environmentOf, keyOf } from './plan.js';
import type { World } from './world.js';

export interface Failure {
  readonly planned: PlannedAction;
  readonly error: Nexus3Error;
}

export interface Applied {
  readonly done: readonly PlannedAction[];
  readonly failures: readonly Failure[];
}

export async function apply(world: World, plan: Plan, progress: Progress): Promise<Applied> {
  const groups = new Map<string, PlannedAction[]>();
  for (const planned of plan.actions) {
    const name = environmentOf(planned.action);
    groups.set(name, [...(groups.get(name) ?? []), planned]);
  }
  const first = ['', LOCKER_NAME];
  const done: PlannedAction[] = [];
  const failures: Failure[] = [];
  const run = async (name: string): Promise<void> => {
    const failure = await applyGroup(world, groups.get(name) ?? [], done, progress);
    if (failure !== undefined) failures.push(failure);
  };
  for (const name of first) await run(name);
  const others = [...groups.keys()].filter((name) => !first.includes(name));
  await mapBounded(others, RUNTIME_CONCURRENCY_MAX, run);
  return { done, failures };
}

/** One environment, in order; what fails stops the rest of it, and nothing else. */
async function applyGroup(
  world: World,
  group: readonly PlannedAction[],
  done: PlannedAction[],
  progress: Progress,
): Promise<Failure | undefined> {
  for (const planned of group) {
    try {
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
