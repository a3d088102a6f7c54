/** Why an environment is not rotated now. Pure: asked before anything is begun. */
import { Nexus3Error } from '../../errors.js';
import { instanceKey } from '../../protocol/environment.js';
import type { EnvironmentFacts, InstanceFacts } from '../facts.js';
import { instancesIn, isFenced, isForeign, isHeld, isUp, serverOf } from '../facts.js';

/** Undefined: nothing speaks against it. What is stopped does not: it takes the passwords from its files. */
export function whyNotRotate(facts: EnvironmentFacts): Nexus3Error | undefined {
  const { name } = facts.environment;
  const foreign = instancesIn(facts).find(isForeign);
  if (foreign !== undefined) {
    return new Nexus3Error('FOREIGN_INSTANCE', `${instanceKey(foreign.id)} was not made by nexus3.`, {
      hint: 'Put it out of the way by hand first, keeping its data; then run the same command again.',
    });
  }
  if (facts.unreadable !== undefined) return facts.unreadable;
  if (facts.missingCredentials?.length !== 0) {
    return new Nexus3Error('LOCKER_CREDENTIAL_MISSING', `Locker does not hold all passwords of ${name}.`, {
      evidence: facts.missingCredentials?.map((one) => `${name}: ${one}`) ?? [],
      hint: `Bring it up first: nexus3 up ${name}`,
    });
  }
  if (facts.restore !== undefined) {
    return new Nexus3Error('ROTATE_REFUSED', `A restore of the vault of ${name} was cut off.`, {
      evidence: [`phase ${facts.restore.phase}, since ${facts.restore.startedAt}`],
      hint: `Finish that first: nexus3 restore ${name}. Nothing was begun.`,
    });
  }
  if (isFenced(facts) || isHeld(facts)) {
    return new Nexus3Error('LAST_COPY', `The vault of ${name} does not serve past the last-copy guard.`, {
      evidence: [isFenced(facts) ? 'a recovery of it was cut off' : 'the guard holds it'],
      hint: `Recover it first: nexus3 recover ${name} --vault. See: nexus3 check ${name}`,
    });
  }
  return (
    instancesIn(facts)
      .map(whyNotInstance)
      .find((reason) => reason !== undefined) ?? whyNotLink(facts)
  );
}

function whyNotInstance(instance: InstanceFacts): Nexus3Error | undefined {
  const { view } = instance;
  if (!isUp(instance) || view === undefined || view.state === 'open') return undefined;
  const key = instanceKey(instance.id);
  const hint = `See: nexus3 check ${instance.id.env}; then run the same command again. Nothing was begun.`;
  if (view.state === 'unreachable') {
    return new Nexus3Error('REDIS_UNREACHABLE', `${key} does not answer.`, { evidence: [view.detail], hint });
  }
  const why = view.state === 'loading' ? 'it is loading its data' : view.detail;
  return new Nexus3Error('ROTATE_REFUSED', `${key} cannot be given new passwords now.`, { evidence: [why], hint });
}

/** A link that is down has a cause of its own; a rotation would only hide it. */
function whyNotLink(facts: EnvironmentFacts): Nexus3Error | undefined {
  const replica = serverOf(facts.operational)?.replica;
  if (serverOf(facts.vault) === undefined || serverOf(facts.operational) === undefined) return undefined;
  if (replica?.link === 'up') return undefined;
  const { name } = facts.environment;
  return new Nexus3Error('ROTATE_REFUSED', `The operational of ${name} is not linked to its vault.`, {
    evidence: [replica === undefined ? 'it is no replica' : 'its link is down'],
    hint: `Repair it first: nexus3 check ${name} --fix. Nothing was begun.`,
  });
}
