import { parseAclUser } from '../../protocol/users.js';
import type { InstanceFacts } from '../facts.js';
import { isOwned, serverOf } from '../facts.js';
import { loadUsers } from './repairs.js';
import type { Rule } from './rule.js';

export const defaultUserUnrestricted: Rule = {
  code: 'default-user-unrestricted',
  severity: 'error',
  means: 'Without a password, the operational lets a client do more than read.',
  repairs: 'the rendered users put in force',
  see: (facts) => {
    const added = excessRules(facts.operational);
    if (facts.operational === undefined || added.length === 0) return [];
    return [
      {
        instance: 'operational',
        message: 'an anonymous client may do more than read',
        evidence: { added: added.join(' ') },
        remedy: isOwned(facts.operational)
          ? `nexus3 check ${facts.environment.name} --fix`
          : 'Restrict its default user (see docs/security.md), then let nexus3 make the operational',
        fixable: isOwned(facts.operational),
      },
    ];
  },
  repair: loadUsers,
};

/** `+config|get` alone is `secrets-exposed`. */
function excessRules(operational: InstanceFacts | undefined): readonly string[] {
  const server = serverOf(operational);
  if (operational === undefined || server === undefined) return [];
  if (!isOwned(operational)) {
    const user = server.users.map(parseAclUser).find((line) => line?.name === 'default');
    return user?.rules.includes('+@all') === true && user.nopass ? ['+@all'] : [];
  }
  const difference = operational.userDifferences.find(({ user, kind }) => user === 'default' && kind === 'rules');
  return (difference?.added ?? []).filter((rule) => rule !== '+config|get');
}
