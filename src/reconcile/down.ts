/** `down`: stops instances, operational before vault and Locker last; data and folders stay. */
import { mapBounded } from '../concurrency.js';
import { instanceKey } from '../protocol/environment.js';
import type { Progress } from '../progress.js';
import type { InstanceSpec } from '../runtime/runtime.js';
import { RUNTIME_CONCURRENCY_MAX } from '../runtime/runtime.js';
import { isLocker, selectEnvironments, specsOf } from './desired.js';
import type { World } from './world.js';

/** Each instance is in one of the three, written `track/operational`, in the order of the configuration. */
export interface DownReport {
  /** Ran, and was stopped now. */
  readonly stopped: readonly string[];
  /** Did not run, or is not there at all. */
  readonly alreadyStopped: readonly string[];
  /** Left alone, because nexus3 did not make them. */
  readonly foreign: readonly string[];
}

type Outcome = 'stopped' | 'alreadyStopped' | 'foreign';

/**
 * Stops instances; data and folders stay. Nothing that nexus3 did not make is stopped.
 * @throws Nexus3Error ENVIRONMENT_UNKNOWN; ENGINE_NOT_FOUND or DOCKER_UNREACHABLE; LOCK_HELD after 120 s of waiting; STOP_FAILED
 */
export async function down(
  world: World,
  options: {
    /** Names; empty: all, Locker too. */
    readonly envs: readonly string[];
  },
  progress: Progress,
): Promise<DownReport> {
  const environments = selectEnvironments(world.configuration, options.envs);
  await world.runtime.ready();
  await using _lock = await world.locks.acquire('down', (holder) => {
    progress.note(`waiting for ${holder}`);
  });
  const specs = specsOf(world.configuration, environments);
  const { instances } = await world.runtime.observe(specs);
  const outcomes = new Map<string, Outcome>();
  const stop = async (spec: InstanceSpec): Promise<void> => {
    const key = instanceKey(spec.id);
    const state = instances.get(key);
    if (state === undefined || state.state === 'stopped') outcomes.set(key, 'alreadyStopped');
    else if (!state.owned) outcomes.set(key, 'foreign');
    else {
      progress.step(`stop ${key}`);
      await world.runtime.stop(spec);
      outcomes.set(key, 'stopped');
      progress.done(`stop ${key}`);
    }
  };
  for (const wave of [
    specs.filter(({ id }) => id.role === 'operational'),
    specs.filter(({ id }) => id.role === 'vault' && !isLocker({ name: id.env })),
    specs.filter(({ id }) => id.role === 'vault' && isLocker({ name: id.env })),
  ]) {
    await mapBounded(wave, RUNTIME_CONCURRENCY_MAX, stop);
  }
  const keys = specs.map(({ id }) => instanceKey(id));
  const those = (outcome: Outcome): readonly string[] => keys.filter((key) => outcomes.get(key) === outcome);
  return { stopped: those('stopped'), alreadyStopped: those('alreadyStopped'), foreign: those('foreign') };
}
