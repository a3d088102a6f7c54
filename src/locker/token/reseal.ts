/** A hash sealed anew, under a data key that nobody has seen, with the value keys of those tokens that go on opening it. */
import type { HashAddress } from '../database.js';
import type { DataKey } from '../envelope.js';
import { ENVIRONMENTS_LOCKER, KEY, placeOfKey } from '../keys.js';
import { FIELD, type SealedHash, unreadable } from '../sealed-hash.js';
import { parseRecord, type TokenRecord } from './registry.js';

/** Of every field that FIELD.tokenKey names. */
const TOKEN_KEYS = 'token-key:';
export const TOKENS: HashAddress = {
  key: KEY.tokens,
  place: placeOfKey(KEY.tokens) ?? { lockerId: 'tokens', env: '' },
  label: 'the tokens',
};

export interface Resealed {
  readonly commands: readonly (readonly string[])[];
  /** What did not open, and is gone: fields of the values before. */
  readonly dropped: readonly string[];
}

/**
 * @param staying of the tokens' records; what was sealed for any other token goes
 * @param broken what happens where a value does not open: it stays as it is, or nothing is changed
 * @throws Nexus3Error LOCKER_VALUE_UNREADABLE, LOCKER_VALUE_TAMPERED
 */
export function resealed(
  key: string,
  hash: SealedHash,
  staying: readonly TokenRecord[],
  broken: 'stays' | 'throws' = 'throws',
): Resealed {
  const { dataKey, words, dropped } = hash.sealedAnew(broken);
  const isEnvironment = hash.place.lockerId === ENVIRONMENTS_LOCKER.id;
  const kept = staying
    .filter(({ env }) => isEnvironment && env === hash.place.env)
    .flatMap(({ id, key: tokenKey, names }) =>
      names
        .filter((name) => hash.fields.has(FIELD.tokenKey(id, name)))
        .flatMap((name) => wrappedFor(id, tokenKey, hash, dataKey, name)),
    );
  const old = [...hash.fields.keys()].filter((field) => field.startsWith(TOKEN_KEYS));
  return {
    commands: [
      ['HDEL', key, FIELD.nextDataKey, ...old, ...dropped],
      ['HSET', key, ...words, ...kept],
    ],
    dropped,
  };
}

/** The words of HSET. */
export function wrappedFor(
  id: string,
  tokenKey: Buffer,
  { place }: SealedHash,
  dataKey: DataKey,
  name: string,
): readonly string[] {
  const of = { ...place, name };
  return [FIELD.tokenKey(id, name), dataKey.valueKey(of).wrapFor(tokenKey, id, of)];
}

/** @throws Nexus3Error LOCKER_VALUE_UNREADABLE for a record that nexus3 did not write */
export function recordsIn(hash: SealedHash): readonly TokenRecord[] {
  return hash.names('value').map((id) => {
    const record = parseRecord(id, hash.open('value', id)?.reveal() ?? '');
    if (record === undefined) throw unreadable(hash.label, `what it says of ${id} cannot be read`);
    return record;
  });
}
