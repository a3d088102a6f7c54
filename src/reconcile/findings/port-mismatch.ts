import { instancesIn, isOwned } from '../facts.js';
import { recreate } from './repairs.js';
import type { Rule } from './rule.js';

export const portMismatch: Rule = {
  code: 'port-mismatch',
  severity: 'error',
  means: 'It is published on another port than nexus3.yaml says.',
  repairs: 'rendered and made again on its port, operational first; the data stay',
  see: (facts) =>
    instancesIn(facts).flatMap((instance) => {
      const difference = instance.runtime?.differences.find(({ aspect }) => aspect === 'port');
      if (difference === undefined) return [];
      return [
        {
          instance: instance.id.role,
          message: `the ${instance.id.role} is on ${difference.actual}, not on ${difference.expected}`,
          evidence: { expected: difference.expected, actual: difference.actual },
          remedy: `nexus3 check ${instance.id.env} --fix`,
          fixable: isOwned(instance),
        },
      ];
    }),
  repair: recreate,
};
