/** Writes what a recovery kit holds into Locker: what is missing there, and on demand also what differs. */
import { mapBounded } from '../../concurrency.js';
import { Secret } from '../../protocol/secret.js';
import type { Restored, RestoreOptions } from '../custody.js';
import type { Change, LockerDatabase } from '../database.js';
import type { HashPlace } from '../envelope.js';
import { ENVIRONMENTS_LOCKER, KEY, placeOfKey } from '../keys.js';
import { parseRotation, ROTATION_FIELD } from '../rotation-field.js';
import { FIELD, type SealedHash, SLOTS, toFields } from '../sealed-hash.js';
import type { KitDocument, KitHash, KitValue } from './document.js';
import { type Held, isWhole, refuseRotating, whatIsHeld } from './held.js';

/** They share their waits for the disk. */
const HASHES_AT_ONCE_MAX = 64;
/** nexus3's own way into the servers: with an older one it could put nothing else in force there. */
const WAYS_IN: ReadonlySet<string> = new Set(['admin', 'operational-admin']);
const TOKEN_KEY = /^token-key:([^:]*):/;

interface Outcome {
  readonly added: string[];
  readonly kept: string[];
  readonly replaced: string[];
  readonly dropped: string[];
}

const nothing = (): Outcome => ({ added: [], kept: [], replaced: [], dropped: [] });

/** @throws Nexus3Error LOCKER_UNREACHABLE, LOCKER_ROTATING, LOCKER_VALUE_UNREADABLE, LOCKER_VALUE_TAMPERED */
export async function restoreLocker(
  database: LockerDatabase,
  { hashes }: KitDocument,
  { overwrite, configured }: RestoreOptions,
): Promise<Restored> {
  const held = await whatIsHeld(database, (hash) => {
    if (overwrite) refuseRotating(hash, configured);
  });
  const outcomes = await mapBounded(hashes, HASHES_AT_ONCE_MAX, (kit) => {
    if (!overwrite && isOfDeletedLocker(kit.key, held)) return Promise.resolve(nothing());
    const place = placeOfKey(kit.key);
    if (place === undefined) return restorePlain(database, kit, overwrite);
    return new SealedRestoring(kit, place, overwrite, held).restore(database);
  });
  await database.durable();
  const all = (which: keyof Outcome): readonly string[] => outcomes.flatMap((outcome) => outcome[which]).sort();
  return { added: all('added'), kept: all('kept'), replaced: all('replaced'), dropped: all('dropped') };
}

function isOfDeletedLocker(key: string, { deletedLockers }: Held): boolean {
  return [...deletedLockers].some((id) => key === KEY.meta(id) || key === KEY.values(id));
}

/** One sealed hash. */
class SealedRestoring {
  readonly #label: string;

  constructor(
    readonly kit: KitHash,
    readonly place: HashPlace,
    readonly overwrite: boolean,
    readonly held: Held,
  ) {
    this.#label = place.env === '' ? place.lockerId : `${place.lockerId}/${place.env}`;
  }

  /** All of it or nothing, so that what is there afterwards, when this is cut off, was not begun by it. */
  async restore(database: LockerDatabase): Promise<Outcome> {
    const { key, fields } = this.kit;
    const address = { key, place: this.place, label: this.#label };
    const decide = ([reply]: readonly unknown[]): Change<Outcome> => {
      const found = database.hash(address, reply as Parameters<typeof toFields>[0]);
      const { [FIELD.dataKey]: dataKey = '' } = fields;
      // A hash that is gone gets the key that it had, so that what was sealed for tokens opens again.
      const isReplaced = !found.fields.has(FIELD.dataKey) || (this.overwrite && !found.opens);
      if (!isReplaced) return this.#decide(found, found.fields.size === 0, false);
      const change = this.#decide(found.withDataKey(dataKey), found.fields.size === 0, true);
      const commands = [
        ['HDEL', key, FIELD.nextDataKey],
        ['HSET', key, FIELD.dataKey, dataKey],
      ];
      return { commands: [...commands, ...change.commands], result: change.result };
    };
    return database.explained(() => database.transact([key], this.#label, decide));
  }

  #decide(hash: SealedHash, gone: boolean, hasKitsKey: boolean): Change<Outcome> {
    const outcome = nothing();
    const fresh = hash.names('value').length === 0;
    const words: string[] = [];
    for (const value of this.kit.values.filter(({ slot }) => slot === 'value')) {
      const restored = this.#restoreValue(hash, value, gone);
      words.push(...restored.words);
      if (restored.what !== 'same') outcome[restored.what].push(`${this.#label}.${value.name}`);
    }
    // A rotation under way belongs to the values that it is about.
    if (fresh) {
      for (const value of this.kit.values.filter(({ slot }) => slot === 'next')) words.push(...sealed(hash, value));
    }
    for (const [field, text] of Object.entries(this.kit.fields)) {
      if (this.#belongs(hash, field, fresh, hasKitsKey)) words.push(field, text);
    }
    const dropped = this.overwrite ? this.#beyondRepair(hash) : [];
    outcome.dropped.push(...dropped.map((field) => `${this.#label} ${field}`));
    const { key } = this.kit;
    return {
      commands: [
        ...(dropped.length === 0 ? [] : [['HDEL', key, ...dropped]]),
        ...(words.length === 0 ? [] : [['HSET', key, ...words]]),
      ],
      result: outcome,
    };
  }

  #belongs(hash: SealedHash, field: string, fresh: boolean, hasKitsKey: boolean): boolean {
    if (field === FIELD.dataKey || field.startsWith(FIELD.made(''))) return false;
    const [, token] = TOKEN_KEY.exec(field) ?? [];
    if (token === undefined) return fresh && !hash.fields.has(field);
    // One that was taken back since stays so.
    if (this.held.tokens !== undefined && !this.held.tokens.has(token)) return false;
    if (hasKitsKey) return true;
    return !hash.fields.has(field) && hash.fields.get(FIELD.dataKey) === this.kit.fields[FIELD.dataKey];
  }

  #restoreValue(
    hash: SealedHash,
    value: KitValue,
    gone: boolean,
  ): { readonly what: 'added' | 'kept' | 'replaced' | 'same'; readonly words: readonly string[] } {
    const { name, text } = value;
    const made = this.kit.fields[FIELD.made(name)];
    const madeWords = made === undefined ? [] : [FIELD.made(name), made];
    const anew = (): readonly string[] => [...hash.sealNew('value', name, new Secret(text)), ...madeWords];
    // What somebody changed is what the kit is there for; there is nothing to keep of it.
    if (this.overwrite && hash.isBroken('value', name)) return { what: 'replaced', words: anew() };
    const there = hash.open('value', name);
    if (there?.reveal() === text) return { what: 'same', words: [] };
    if (there === undefined) {
      // A token that Locker does not know any more was taken back.
      if (this.kit.key === KEY.tokens && !gone) return { what: 'kept', words: [] };
      const before = this.kit.values.find((one) => one.slot === 'previous' && one.name === name);
      const previous = before === undefined || hash.fields.has(FIELD.in('previous', name)) ? [] : sealed(hash, before);
      return { what: 'added', words: [...sealed(hash, value), ...previous, ...madeWords] };
    }
    if (!this.overwrite || this.#staysWhileWhole(hash, name)) return { what: 'kept', words: [] };
    return { what: 'replaced', words: [...hash.moved('value', 'previous', name), ...anew()] };
  }

  /** Whatever the kit says. */
  #staysWhileWhole(hash: SealedHash, name: string): boolean {
    if (this.kit.key === KEY.tokens) return true;
    if (this.place.lockerId !== ENVIRONMENTS_LOCKER.id) return false;
    return WAYS_IN.has(name) || parseRotation(hash.fields.get(ROTATION_FIELD) ?? '') !== undefined;
  }

  /** What does not open and the kit has nothing for; of no use to anybody, and in the way of all else. */
  #beyondRepair(hash: SealedHash): readonly string[] {
    const inKit = new Set(this.kit.values.filter(({ slot }) => slot === 'value').map(({ name }) => name));
    const broken = SLOTS.flatMap((slot) =>
      hash
        .names(slot)
        .filter((name) => hash.isBroken(slot, name) && !(slot === 'value' && inKit.has(name)))
        .map((name) => FIELD.in(slot, name)),
    );
    const note = hash.fields.get(ROTATION_FIELD);
    if (note === undefined) return broken;
    const rotation = parseRotation(note);
    // A note that cannot be read, or that promises values which are gone: then nothing has changed yet.
    if (rotation !== undefined && (rotation.phase === 'promoted' || isWhole(hash))) return broken;
    return [...new Set([...broken, ROTATION_FIELD, ...hash.names('next').map((name) => FIELD.in('next', name))])];
  }
}

function sealed(hash: SealedHash, { slot, name, version, text }: KitValue): readonly string[] {
  return hash.sealAs(slot, name, version, new Secret(text));
}

async function restorePlain(database: LockerDatabase, { key, fields }: KitHash, overwrite: boolean): Promise<Outcome> {
  const outcome = nothing();
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
