/** Every key of Locker's, and which of them are hashes that something is sealed in. */
import { Nexus3Error } from '../../errors.js';
import type { LockerReply } from '../channel.js';
import type { HashAddress, LockerDatabase } from '../database.js';
import { KEY, placeOfKey } from '../keys.js';
import { notLocker } from '../sealed-hash.js';

const SCAN_COUNT = '1000';
/** More keys than this is not Locker. */
const KEYS_MAX = 1_000_000;
/** How many hashes are asked for at once. */
export const BATCH_HASHES_MAX = 100;

/** In order of their names. @throws Nexus3Error LOCKER_UNREACHABLE */
export async function allKeys(database: LockerDatabase): Promise<readonly string[]> {
  const keys = new Set<string>();
  let cursor = '0';
  do {
    const [reply] = await database.ask([['SCAN', cursor, 'MATCH', KEY.all, 'COUNT', SCAN_COUNT]]);
    const [next, page] = Array.isArray(reply) ? (reply as readonly LockerReply[]) : [];
    if (typeof next !== 'string' || !Array.isArray(page)) throw notLocker('SCAN');
    for (const key of page as readonly unknown[]) if (typeof key === 'string') keys.add(key);
    if (keys.size > KEYS_MAX) throw tooMany();
    cursor = next;
  } while (cursor !== '0');
  return [...keys].sort();
}

export async function sealedHashes(database: LockerDatabase): Promise<readonly HashAddress[]> {
  return (await allKeys(database)).flatMap((key) => {
    const place = placeOfKey(key);
    return place === undefined ? [] : [{ key, place, label: place.env === '' ? place.lockerId : place.env }];
  });
}

export function inBatches<T>(items: readonly T[]): readonly (readonly T[])[] {
  const count = Math.ceil(items.length / BATCH_HASHES_MAX);
  return Array.from({ length: count }, (_, index) =>
    items.slice(index * BATCH_HASHES_MAX, (index + 1) * BATCH_HASHES_MAX),
  );
}

function tooMany(): Nexus3Error {
  return new Nexus3Error('LOCKER_UNREACHABLE', 'Locker holds more than it can have been given.', {
    evidence: [`more than ${String(KEYS_MAX)} keys ${KEY.all}`],
    hint: 'Somebody else writes there: see `nexus3 cli locker`, DBSIZE and SCAN.',
  });
}
