import { instancesIn, isOwned, isUp } from '../facts.js';
import type { EnvironmentFacts } from '../facts.js';
import { loadUsers, prepare } from './repairs.js';
import type { Rule } from './rule.js';

export const credentialMissing: Rule = {
  code: 'credential-missing',
  severity: 'error',
  means: 'Locker lacks a credential of an environment that exists.',
  repairs: 'generated and put in force, where the administrator can still log in; else no',
  see: (facts) => {
    const missing = facts.missingCredentials ?? [];
    if (missing.length === 0 || instancesIn(facts).every(({ runtime }) => runtime?.owned !== true)) return [];
    const fixable = hasAdministrators(facts);
    const { name } = facts.environment;
    return [
      {
        instance: 'vault',
        message: `Locker has no ${missing.join(', ')} credential for ${name}`,
        evidence: { missing: missing.join(', ') },
        remedy: fixable
          ? `nexus3 check ${name} --fix`
          : `A start renders new ones: nexus3 down ${name}, then nexus3 up ${name}`,
        fixable,
      },
    ];
  },
  // What does not run takes its users from the rendered file when it is started.
  repair: (_role, facts) =>
    instancesIn(facts)
      .filter(isOwned)
      .flatMap((instance) => (isUp(instance) ? loadUsers : prepare)(instance.id.role, facts)),
};

function hasAdministrators(facts: EnvironmentFacts): boolean {
  const missing = facts.missingCredentials ?? [];
  return !missing.includes('admin') && !missing.includes('operational-admin');
}
