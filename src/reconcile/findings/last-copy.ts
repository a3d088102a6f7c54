/** What `vault-empty` and `vault-behind` share: the last-copy guard's verdict. */
import type { HeldCode } from '../../protocol/guard.js';
import type { EnvironmentFacts } from '../facts.js';
import { guardOf, hasData, isBetweenCopies, isSuspiciouslyEmpty } from '../facts.js';
import type { Sighting } from './rule.js';

export function heldSightings(code: HeldCode, facts: EnvironmentFacts): readonly Sighting[] {
  // Then `restore-unfinished` says it, and what helps.
  if (isBetweenCopies(facts)) return [];
  const verdict = guardOf(facts);
  const { name } = facts.environment;
  if (verdict.state === 'held') {
    if (verdict.code !== code) return [];
    return [sighting(verdict.detail, verdict.cause)];
  }
  if (code === 'vault-empty' && isSuspiciouslyEmpty(facts)) {
    return [
      sighting('the vault holds no key, its operational does, and the guard did not bring this vault up', 'no-keys'),
    ];
  }
  return [];

  function sighting(detail: string, cause: string): Sighting {
    const rescuer = facts.operational !== undefined && hasData(facts.operational);
    return {
      instance: 'vault',
      message: `held: ${detail}`,
      evidence: { cause, operationalHasData: rescuer },
      remedy: rescuer
        ? `nexus3 recover ${name} --vault rebuilds the vault from its operational`
        : `Put its data back; or accept what is there: nexus3 recover ${name} --vault --accept-loss`,
      fixable: false,
    };
  }
}
