/** New credentials in force in one environment without any login: rendered, and restarted. */
import type { ConfiguredEnvironment } from '../../config/configuration.js';
import { Nexus3Error } from '../../errors.js';
import { instanceKey } from '../../protocol/environment.js';
import type { Progress } from '../../progress.js';
import type { InstanceSpec } from '../../runtime/runtime.js';
import { specsOf } from '../desired.js';
import { perform } from '../perform.js';
import { seeRestore } from '../restore/journal.js';
import { proveWriteAndRead, untilLoaded } from '../wait.js';
import type { World } from '../world.js';
import type { ResetMarker } from './reset-marker.js';

export interface RenewedEnvironment {
  readonly name: string;
  /**
   * `renewed`: in force and proven. `rendered`: it does not run; in force at its next start. `held`: the last-copy guard
   * holds its vault, or a restore of it was cut off. `foreign`: nexus3 did not make it, so it is left alone. `failed`: to be tried again.
   */
  readonly outcome: 'renewed' | 'rendered' | 'held' | 'foreign' | 'failed';
  /** What it says of that, and what to do; null where nothing is to be done. */
  readonly message: string | null;
  readonly hint: string | null;
}

export async function renewEnvironment(
  world: World,
  environment: ConfiguredEnvironment,
  { running }: ResetMarker,
  progress: Progress,
): Promise<RenewedEnvironment> {
  const { name } = environment;
  const specs = specsOf(world.configuration, [environment]);
  const { instances } = await world.runtime.observe(specs);
  const foreign = specs.find(({ id }) => instances.get(instanceKey(id))?.owned === false);
  if (foreign !== undefined) {
    const message = `${foreign.name} was not made by nexus3, so it is left alone`;
    return { name, outcome: 'foreign', message, hint: 'Give it its new password by hand, or put it out of the way.' };
  }
  const there = specs.filter(({ id }) => instances.has(instanceKey(id)));
  const restore = seeRestore(world.configuration.dataRoot, name);
  // Which of two copies its vault is to serve is for the restore to say: that starts it.
  const restarted = there.filter(
    ({ id }) => running.includes(instanceKey(id)) && !(restore !== undefined && id.role === 'vault'),
  );
  try {
    await restart(world, there, restarted, progress);
    if (restore !== undefined) return cutOff(name);
    if (restarted.length < specs.length) return { name, outcome: 'rendered', message: null, hint: `nexus3 up ${name}` };
    await prove(world, environment, progress);
    progress.done(`${name}: new credentials are in force and proven`);
    return { name, outcome: 'renewed', message: null, hint: null };
  } catch (error) {
    if (!(error instanceof Nexus3Error)) throw error;
    progress.note(`${name}: ${error.message}`);
    const outcome = error.code === 'LAST_COPY' ? 'held' : 'failed';
    return { name, outcome, message: error.message, hint: error.hint };
  }
}

function cutOff(name: string): RenewedEnvironment {
  const message = `a restore of ${name} was cut off, so its vault is stopped until that is finished`;
  return { name, outcome: 'held', message, hint: `nexus3 restore ${name}` };
}

/**
 * The operational stops first, so that it never asks a vault that has other passwords already; the vault starts first,
 * through its guard. An operational whose vault is held is restarted all the same: it keeps its data, and `recover` needs to
 * log in there.
 */
async function restart(
  world: World,
  there: readonly InstanceSpec[],
  restarted: readonly InstanceSpec[],
  progress: Progress,
): Promise<void> {
  for (const spec of [...there].reverse()) await world.runtime.stop(spec);
  let failure: Nexus3Error | undefined;
  for (const spec of there) {
    const on = spec.id;
    progress.step(`restart ${instanceKey(on)}`);
    try {
      await perform(world, { kind: 'render', on }, progress);
      if (restarted.includes(spec)) await perform(world, { kind: 'start', on }, progress);
    } catch (error) {
      if (!(error instanceof Nexus3Error)) throw error;
      failure ??= error;
    }
  }
  if (failure !== undefined) throw failure;
}

async function prove(world: World, environment: ConfiguredEnvironment, progress: Progress): Promise<void> {
  await untilLoaded(world, environment, 'vault');
  if (environment.kind === 'standard') {
    const on = { env: environment.name, role: 'operational' } as const;
    await perform(world, { kind: 'wait-for-link', on }, progress);
  }
  await proveWriteAndRead(world, environment);
}
