/** `up`: creates and starts what is missing, and waits until it is proven healthy. Repairs nothing that runs. */
import type { Progress } from '../progress.js';
import { bookkeepOrSay } from './check.js';
import { isLocker, selectEnvironments } from './desired.js';
import type { FindingCode } from './finding.js';
import { refuseUnfinishedReset } from './locker/reset-marker.js';
import { look, repair } from './loop.js';
import { planRepairs } from './plan.js';
import type { Report } from './report.js';
import { reportOf } from './summary.js';
import type { World } from './world.js';

/** What `up` starts. */
export interface UpOptions {
  /** Empty: all. Locker always comes along, because everybody’s credentials are in it. */
  readonly envs: readonly string[];
  /** Only say what would be done: the report's `plan`. */
  readonly dryRun: boolean;
}

/** What `up` may do about. `credential-missing`: a start that was cut off before everything was in Locker. */
export const UP_LICENCE: ReadonlySet<FindingCode> = new Set<FindingCode>([
  'instance-missing',
  'instance-stopped',
  'network-missing',
  'network-detached',
  'credential-missing',
  'replica-loading',
  // Tried again, in case another engine was installed meanwhile.
  'version-incompatible',
  // Left by an `up` or `recover` that was killed between rendering and starting.
  'config-drift',
]);

/**
 * Creates and starts what is missing, and comes back when that is proven or has failed: what failed is in the report. Where
 * there is no root key yet, and no data of Locker, it makes one.
 * @throws Nexus3Error ENVIRONMENT_UNKNOWN; ENGINE_NOT_FOUND or DOCKER_UNREACHABLE; LOCK_HELD after 120 s of waiting;
 * RESET_UNFINISHED
 */
export async function up(world: World, options: UpOptions, progress: Progress): Promise<Report> {
  const chosen = selectEnvironments(world.configuration, options.envs);
  const environments = world.configuration.environments.filter((one) => chosen.includes(one) || isLocker(one));
  await world.runtime.ready();
  const checkedAt = world.clock.now();
  if (options.dryRun) {
    const after = await look(world, environments);
    const plan = planRepairs(after.diagnosed, UP_LICENCE);
    return reportOf({ after, plan, checkedAt, durationMs: world.clock.now().getTime() - checkedAt.getTime() });
  }
  await using _lock = await world.locks.acquire('up', (holder) => {
    progress.note(`waiting for ${holder}`);
  });
  await refuseUnfinishedReset(world);
  const result = await repair(world, environments, { licence: UP_LICENCE, mayCreateRootKey: true }, progress);
  await bookkeepOrSay(result.after, progress);
  const durationMs = world.clock.now().getTime() - checkedAt.getTime();
  return reportOf({ ...result, applied: result.done.length, checkedAt, durationMs });
}
