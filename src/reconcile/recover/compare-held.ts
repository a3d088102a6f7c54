/**
 * Whether a vault and its operational hold the same, also while applications write: counted once as they are, and where
 * that differs, once more while the vault keeps its writers waiting for a moment.
 */
import type { ConfiguredEnvironment } from '../../config/configuration.js';
import { adminOf, credentialsOf } from '../access.js';
import type { World } from '../world.js';
import type { Both } from './compare.js';
import { areSame, countBoth, provenSame } from './compare.js';

/** For so long writers wait at most, in milliseconds: less than a client takes for silence. The vault itself ends it. */
const HOLD_MS = 500;
/** How often they are made to wait, and for how long they are let be in between, in milliseconds. */
const HOLDS_MAX = 5;
const REST_MS = 500;
const POLL_MS = 10;

/** @throws Nexus3Error NOT_PROVEN saying what differs; UnreachableError */
export async function provenSameUnderWrites(
  world: World,
  environment: ConfiguredEnvironment,
): Promise<{ readonly keys: number; readonly graphs: number }> {
  let counts = await countBoth(world, environment);
  for (let hold = 0; hold < HOLDS_MAX && !areSame(counts); hold += 1) {
    if (hold > 0) await world.clock.sleep(REST_MS);
    counts = (await countHeld(world, environment)) ?? counts;
  }
  return provenSame(environment, counts);
}

/** Undefined where both did not stand still at the same place for as long as it took to count. */
async function countHeld(world: World, environment: ConfiguredEnvironment): Promise<Both | undefined> {
  const credentials = await credentialsOf(world, environment);
  await using vault = await adminOf(world, environment, 'vault', credentials);
  await using operational = await adminOf(world, environment, 'operational', credentials);
  const heldUntil = world.clock.now().getTime() + HOLD_MS;
  const place = async (): Promise<number | undefined> => {
    const [there, here] = await Promise.all([vault.replicationOffset(), operational.replicationOffset()]);
    return there === here ? there : undefined;
  };
  await vault.holdWrites(HOLD_MS);
  try {
    // A graph query that had begun may still end.
    let before = await place();
    for (;;) {
      await world.clock.sleep(POLL_MS);
      if (world.clock.now().getTime() >= heldUntil) return undefined;
      const now = await place();
      if (now !== undefined && now === before) break;
      before = now;
    }
    const counts = await countBoth(world, environment);
    return (await place()) === before ? counts : undefined;
  } finally {
    await vault.releaseWrites();
  }
}
