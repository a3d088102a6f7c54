import { hasForeign, isHeld, isOwned, serverOf } from '../facts.js';
import { attach } from './repairs.js';
import type { Rule } from './rule.js';

export const vaultNotMaster: Rule = {
  code: 'vault-not-master',
  severity: 'error',
  means: 'The vault replicates from something else, and so accepts no writes.',
  repairs: 'made a master again, past the last-copy guard',
  confirm: true,
  see: (facts) => {
    const server = serverOf(facts.vault);
    if (server?.role !== 'replica' || isHeld(facts)) return [];
    const master = server.replica?.master;
    return [
      {
        instance: 'vault',
        message: 'the vault is a replica',
        evidence: { master: master === undefined ? null : `${master.host}:${String(master.port)}` },
        remedy: `nexus3 check ${facts.environment.name} --fix`,
        fixable: isOwned(facts.vault),
      },
    ];
  },
  repair: (_role, facts) => [
    { kind: 'promote-vault', on: facts.vault.id },
    ...(hasForeign(facts) ? [] : attach(facts)),
  ],
};
