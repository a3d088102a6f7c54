import { instancesIn, isOwned } from '../facts.js';
import { recreate } from './repairs.js';
import type { Rule } from './rule.js';

export const mountMismatch: Rule = {
  code: 'mount-mismatch',
  severity: 'error',
  means: 'Its data or configuration folder is not the one that nexus3.yaml says.',
  repairs:
    'an operational is made again with its own folder and refills; a vault never, because its data lie elsewhere',
  see: (facts) =>
    instancesIn(facts).flatMap((instance) => {
      const difference = instance.runtime?.differences.find(({ aspect }) => aspect === 'mount');
      if (difference === undefined) return [];
      const isVault = instance.id.role === 'vault';
      return [
        {
          instance: instance.id.role,
          message: `the ${instance.id.role} uses ${difference.actual}, not ${difference.expected}`,
          evidence: { expected: difference.expected, actual: difference.actual },
          remedy: isVault
            ? `Set dataRoot in nexus3.yaml to where the data are, or: nexus3 down ${instance.id.env}, move the folder, remove the container, nexus3 up ${instance.id.env}`
            : `nexus3 check ${instance.id.env} --fix`,
          fixable: isOwned(instance) && !isVault,
        },
      ];
    }),
  repair: recreate,
};
