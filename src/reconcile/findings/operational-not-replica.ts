import { isHeld, isOwned, serverOf } from '../facts.js';
import { attach } from './repairs.js';
import type { Rule } from './rule.js';

export const operationalNotReplica: Rule = {
  code: 'operational-not-replica',
  severity: 'error',
  means: 'The operational has been made a master: it no longer follows its vault.',
  repairs: 'attached to its vault, past the last-copy guard',
  confirm: true,
  see: (facts) => {
    const { operational } = facts;
    if (operational === undefined || serverOf(operational)?.role !== 'master') return [];
    return [
      {
        instance: 'operational',
        message: 'the operational is a master, not a replica of its vault',
        evidence: { role: 'master' },
        remedy: isHeld(facts)
          ? `The guard holds the vault: nexus3 recover ${facts.environment.name} --vault`
          : `nexus3 check ${facts.environment.name} --fix`,
        fixable: isOwned(operational) && !isHeld(facts),
      },
    ];
  },
  repair: (_role, facts) => attach(facts),
};
