import { instancesIn, isOwned, serverOf } from '../facts.js';
import { setConfig } from './repairs.js';
import type { Rule } from './rule.js';

export const evictsData: Rule = {
  code: 'evicts-data',
  severity: 'error',
  means: 'When memory is full, this instance throws data away instead of refusing writes.',
  repairs: 'noeviction',
  see: (facts) =>
    instancesIn(facts).flatMap((instance) => {
      const policy = serverOf(instance)?.config.get('maxmemory-policy');
      if (policy === undefined || policy === 'noeviction') return [];
      return [
        {
          instance: instance.id.role,
          message: `the ${instance.id.role} may evict data (${policy})`,
          evidence: { policy },
          remedy: `nexus3 check ${instance.id.env} --fix`,
          fixable: isOwned(instance),
        },
      ];
    }),
  repair: (role, facts) => setConfig(role, facts, 'maxmemory-policy', 'noeviction'),
};
