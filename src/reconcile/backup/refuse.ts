/** Why no backup is taken of a vault now. Pure: asked before anything is begun. */
import { Nexus3Error } from '../../errors.js';
import type { EnvironmentFacts } from '../facts.js';
import { isFenced, isForeign, isHeld, isUp, serverOf } from '../facts.js';

/** Undefined: nothing speaks against it. */
export function whyNotBackUp(facts: EnvironmentFacts): Nexus3Error | undefined {
  const { vault } = facts;
  const { name } = facts.environment;
  if (isForeign(vault)) {
    return new Nexus3Error('FOREIGN_INSTANCE', `The vault of ${name} was not made by nexus3: it is told no password.`, {
      hint: 'Put it out of the way by hand first, keeping its data; then run the same command again.',
    });
  }
  if (facts.unreadable !== undefined) return facts.unreadable;
  // What it holds may not be what it should: such a backup would only push a good one out.
  if (isFenced(facts) || isHeld(facts)) {
    return new Nexus3Error('LAST_COPY', `The vault of ${name} does not serve past the last-copy guard.`, {
      evidence: [isFenced(facts) ? 'what it holds was not proven yet' : 'the guard holds it'],
      hint: `See: nexus3 check ${name}. Backups made before are not touched.`,
    });
  }
  if (!isUp(vault)) return failed(name, `it is ${vault.runtime?.state ?? 'not there'}`, `Start it: nexus3 up ${name}`);
  if (facts.missingCredentials?.includes('backup') !== false) {
    return new Nexus3Error('LOCKER_CREDENTIAL_MISSING', `Locker does not hold the backup password of ${name}.`, {
      hint: `Let nexus3 generate it: nexus3 up ${name}`,
    });
  }
  return whyNotServer(facts);
}

function whyNotServer(facts: EnvironmentFacts): Nexus3Error | undefined {
  const { view } = facts.vault;
  const { name } = facts.environment;
  const see = `See: nexus3 check ${name}; then run the same command again.`;
  if (view?.state === 'loading') return failed(name, 'it is loading its data', `Wait a moment. ${see}`);
  if (view === undefined || view.state === 'unreachable') {
    return new Nexus3Error('REDIS_UNREACHABLE', `The vault of ${name} does not answer.`, {
      evidence: [view?.detail ?? 'it was not asked'],
      hint: see,
    });
  }
  if (view.state === 'locked') return failed(name, view.detail, see);
  if (serverOf(facts.vault)?.role !== 'master') return failed(name, 'it is a replica of another server', see);
  return undefined;
}

function failed(name: string, why: string, hint: string): Nexus3Error {
  return new Nexus3Error('BACKUP_FAILED', `No backup of ${name} can be taken: its vault does not serve.`, {
    evidence: [why],
    hint,
  });
}
