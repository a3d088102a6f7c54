/**
 * Whether a vault and its operational hold the same, also while applications write. The vault's writers are never made to
 * wait: under CLIENT PAUSE, Redis ends itself as soon as a graph query that had begun before wants to replicate what it
 * wrote (an assertion in server.c; measured, FalkorDB 4.16.3: at the first pause). So the vault is counted before and after the
 * operational, which by then has all that the first count saw, and has to lie between.
 */
import type { ConfiguredEnvironment } from '../../config/configuration.js';
import { adminOf, credentialsOf } from '../access.js';
import type { World } from '../world.js';
import type { Both, Counts } from './compare.js';
import { areSame, countBoth, countOne, isBetween, provenSame } from './compare.js';

/** How often it is counted so, and how long it is waited in between, in milliseconds. */
const ATTEMPTS_MAX = 10;
const REST_MS = 200;
/** How long the operational may take to get as far as its vault was, and how often it is asked, in milliseconds. */
const REACH_MAX_MS = 5_000;
const POLL_MS = 10;

/** @throws Nexus3Error NOT_PROVEN saying what differs; UnreachableError */
export async function provenSameUnderWrites(
  world: World,
  environment: ConfiguredEnvironment,
): Promise<{ readonly keys: number; readonly graphs: number }> {
  let both = await countBoth(world, environment);
  for (let attempt = 0; attempt < ATTEMPTS_MAX && !areSame(both); attempt += 1) {
    if (attempt > 0) await world.clock.sleep(REST_MS);
    const [before, operational, after] = await countInTurn(world, environment);
    if (isBetween(before, operational, after))
      return { keys: operational.keys.keys, graphs: operational.graphs.length };
    both = { vault: after, operational } satisfies Both;
  }
  return provenSame(environment, both);
}

async function countInTurn(world: World, environment: ConfiguredEnvironment): Promise<[Counts, Counts, Counts]> {
  const credentials = await credentialsOf(world, environment);
  await using vault = await adminOf(world, environment, 'vault', credentials);
  await using operational = await adminOf(world, environment, 'operational', credentials);
  const before = await countOne(vault);
  const place = await vault.replicationOffset();
  const until = world.clock.now().getTime() + REACH_MAX_MS;
  while ((await operational.replicationOffset()) < place && world.clock.now().getTime() < until) {
    await world.clock.sleep(POLL_MS);
  }
  const between = await countOne(operational);
  return [before, between, await countOne(vault)];
}
