import { instancesIn, isHeld, isOwned } from '../facts.js';
import { mayRecreate } from '../permitted.js';
import { prepare, thenLinked } from './repairs.js';
import type { Rule } from './rule.js';

export const networkMissing: Rule = {
  code: 'network-missing',
  severity: 'error',
  means: 'The Docker network that all instances share is gone.',
  repairs: 'created, and the instances connected to it',
  see: (facts) =>
    facts.network === 'missing' && instancesIn(facts).some(({ runtime }) => runtime !== undefined)
      ? [
          {
            instance: 'vault',
            message: `the network ${facts.vault.spec.network} does not exist`,
            evidence: { network: facts.vault.spec.network },
            remedy: `nexus3 check ${facts.environment.name} --fix`,
            fixable: true,
          },
        ]
      : [],
  repair: (_role, facts) => [
    { kind: 'create-network' },
    ...instancesIn(facts)
      .filter((instance) => isOwned(instance) && mayRecreate(instance))
      .filter(({ id }) => !(id.role === 'vault' && isHeld(facts)))
      .flatMap(({ id }) => [...prepare(id.role, facts), { kind: 'recreate', on: id } as const]),
    ...thenLinked(facts),
  ],
};
