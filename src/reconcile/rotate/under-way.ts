/**
 * What a rotation that is under way, or was cut off, makes of what is seen: every state that it may leave accepts what
 * Locker hands out, so none of them is drift. Pure.
 */
import type { StoredCredentials } from '../../locker/locker.js';
import type { Secret } from '../../protocol/secret.js';
import type { AclDifference, CredentialName, Credentials } from '../../protocol/users.js';
import type { OldPassword, RotationFacts } from '../facts.js';

const DAY_MS = 86_400_000;

/** Only what Locker hands out: what a finished rotation leaves. */
export function currentOnly(credentials: Credentials): Credentials {
  const { alsoAccepted: _, ...current } = credentials;
  return current;
}

/** The replication password that the operational may still log in with; undefined where there is but one. */
export function replicationBefore(
  { alsoAccepted }: Credentials,
  rotation: StoredCredentials['rotation'],
): Secret | undefined {
  return rotation?.phase === 'promoted' ? alsoAccepted?.replicator : undefined;
}

/**
 * A user whose password is rotated may accept both, or only the one that Locker hands out.
 * @param both against what is rendered while the rotation runs
 * @param one against what is rendered when none runs
 */
export function toleratedDifferences(
  both: readonly AclDifference[],
  one: readonly AclDifference[],
): readonly AclDifference[] {
  const isWrongEitherWay = ({ user }: AclDifference): boolean =>
    one.some((other) => other.user === user && other.kind === 'password');
  return both.filter((difference) => difference.kind !== 'password' || isWrongEitherWay(difference));
}

export function rotationSeen(rotation: StoredCredentials['rotation'], now: Date): RotationFacts | undefined {
  if (rotation === undefined) return undefined;
  const { graceUntil } = rotation;
  return { ...rotation, graceRuns: graceUntil !== null && Date.parse(graceUntil) > now.getTime() };
}

/** @param maxAgeDays undefined: no password is ever too old. */
export function oldPasswords(
  madeAt: StoredCredentials['madeAt'],
  needed: readonly CredentialName[],
  maxAgeDays: number | undefined,
  now: Date,
): readonly OldPassword[] {
  if (maxAgeDays === undefined) return [];
  return needed
    .flatMap((name) => {
      const at = madeAt[name];
      const days = at === undefined ? 0 : Math.floor((now.getTime() - Date.parse(at)) / DAY_MS);
      return days > maxAgeDays ? [{ name, days }] : [];
    })
    .toSorted((a, b) => b.days - a.days);
}
