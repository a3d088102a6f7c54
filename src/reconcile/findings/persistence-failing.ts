import type { InstanceFacts } from '../facts.js';
import { instancesIn, serverOf } from '../facts.js';
import type { Rule } from './rule.js';

/** Less room than this, and less than this part of the disk, is nearly full. */
const DISK_FREE_BYTES_MIN = 268_435_456;
const DISK_FREE_RATIO_MIN = 0.05;

export const persistenceFailing: Rule = {
  code: 'persistence-failing',
  severity: 'error',
  means: 'The last write, rewrite or snapshot to disk failed, or the disk is nearly full.',
  repairs: 'no; room or permission is needed first',
  see: (facts) =>
    instancesIn(facts).flatMap((instance) => {
      const failed = serverOf(instance)?.persistenceFailures ?? [];
      const full = isDiskNearlyFull(instance);
      if (failed.length === 0 && !full) return [];
      const what = [...failed, ...(full ? ['disk nearly full'] : [])].join(', ');
      return [
        {
          instance: instance.id.role,
          message: `the ${instance.id.role} cannot keep its data on disk: ${what}`,
          evidence: { failed: what, freeBytes: instance.folder.freeBytes ?? null },
          remedy: `Make room or mend permissions below ${instance.spec.dataDir}; see: nexus3 logs ${instance.id.env} --${instance.id.role}`,
          fixable: false,
        },
      ];
    }),
};

function isDiskNearlyFull({ folder, runtime }: InstanceFacts): boolean {
  if (runtime === undefined || folder.freeBytes === undefined || folder.totalBytes === undefined) return false;
  return folder.freeBytes < DISK_FREE_BYTES_MIN && folder.freeBytes < folder.totalBytes * DISK_FREE_RATIO_MIN;
}
