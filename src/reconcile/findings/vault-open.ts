import { isOwned } from '../facts.js';
import { loadUsers, restart } from './repairs.js';
import type { Rule } from './rule.js';

export const vaultOpen: Rule = {
  code: 'vault-open',
  severity: 'error',
  means: 'The vault answers without a password: anyone who reaches its port can write.',
  repairs: 'the rendered users put in force',
  see: (facts) => {
    const { view, id } = facts.vault;
    if (view === undefined || view.state === 'unreachable' || !view.anonymous.pingAnswered) return [];
    return [
      {
        instance: 'vault',
        message: 'the vault answers without a password',
        evidence: { anonymousPing: 'answered' },
        remedy: isOwned(facts.vault)
          ? `nexus3 check ${id.env} --fix`
          : 'Set a password on it now (ACL SETUSER), then let nexus3 make the vault',
        fixable: isOwned(facts.vault),
      },
    ];
  },
  repair: (role, facts) => (facts.vault.view?.state === 'open' ? loadUsers(role, facts) : restart(role, facts)),
};
