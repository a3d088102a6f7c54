/** What Locker holds before a kit is restored into it, as far as that decides what may be restored. */
import { Nexus3Error } from '../../errors.js';
import type { LockerDatabase } from '../database.js';
import { ENVIRONMENTS_LOCKER, KEY } from '../keys.js';
import { inBatches, sealedHashes } from '../rekey/scan.js';
import { parseRotation, ROTATION_FIELD } from '../rotation-field.js';
import { FIELD, type SealedHash, SLOTS, toFields, unreadable } from '../sealed-hash.js';

export interface Held {
  /** Ids of lockers that were deleted. */
  readonly deletedLockers: ReadonlySet<string>;
  /** Ids; undefined: Locker knows nothing of tokens, as one that is new. */
  readonly tokens: ReadonlySet<string> | undefined;
}

/** @throws Nexus3Error LOCKER_VALUE_UNREADABLE where the root key opens nothing of what there is */
export async function whatIsHeld(
  database: LockerDatabase,
  visit: (hash: SealedHash) => void = () => undefined,
): Promise<Held> {
  const [replied] = await database.ask([['HGETALL', KEY.ids]]);
  const deleted = [...toFields(replied)].filter(([, name]) => name === '').map(([id]) => id);
  const addresses = await sealedHashes(database);
  let tokens: ReadonlySet<string> | undefined;
  const keyed = { opened: 0, shut: 0 };
  for (const batch of inBatches(addresses)) {
    const replies = await database.ask(batch.map(({ key }) => ['HGETALL', key]));
    for (const [index, address] of batch.entries()) {
      const hash = database.hash(address, replies[index]);
      if (address.key === KEY.tokens) tokens = new Set(hash.names('value'));
      if (hash.fields.has(FIELD.dataKey)) keyed[hash.opens ? 'opened' : 'shut'] += 1;
      visit(hash);
    }
  }
  // Before anything is written: what was added under this root key would look as if it were Locker's.
  if (keyed.opened === 0 && keyed.shut > 0) throw unreadable('all it has', 'no data key opens with this root key');
  return { deletedLockers: new Set(deleted), tokens };
}

/** Of what belongs together in a rotation, nothing was changed, so the rotation can be finished. */
export function isWhole(hash: SealedHash): boolean {
  return hash.opens && SLOTS.every((slot) => hash.names(slot).every((name) => !hash.isBroken(slot, name)));
}

/**
 * Values of a kit in the place of those that a rotation is about would turn it backwards.
 * @param configured environments, whose rotations can be finished
 * @throws Nexus3Error LOCKER_ROTATING
 */
export function refuseRotating(hash: SealedHash, configured: ReadonlySet<string>): void {
  const { lockerId, env } = hash.place;
  if (lockerId !== ENVIRONMENTS_LOCKER.id || !configured.has(env)) return;
  const note = hash.fields.get(ROTATION_FIELD);
  if (note === undefined || parseRotation(note) === undefined || !isWhole(hash)) return;
  throw new Nexus3Error('LOCKER_ROTATING', `A rotation of ${env} is under way; nothing of the kit was restored.`, {
    evidence: [`${env}: the kit’s values would turn it backwards`],
    hint: `Finish it first: nexus3 rotate ${env}`,
  });
}
