/** `backup create --due`: for whom the schedule of nexus3.yaml asks for a backup now. */
import type { Manifest } from '../../backup/backups.js';
import { mapBounded } from '../../concurrency.js';
import type { ConfiguredEnvironment } from '../../config/configuration.js';
import { Nexus3Error } from '../../errors.js';
import { isDue } from '../../schedule.js';
import type { World } from '../world.js';

const LOOK_CONCURRENCY_MAX = 8;

/**
 * Those whose newest backup that can be believed is older than the latest time of the schedule: one that failed is tried
 * again by the next run, and a machine that was off makes up for what it has missed, once.
 * @throws Nexus3Error USAGE where there is no schedule; ROOT_KEY_…
 */
export async function dueAmong(
  world: World,
  environments: readonly ConfiguredEnvironment[],
): Promise<readonly ConfiguredEnvironment[]> {
  const { schedule } = world.configuration.backup;
  if (schedule === undefined) {
    throw new Nexus3Error('USAGE', '--due needs a schedule, and nexus3.yaml has none.', {
      evidence: [`in ${world.configuration.file ?? 'the built-in configuration'}`],
      hint: 'Write one there: backup: { schedule: "0 3 * * *" }; or leave --due out.',
    });
  }
  const now = world.clock.now();
  const due = await mapBounded(environments, LOOK_CONCURRENCY_MAX, async (environment) => {
    const { newest, failed } = await world.backups.latest(environment.name);
    // One that was found damaged was made all the same: else each run would make another one, and find it damaged.
    const made = [newest, failed].flatMap((one) => (one === undefined ? [] : [Date.parse(one.createdAt)]));
    const since = made.length === 0 ? undefined : new Date(Math.max(...made));
    return isDue(schedule, since, now) ? [environment] : [];
  });
  return due.flat();
}

/**
 * The newest backups that were never verified, of these environments: a verification that could not be made is made up
 * for. One that has failed is not tried again by itself.
 */
export async function unverifiedAmong(
  world: World,
  environments: readonly ConfiguredEnvironment[],
): Promise<readonly { readonly environment: ConfiguredEnvironment; readonly manifest: Manifest }[]> {
  const found = await mapBounded(environments, LOOK_CONCURRENCY_MAX, async (environment) => {
    const { newest: manifest, failed } = await world.backups.latest(environment.name);
    if (manifest === undefined || manifest.verification !== null) return [];
    return failed !== undefined && failed.createdAt > manifest.createdAt ? [] : [{ environment, manifest }];
  });
  return found.flat();
}
