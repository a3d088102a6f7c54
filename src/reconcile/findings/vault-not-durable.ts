import { isOwned, serverOf } from '../facts.js';
import { setConfig } from './repairs.js';
import type { Rule } from './rule.js';

export const vaultNotDurable: Rule = {
  code: 'vault-not-durable',
  severity: 'error',
  means: 'The vault’s append-only file is off: a kill loses everything since the last snapshot.',
  repairs: 'on',
  see: (facts) => {
    const server = serverOf(facts.vault);
    if (server === undefined || server.aofEnabled) return [];
    return [
      {
        instance: 'vault',
        message: 'the vault keeps no append-only file',
        evidence: { appendonly: 'no' },
        remedy: `nexus3 check ${facts.environment.name} --fix`,
        fixable: isOwned(facts.vault),
      },
    ];
  },
  repair: (role, facts) => setConfig(role, facts, 'appendonly', 'yes'),
};
