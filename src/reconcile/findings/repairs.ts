/** Action sequences that several findings share. Order and duplicates are the planner's business. */
import type { Role } from '../../protocol/environment.js';
import type { Action } from '../action.js';
import { isLocker, neededCredentials } from '../desired.js';
import type { EnvironmentFacts } from '../facts.js';
import { hasForeign, instanceIn, isBetweenCopies, isFenced, isHeld } from '../facts.js';

/** Credentials and rendered files, so that whatever starts next starts right. */
export function prepare(role: Role, facts: EnvironmentFacts): readonly Action[] {
  const on = instanceIn(facts, role).id;
  const actions: Action[] = [];
  if (facts.network === 'missing') actions.push({ kind: 'create-network' });
  if (!isLocker(facts.environment) && facts.missingCredentials?.length !== 0) {
    const names = facts.missingCredentials ?? neededCredentials(facts.environment);
    actions.push({ kind: 'generate-credentials', env: on.env, names });
  }
  actions.push({ kind: 'render', on });
  return actions;
}

/**
 * A vault that starts makes its operational sync again, so whichever of them is repaired, the link is waited for; not
 * where it cannot come up, and not where a stranger would be asked for it.
 */
export function thenLinked(facts: EnvironmentFacts): readonly Action[] {
  if (facts.operational === undefined || hasForeign(facts)) return [];
  if (isHeld(facts) || isFenced(facts) || isBetweenCopies(facts)) return [];
  return [{ kind: 'wait-for-link', on: facts.operational.id }];
}

export function restart(role: Role, facts: EnvironmentFacts): readonly Action[] {
  return [...prepare(role, facts), { kind: 'restart', on: instanceIn(facts, role).id }, ...thenLinked(facts)];
}

export function recreate(role: Role, facts: EnvironmentFacts): readonly Action[] {
  return [...prepare(role, facts), { kind: 'recreate', on: instanceIn(facts, role).id }, ...thenLinked(facts)];
}

export function loadUsers(role: Role, facts: EnvironmentFacts): readonly Action[] {
  return [...prepare(role, facts), { kind: 'load-users', on: instanceIn(facts, role).id }];
}

export function setConfig(role: Role, facts: EnvironmentFacts, name: string, value: string): readonly Action[] {
  return [{ kind: 'set-config', on: instanceIn(facts, role).id, name, value }];
}

export function attach(facts: EnvironmentFacts): readonly Action[] {
  if (facts.operational === undefined) return [];
  return [
    { kind: 'attach', on: facts.operational.id },
    { kind: 'wait-for-link', on: facts.operational.id },
  ];
}
