/** Disaster recovery of an operational: its data moved aside, refilled from its vault, proven, and then discarded. */
import type { Progress } from '../../progress.js';
import { discardAside, moveAside } from '../vault-data/aside.js';
import { bookkeepAll } from '../check.js';
import type { EnvironmentFacts } from '../facts.js';
import { provenSameUnderWrites } from './compare-under-writes.js';
import { look } from '../loop.js';
import { perform } from '../perform.js';
import type { Recovered } from './recovered.js';
import { proveWriteAndRead } from '../wait.js';
import type { World } from '../world.js';

export async function recoverOperational(
  world: World,
  facts: EnvironmentFacts,
  progress: Progress,
): Promise<Recovered> {
  const { environment, operational } = facts;
  if (operational === undefined) throw new Error('a Secure Environment was admitted to the recovery of an operational');
  const on = operational.id;
  if (operational.runtime !== undefined) await world.runtime.stop(operational.spec);
  progress.done('the operational is stopped');
  await moveAside(world, operational.spec);
  progress.done('its data are moved aside');
  await perform(world, { kind: 'render', on }, progress);
  if (operational.runtime === undefined) await world.runtime.create(operational.spec);
  await perform(world, { kind: 'start', on }, progress);
  await perform(world, { kind: 'wait-for-link', on }, progress);
  progress.done('it has refilled from its vault');
  const counts = await provenSameUnderWrites(world, environment);
  progress.done(`${String(counts.keys)} keys and ${String(counts.graphs)} graphs counted on both`);
  const ms = await proveWriteAndRead(world, environment);
  progress.done(`written on the vault, read on the operational in ${ms.toFixed(1)} ms`);
  await bookkeepAll(await look(world, [environment]));
  await discardAside(world, environment.name, 'operational');
  return { ...counts, keptAside: null };
}
