import type { Action } from '../action.js';
import type { EnvironmentFacts, InstanceFacts } from '../facts.js';
import { differsIn, instanceIn, instancesIn, isConfiguredByUs, isOwned, isUp, serverOf } from '../facts.js';
import { hasOtherModuleArguments, volatileSettings } from '../volatile.js';
import { loadUsers, recreate, restart } from './repairs.js';
import type { Rule } from './rule.js';

export const configVolatile: Rule = {
  code: 'config-volatile',
  severity: 'error',
  means:
    'What is in force now would not survive a restart: a setting or user changed by hand, what the graph module was loaded with, or no file or restart policy behind it.',
  repairs:
    'the rendered settings and users put in force again; restarted or made again where that takes a start, or there is no file or policy',
  see: (facts) =>
    instancesIn(facts).flatMap((instance) => {
      const what = volatileParts(facts, instance);
      if (what.length === 0) return [];
      return [
        {
          instance: instance.id.role,
          message: `would not survive a restart: ${what.join(', ')}`,
          evidence: { what: what.join(', ') },
          remedy: isOwned(instance)
            ? `nexus3 check ${instance.id.env} --fix, or put the setting into nexus3.yaml`
            : 'Make it again with nexus3; what was set at runtime is lost at every restart',
          fixable: isOwned(instance),
        },
      ];
    }),
  repair: (role, facts) => {
    const instance = instanceIn(facts, role);
    if (differsIn(instance, 'restart-policy')) return recreate(role, facts);
    if (hasNoConfigFile(instance) || hasOtherModuleArguments(facts, instance)) return restart(role, facts);
    const actions: Action[] = [];
    if (changedUsers(instance).length > 0) actions.push(...loadUsers(role, facts));
    for (const { name, value } of volatileSettings(facts, instance)) {
      actions.push({ kind: 'set-config', on: instance.id, name, value });
    }
    return actions;
  },
};

function volatileParts(facts: EnvironmentFacts, instance: InstanceFacts): readonly string[] {
  const parts: string[] = [];
  if (isUp(instance) && differsIn(instance, 'restart-policy')) parts.push('no restart policy');
  if (hasNoConfigFile(instance)) parts.push('no configuration file');
  else if (isOwned(instance) && !instance.folder.drifted.includes('redis.conf')) {
    parts.push(...volatileSettings(facts, instance).map(({ name }) => name));
    if (hasOtherModuleArguments(facts, instance)) parts.push('arguments of the graph module');
  }
  parts.push(...changedUsers(instance).map((user) => `user ${user}`));
  return parts;
}

/** Started in another way than by the rendered start script. */
function hasNoConfigFile(instance: InstanceFacts): boolean {
  const server = serverOf(instance);
  if (server === undefined) return false;
  return isOwned(instance) ? !isConfiguredByUs(instance, server) : server.configFile === '';
}

/**
 * Users that differ and have no finding of their own: passwords are `password-mismatch`, an open vault `vault-open`, the
 * operational's default user `default-user-unrestricted`, a replicator switched off a cause of `link-down`.
 */
function changedUsers(instance: InstanceFacts): readonly string[] {
  if (!isOwned(instance) || instance.folder.drifted.includes('users.acl')) return [];
  const { role } = instance.id;
  const names = instance.userDifferences
    .filter(({ kind, user, added }) => {
      if (kind === 'password' || kind === 'nopass') return false;
      if (user === 'default' && role === 'operational' && kind === 'rules') return added.length === 0;
      return user !== 'replicator';
    })
    .map(({ user }) => user);
  return [...new Set(names)];
}
