/**
 * Where a sealed text belongs that does not open in its place: looked for only after that failure, and within bounds. What
 * is found was moved by somebody who can write to Locker's data; what is not found was changed.
 */
import { Nexus3Error } from '../errors.js';
import type { LockerReply } from './channel.js';
import type { HashPlace } from './envelope.js';
import { versionOf } from './envelope.js';
import { KEY, placeOfKey } from './keys.js';
import type { Broken, SealBroken, SealedHash } from './sealed-hash.js';
import { FIELD, PUT_BACK, SLOTS } from './sealed-hash.js';

/** Names of one hash that are tried, each in every slot. */
const NAMES_TRIED_MAX = 256;
/** Versions of one name that are tried. */
const VERSIONS_TRIED_MAX = 256;
/** Other hashes that are read. */
const HASHES_READ_MAX = 1_000;
const SCAN_COUNT = 1_000;
const SCANS_MAX = 100;

/** As much of the database as this takes. */
export interface Asked {
  ask(commands: readonly (readonly string[])[]): Promise<readonly LockerReply[]>;
  hash(address: { key: string; place: HashPlace; label: string }, reply: LockerReply | undefined): SealedHash;
}

/** What is to be said instead of this failure: the failure itself where nothing more can be known. */
export async function explainBroken(database: Asked, broken: SealBroken): Promise<Nexus3Error> {
  const { hash } = broken;
  if (broken.at !== undefined) {
    const within = homeWithin(hash, broken.at);
    if (within !== undefined) return moved(broken, within);
  }
  const others = await otherHashes(database, hash).catch(() => []);
  return broken.at === undefined ? explainKey(broken, others) : explainValue(broken, broken.at, others);
}

function explainValue(broken: SealBroken, { slot, name }: Broken, others: readonly SealedHash[]): Nexus3Error {
  const text = broken.hash.fields.get(FIELD.in(slot, name)) ?? '';
  for (const other of others) {
    const home = homeIn(other, text);
    if (home !== undefined) return moved(broken, `${home} of ${other.label}`);
  }
  return broken;
}

function explainKey(broken: SealBroken, others: readonly SealedHash[]): Nexus3Error {
  const { hash } = broken;
  const wrapped = hash.fields.get(FIELD.dataKey);
  const owner = others.find(({ place }) => wrapped !== undefined && hash.isDataKeyOf(place, wrapped));
  if (owner !== undefined) return moved(broken, `${FIELD.dataKey} of ${owner.label}`);
  // The root key opens others: it is the right one.
  return others.some(({ opens }) => opens) ? broken.asTampered() : broken;
}

/** Elsewhere in the same hash; or in its place, but as another version than the text now claims. */
function homeWithin(hash: SealedHash, { slot, name }: Broken): string | undefined {
  const text = hash.fields.get(FIELD.in(slot, name)) ?? '';
  const home = homeIn(hash, text);
  if (home !== undefined) return home;
  const version = otherVersion(hash, { slot, name }, text);
  return version === undefined ? undefined : `version ${String(version)} of ${FIELD.in(slot, name)}`;
}

function homeIn(hash: SealedHash, text: string): string | undefined {
  if (!hash.opens) return undefined;
  const names = new Set(SLOTS.flatMap((slot) => hash.names(slot)));
  for (const name of [...names].slice(0, NAMES_TRIED_MAX)) {
    const slot = SLOTS.find((one) => hash.opensAs(one, name, text));
    if (slot !== undefined) return FIELD.in(slot, name);
  }
  return undefined;
}

function otherVersion(hash: SealedHash, { slot, name }: Broken, text: string): number | undefined {
  if (versionOf(text) === undefined) return undefined;
  for (let version = 1; version <= VERSIONS_TRIED_MAX; version += 1) {
    const other = text.replace(/^(v\d+)\.\d+\./, `$1.${String(version)}.`);
    if (hash.opensAs(slot, name, other)) return version;
  }
  return undefined;
}

async function otherHashes(database: Asked, hash: SealedHash): Promise<readonly SealedHash[]> {
  const addresses = (await sealedKeys(database)).flatMap((key) => {
    const place = placeOfKey(key);
    if (place === undefined || (place.lockerId === hash.place.lockerId && place.env === hash.place.env)) return [];
    return [{ key, place, label: place.env === '' ? place.lockerId : place.env }];
  });
  if (addresses.length === 0) return [];
  const replies = await database.ask(addresses.map(({ key }) => ['HGETALL', key]));
  return addresses.map((address, index) => database.hash(address, replies[index]));
}

async function sealedKeys(database: Asked): Promise<readonly string[]> {
  const keys = new Set<string>();
  let cursor = '0';
  for (let scan = 0; scan < SCANS_MAX && keys.size < HASHES_READ_MAX; scan += 1) {
    const command = ['SCAN', cursor, 'MATCH', KEY.all, 'COUNT', String(SCAN_COUNT), 'TYPE', 'hash'];
    const [reply] = await database.ask([command]);
    const [next, found] = isList(reply) ? reply : [];
    for (const key of isList(found) ? found : []) if (typeof key === 'string') keys.add(key);
    cursor = typeof next === 'string' ? next : '0';
    if (cursor === '0') break;
  }
  return [...keys].slice(0, HASHES_READ_MAX);
}

function isList(reply: LockerReply | undefined): reply is readonly LockerReply[] {
  return Array.isArray(reply);
}

function moved({ hash, at }: SealBroken, home: string): Nexus3Error {
  const field = at === undefined ? FIELD.dataKey : FIELD.in(at.slot, at.name);
  return new Nexus3Error('LOCKER_VALUE_MOVED', `What lies at ${field} of ${hash.label} in Locker belongs elsewhere.`, {
    evidence: [`${hash.label}: ${field} holds what was sealed as ${home}`],
    hint: PUT_BACK,
  });
}
