/** What no plan may hold, whichever finding asks for it. The one place that says so; plan and diagnosis both ask. Pure. */
import { instanceKey } from '../protocol/environment.js';
import type { Action } from './action.js';
import type { EnvironmentFacts, InstanceFacts } from './facts.js';
import { differsIn, hasForeign, instanceIn, isBetweenCopies, isFenced, isForeign, isHeld, isLocked } from './facts.js';

/** Of a vault that the guard holds, nothing is made, started or promoted: where data disagree, a person decides. */
const NEVER_ON_A_HELD_VAULT: ReadonlySet<Action['kind']> = new Set([
  'create',
  'start',
  'restart',
  'recreate',
  'promote-vault',
]);

/** With Locker's passwords, none of which this vault takes, the operational would lose the link that it has. */
const NEVER_BEHIND_A_LOCKED_VAULT: ReadonlySet<Action['kind']> = new Set(['restart', 'recreate', 'attach']);

/** @returns what to do instead; undefined where nothing speaks against it. */
export function whyNot(action: Action, facts: EnvironmentFacts): string | undefined {
  if (isBetweenCopies(facts) && touchesAVault(action)) return restoreFirst(facts);
  if (!('on' in action)) return action.kind === 'rotate-credential' && hasForeign(facts) ? strangers(facts) : undefined;
  const instance = instanceIn(facts, action.on.role);
  if (isForeign(instance)) return strangers(facts);
  const { role } = action.on;
  if (role === 'operational' && NEVER_BEHIND_A_LOCKED_VAULT.has(action.kind) && isLocked(facts.vault)) {
    return lockedOut(facts);
  }
  switch (action.kind) {
    case 'attach':
    case 'wait-for-link':
      if (hasForeign(facts)) return strangers(facts);
      return isHeld(facts) || isFenced(facts) ? recoverFirst(facts) : undefined;
    case 'recreate':
      if (role === 'vault' && isHeld(facts)) return recoverFirst(facts);
      return mayRecreate(instance) ? undefined : keepsItsOwn(instance);
    default:
      return role === 'vault' && NEVER_ON_A_HELD_VAULT.has(action.kind) && isHeld(facts)
        ? recoverFirst(facts)
        : undefined;
  }
}

/** A vault is not made again on another image, nor before its data are known to lie in the folder that it then gets. */
export function mayRecreate(instance: InstanceFacts): boolean {
  return instance.id.role === 'operational' || !(differsIn(instance, 'mount') || differsIn(instance, 'image'));
}

/** Or binds the operational to one. What its own server needs to answer reads may be done. */
function touchesAVault(action: Action): boolean {
  if (!('on' in action)) return action.kind === 'rotate-credential';
  return action.on.role === 'vault' || action.kind === 'attach' || action.kind === 'wait-for-link';
}

function restoreFirst({ environment, restore }: EnvironmentFacts): string {
  const command = `nexus3 restore ${environment.name}`;
  return restore?.phase === 'taking-back'
    ? `A restore of the vault failed, so first: ${command} --abort`
    : `A restore of the vault was cut off, so first: ${command}, or ${command} --abort`;
}

function recoverFirst({ environment }: EnvironmentFacts): string {
  return `The guard holds the vault, so first: nexus3 recover ${environment.name} --vault`;
}

function lockedOut({ environment }: EnvironmentFacts): string {
  const { name } = environment;
  return `The vault refuses the administrator’s password from Locker, so first: nexus3 down ${name}, then nexus3 up ${name}`;
}

function strangers({ environment }: EnvironmentFacts): string {
  return `A container of ${environment.name} was not made by nexus3: put it out of the way by hand first, keeping its data`;
}

function keepsItsOwn({ id }: InstanceFacts): string {
  return `${instanceKey(id)} has another image or data folder: that is put right by hand first, because it keeps the data`;
}
