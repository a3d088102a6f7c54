/** An instance stopped, so that its folder can be exchanged; also one that somebody starts by hand meanwhile. */
import { instanceKey } from '../../protocol/environment.js';
import type { InstanceRuntimeState, InstanceSpec } from '../../runtime/runtime.js';
import type { World } from '../world.js';

export async function stateOf(world: World, spec: InstanceSpec): Promise<InstanceRuntimeState | undefined> {
  return (await world.runtime.observe([spec])).instances.get(instanceKey(spec.id));
}

export async function stopIfThere(world: World, spec: InstanceSpec): Promise<void> {
  if ((await stateOf(world, spec)) !== undefined) await world.runtime.stop(spec);
}

/**
 * After folders were exchanged: whoever has started it by hand between its stop and that (`docker start`) has started it with
 * what lay there before, and it goes on with that, wherever the folder is now.
 */
export async function stopIfStartedMeanwhile(world: World, spec: InstanceSpec): Promise<void> {
  const state = await stateOf(world, spec);
  if (state !== undefined && state.state !== 'stopped') await world.runtime.stop(spec);
}
