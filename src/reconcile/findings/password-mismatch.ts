import type { InstanceFacts } from '../facts.js';
import { instancesIn, isOwned } from '../facts.js';
import { loadUsers } from './repairs.js';
import type { Rule, Sighting } from './rule.js';

export const passwordMismatch: Rule = {
  code: 'password-mismatch',
  severity: 'error',
  means: 'A password in force is not the one that Locker holds.',
  repairs: 'Locker’s wins, where the administrator can still log in; else no',
  see: (facts) =>
    instancesIn(facts)
      .filter((instance) => isOwned(instance))
      .flatMap((instance): readonly Sighting[] => {
        const { env, role } = instance.id;
        if (instance.view?.state === 'locked' && facts.missingCredentials?.length === 0) {
          return [
            {
              instance: role,
              message: `the ${role} refuses the administrator’s password from Locker`,
              evidence: { user: 'admin' },
              remedy: `Its next start puts Locker’s passwords in force: nexus3 down ${env}, then nexus3 up ${env}`,
              fixable: false,
            },
          ];
        }
        const users = changedPasswords(instance);
        if (users.length === 0) return [];
        return [
          {
            instance: role,
            message: `another password than Locker’s is in force for ${users.join(', ')}`,
            evidence: { user: users.join(', ') },
            remedy: `nexus3 check ${env} --fix`,
            fixable: true,
          },
        ];
      }),
  repair: (role, facts) => loadUsers(role, facts),
};

/** A vault's default user without any password is `vault-open`. */
function changedPasswords(instance: InstanceFacts): readonly string[] {
  if (instance.folder.drifted.includes('users.acl')) return [];
  return instance.userDifferences
    .filter(({ kind, user }) => kind === 'password' || (kind === 'nopass' && user !== 'default'))
    .map(({ user }) => user);
}
