import { instanceIn, instancesIn, isBetweenCopies, isHeld } from '../facts.js';
import { prepare, thenLinked } from './repairs.js';
import type { Rule } from './rule.js';

export const instanceMissing: Rule = {
  code: 'instance-missing',
  severity: 'error',
  means: 'The instance does not exist.',
  repairs: 'rendered, created and started',
  see: (facts) =>
    instancesIn(facts)
      .filter(
        ({ id, runtime }) =>
          runtime === undefined && !(id.role === 'vault' && (isHeld(facts) || isBetweenCopies(facts))),
      )
      .map(({ id, spec }) => ({
        instance: id.role,
        message: `there is no ${id.role}`,
        evidence: { name: spec.name, port: spec.port },
        remedy: `nexus3 up ${id.env}`,
        fixable: true,
      })),
  repair: (role, facts) => {
    const on = instanceIn(facts, role).id;
    return [...prepare(role, facts), { kind: 'create', on }, { kind: 'start', on }, ...thenLinked(facts)];
  },
};
