import { isIP } from 'node:net';
import type { EnvironmentFacts } from '../facts.js';
import { differsIn, isHeld, isOwned, serverOf } from '../facts.js';
import { attach } from './repairs.js';
import type { Rule } from './rule.js';

export const wrongMaster: Rule = {
  code: 'wrong-master',
  severity: 'error',
  means:
    'The operational replicates from another server than its vault, or from its vault by an IP that dies with the container.',
  repairs: 'attached to its vault by name, past the last-copy guard',
  confirm: true,
  see: (facts) => {
    const { operational } = facts;
    const master = serverOf(operational)?.replica?.master;
    if (operational === undefined || master === undefined) return [];
    if (differsIn(facts.vault, 'port')) return [];
    const wanted = operational.placement.vaultAddress;
    if (master.host === wanted.host && master.port === wanted.port) return [];
    return [
      {
        instance: 'operational',
        message: `the operational follows ${master.host}:${String(master.port)}, not ${wanted.host}:${String(wanted.port)}`,
        evidence: {
          cause: causeOf(facts, master.host),
          expected: `${wanted.host}:${String(wanted.port)}`,
          actual: `${master.host}:${String(master.port)}`,
        },
        remedy: isHeld(facts)
          ? `The guard holds the vault: nexus3 recover ${facts.environment.name} --vault`
          : `nexus3 check ${facts.environment.name} --fix`,
        fixable: isOwned(operational) && !isHeld(facts),
      },
    ];
  },
  repair: (_role, facts) => attach(facts),
};

function causeOf(facts: EnvironmentFacts, host: string): 'ip' | 'name' {
  if (facts.vault.runtime?.networkAddress === host) return 'ip';
  return facts.runtimeName === 'docker' && isIP(host) !== 0 ? 'ip' : 'name';
}
