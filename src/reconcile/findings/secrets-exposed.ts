import type { EnvironmentFacts, InstanceFacts } from '../facts.js';
import { instancesIn, isFenced, isHeld, isOwned } from '../facts.js';
import { attach, loadUsers } from './repairs.js';
import type { Rule } from './rule.js';

export const secretsExposed: Rule = {
  code: 'secrets-exposed',
  severity: 'error',
  means:
    'A password can be read by someone who should not: masterauth without a password, a file others can read, or a command line.',
  repairs: 'users and files in force as rendered, and the exposed replication credential replaced',
  see: (facts) =>
    instancesIn(facts).flatMap((instance) => {
      const where = exposure(instance);
      if (where === undefined) return [];
      return [
        {
          instance: instance.id.role,
          message: WORDS[where],
          evidence: { where },
          remedy: isOwned(instance)
            ? `nexus3 check ${instance.id.env} --fix replaces the replication credential`
            : 'Take the password off the command line, change it, then let nexus3 make the instance',
          fixable: isOwned(instance) && where !== 'arguments',
        },
      ];
    }),
  repair: (role, facts: EnvironmentFacts) =>
    facts.operational === undefined
      ? loadUsers(role, facts)
      : [
          ...loadUsers(role, facts),
          { kind: 'rotate-credential', env: facts.environment.name, name: 'replicator' },
          // A vault that the guard holds takes the new password when it is recovered.
          ...(isHeld(facts) || isFenced(facts) ? [] : attach(facts)),
        ],
};

type Exposure = 'masterauth' | 'file' | 'arguments';

const WORDS: Readonly<Record<Exposure, string>> = {
  masterauth: 'anyone can read the replication password with CONFIG GET masterauth',
  file: 'other users of this host can read redis.conf, which holds the replication password',
  arguments: 'its command line or environment shows a password',
};

function exposure(instance: InstanceFacts): Exposure | undefined {
  const { view, runtime, folder, id } = instance;
  if (view !== undefined && view.state !== 'unreachable' && view.anonymous.masterauthShown) return 'masterauth';
  if (runtime?.secretInArguments === true) return 'arguments';
  if (runtime?.owned === true && id.role === 'operational' && folder.readableByOthers.length > 0) return 'file';
  return undefined;
}
