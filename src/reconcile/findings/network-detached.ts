import { differsIn, instanceIn, instancesIn, isOwned } from '../facts.js';
import { thenLinked } from './repairs.js';
import type { Rule } from './rule.js';

export const networkDetached: Rule = {
  code: 'network-detached',
  severity: 'error',
  means: 'The container is not on the network, so vault and operational cannot find each other by name.',
  repairs: 'connected',
  see: (facts) =>
    facts.network === 'missing'
      ? []
      : instancesIn(facts)
          .filter((instance) => differsIn(instance, 'network'))
          .map((instance) => ({
            instance: instance.id.role,
            message: `the ${instance.id.role} is not on the network ${instance.spec.network}`,
            evidence: { network: instance.spec.network },
            remedy: `nexus3 check ${instance.id.env} --fix`,
            fixable: isOwned(instance),
          })),
  repair: (role, facts) => [{ kind: 'connect-network', on: instanceIn(facts, role).id }, ...thenLinked(facts)],
};
