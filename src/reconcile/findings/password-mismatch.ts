import { CONFIG_FILE } from '../../protocol/layout.js';
import type { InstanceFacts } from '../facts.js';
import { instanceIn, instancesIn, isOwned, serverOf } from '../facts.js';
import { attach, loadUsers } from './repairs.js';
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
        const users = [...changedPasswords(instance), ...(hasStaleMasterauth(instance) ? ['replication'] : [])];
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
  repair: (role, facts) => [
    ...(changedPasswords(instanceIn(facts, role)).length > 0 ? loadUsers(role, facts) : []),
    ...(hasStaleMasterauth(instanceIn(facts, role)) ? attach(facts) : []),
  ],
};

/** A link that is up lives on with a stale password, and fails at the next disconnect. One that is down is `link-down`. */
function hasStaleMasterauth(instance: InstanceFacts): boolean {
  const server = serverOf(instance);
  if (instance.id.role === 'vault' || server?.replica?.link !== 'up') return false;
  return server.masterauthMatches === false && !instance.folder.drifted.includes(CONFIG_FILE.redisConf);
}

/** A vault's default user without any password is `vault-open`. */
function changedPasswords(instance: InstanceFacts): readonly string[] {
  if (instance.folder.drifted.includes('users.acl')) return [];
  return instance.userDifferences
    .filter(({ kind, user }) => kind === 'password' || (kind === 'nopass' && user !== 'default'))
    .map(({ user }) => user);
}
