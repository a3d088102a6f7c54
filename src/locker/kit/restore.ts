/** Writes what a recovery kit holds into Locker: what is missing there, and on demand also what differs. */
import { mapBounded } from '../../concurrency.js';
import { Secret } from '../../protocol/secret.js';
import type { Restored } from '../custody.js';
import type { Change, LockerDatabase } from '../database.js';
import type { HashPlace } from '../envelope.js';
import { placeOfKey } from '../keys.js';
import { FIELD, SealBroken, type SealedHash, toFields } from '../sealed-hash.js';
import type { KitDocument, KitHash, KitValue } from './document.js';

/** They share their waits for the disk. */
const HASHES_AT_ONCE_MAX = 64;

interface Outcome {
  readonly added: string[];
  readonly kept: string[];
  readonly replaced: string[];
}

/** @throws Nexus3Error LOCKER_UNREACHABLE, LOCKER_VALUE_UNREADABLE, LOCKER_VALUE_TAMPERED */
export async function restoreLocker(
  database: LockerDatabase,
  { hashes }: KitDocument,
  overwrite: boolean,
): Promise<Restored> {
  const outcomes = await mapBounded(hashes, HASHES_AT_ONCE_MAX, (hash) => {
    const place = placeOfKey(hash.key);
    return place === undefined
      ? restorePlain(database, hash, overwrite)
      : restoreSealed(database, hash, place, overwrite);
  });
  await database.durable();
  return {
    added: outcomes.flatMap(({ added }) => added).sort(),
    kept: outcomes.flatMap(({ kept }) => kept).sort(),
    replaced: outcomes.flatMap(({ replaced }) => replaced).sort(),
  };
}

async function restoreSealed(
  database: LockerDatabase,
  kit: KitHash,
  place: HashPlace,
  overwrite: boolean,
): Promise<Outcome> {
  const label = place.env === '' ? place.lockerId : `${place.lockerId}/${place.env}`;
  const { [FIELD.dataKey]: dataKey = '' } = kit.fields;
  // A hash that is gone gets the key that it had, so that what was sealed for tokens opens again.
  await database.ask([['HSETNX', kit.key, FIELD.dataKey, dataKey]]);
  return database.change({ key: kit.key, place, label }, (hash) => decide(hash, kit, label, overwrite));
}

function decide(hash: SealedHash, kit: KitHash, label: string, overwrite: boolean): Change<Outcome> {
  const outcome: Outcome = { added: [], kept: [], replaced: [] };
  const fresh = hash.names('value').length === 0;
  const words: string[] = [];
  for (const value of kit.values.filter(({ slot }) => slot === 'value')) {
    const restored = restoreValue(hash, kit, value, overwrite);
    words.push(...restored.words);
    if (restored.what !== 'same') outcome[restored.what].push(`${label}.${value.name}`);
  }
  // A rotation under way belongs to the values that it is about.
  if (fresh) for (const value of kit.values.filter(({ slot }) => slot === 'next')) words.push(...sealed(hash, value));
  for (const [field, text] of Object.entries(kit.fields)) {
    if (field === FIELD.dataKey || field.startsWith(FIELD.made('')) || hash.fields.has(field)) continue;
    const belongs = field.startsWith('token-key:')
      ? hash.fields.get(FIELD.dataKey) === kit.fields[FIELD.dataKey]
      : fresh;
    if (belongs) words.push(field, text);
  }
  return { commands: words.length === 0 ? [] : [['HSET', kit.key, ...words]], result: outcome };
}

function restoreValue(
  hash: SealedHash,
  kit: KitHash,
  value: KitValue,
  overwrite: boolean,
): { readonly what: 'added' | 'kept' | 'replaced' | 'same'; readonly words: readonly string[] } {
  const { name, text } = value;
  const there = overwrite ? openUnlessBroken(hash, name) : hash.open('value', name);
  const made = kit.fields[FIELD.made(name)];
  const madeWords = made === undefined ? [] : [FIELD.made(name), made];
  if (there === 'broken') {
    return { what: 'replaced', words: [...hash.sealNew('value', name, new Secret(text)), ...madeWords] };
  }
  if (there?.reveal() === text) return { what: 'same', words: [] };
  if (there !== undefined && !overwrite) return { what: 'kept', words: [] };
  if (there !== undefined) {
    const words = [...hash.moved('value', 'previous', name), ...hash.sealNew('value', name, new Secret(text))];
    return { what: 'replaced', words: [...words, ...madeWords] };
  }
  const before = kit.values.find((one) => one.slot === 'previous' && one.name === name);
  const previous = before === undefined || hash.fields.has(FIELD.in('previous', name)) ? [] : sealed(hash, before);
  return { what: 'added', words: [...sealed(hash, value), ...previous, ...madeWords] };
}

/** A value that somebody changed is what the kit is there for; there is nothing to keep of it. */
function openUnlessBroken(hash: SealedHash, name: string): Secret | undefined | 'broken' {
  try {
    return hash.open('value', name);
  } catch (error) {
    if (error instanceof SealBroken && error.at !== undefined) return 'broken';
    throw error;
  }
}

function sealed(hash: SealedHash, { slot, name, version, text }: KitValue): readonly string[] {
  return hash.sealAs(slot, name, version, new Secret(text));
}

async function restorePlain(database: LockerDatabase, { key, fields }: KitHash, overwrite: boolean): Promise<Outcome> {
  const outcome: Outcome = { added: [], kept: [], replaced: [] };
  const [reply] = await database.ask([['HGETALL', key]]);
  const there = toFields(reply);
  const words: string[] = [];
  for (const [field, text] of Object.entries(fields)) {
    const now = there.get(field);
    if (now === text) continue;
    const what = now === undefined ? 'added' : overwrite ? 'replaced' : 'kept';
    outcome[what].push(`${key} ${field}`);
    if (what !== 'kept') words.push(field, text);
  }
  if (words.length > 0) await database.ask([['HSET', key, ...words]]);
  return outcome;
}
