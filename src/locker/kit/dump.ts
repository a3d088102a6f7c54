/** Everything that Locker holds, opened, for a recovery kit. */
import type { LockerDatabase } from '../database.js';
import { versionOf } from '../envelope.js';
import { placeOfKey } from '../keys.js';
import { allKeys, inBatches } from '../rekey/scan.js';
import { FIELD, type SealedHash, SLOTS, toFields } from '../sealed-hash.js';
import { belongsIntoKit, type KitHash, type KitValue } from './document.js';

/** @throws Nexus3Error LOCKER_UNREACHABLE, LOCKER_VALUE_UNREADABLE, LOCKER_VALUE_TAMPERED */
export async function dumpLocker(database: LockerDatabase): Promise<readonly KitHash[]> {
  const keys = (await allKeys(database)).filter(belongsIntoKit);
  const dumped: KitHash[] = [];
  for (const batch of inBatches(keys)) {
    const types = await database.ask(batch.map((key) => ['TYPE', key]));
    const hashes = batch.filter((_, index) => types[index] === 'hash');
    const replies = await database.ask(hashes.map((key) => ['HGETALL', key]));
    for (const [index, key] of hashes.entries()) {
      const place = placeOfKey(key);
      const fields = toFields(replies[index]);
      // Removed since the scan.
      if (fields.size === 0) continue;
      if (place === undefined) dumped.push({ key, fields: Object.fromEntries(fields), values: [] });
      else {
        const label = place.env === '' ? place.lockerId : place.env;
        dumped.push({ key, ...opened(database.hash({ key, place, label }, replies[index])) });
      }
    }
  }
  return dumped;
}

function opened(hash: SealedHash): Omit<KitHash, 'key'> {
  const sealed = new Set<string>([FIELD.nextDataKey]);
  const values = SLOTS.flatMap((slot) =>
    hash.names(slot).flatMap((name): readonly KitValue[] => {
      const field = FIELD.in(slot, name);
      sealed.add(field);
      const value = hash.open(slot, name);
      if (value === undefined) return [];
      return [{ name, slot, version: versionOf(hash.fields.get(field) ?? '') ?? 1, text: value.reveal() }];
    }),
  );
  return { fields: Object.fromEntries([...hash.fields].filter(([field]) => !sealed.has(field))), values };
}
