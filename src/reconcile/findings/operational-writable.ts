import { isOwned, serverOf } from '../facts.js';
import { setConfig } from './repairs.js';
import type { Rule } from './rule.js';

export const operationalWritable: Rule = {
  code: 'operational-writable',
  severity: 'error',
  means: 'The operational is a replica that accepts writes, which the vault never sees.',
  repairs: 'read-only again',
  see: (facts) => {
    const server = serverOf(facts.operational);
    if (facts.operational === undefined || server?.role !== 'replica') return [];
    if (server.config.get('replica-read-only') !== 'no') return [];
    return [
      {
        instance: 'operational',
        message: 'the operational accepts writes',
        evidence: { replicaReadOnly: 'no' },
        remedy: `nexus3 check ${facts.environment.name} --fix`,
        fixable: isOwned(facts.operational),
      },
    ];
  },
  repair: (role, facts) => setConfig(role, facts, 'replica-read-only', 'yes'),
};
