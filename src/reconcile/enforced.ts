/** Constraints come into force some time after they were asked for, and a snapshot that is taken meanwhile has none of them. */
import type { Admin, Clock } from './world.js';
import { pauseAfter } from './wait.js';

/**
 * @param waitMs at most, in milliseconds
 * @returns the graphs of which a constraint is still being enforced; empty: what was asked for is in force
 */
export async function untilEnforced(admin: Admin, clock: Clock, waitMs: number): Promise<readonly string[]> {
  const startedAt = clock.now().getTime();
  for (;;) {
    const graphs = await admin.graphsEnforcing();
    const waitedMs = clock.now().getTime() - startedAt;
    if (graphs.length === 0 || waitedMs >= waitMs) return graphs;
    await clock.sleep(pauseAfter(waitedMs));
  }
}
