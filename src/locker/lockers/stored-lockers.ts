/** Lockers in Locker's Redis. What lies where is said in keys.ts and sealed-hash.ts. */
import { Nexus3Error } from '../../errors.js';
import type { Secret } from '../../protocol/secret.js';
import type { HashAddress, LockerDatabase } from '../database.js';
import { ENVIRONMENTS_LOCKER, KEY } from '../keys.js';
import type { Changed, LockerHit, Lockers, LockerSummary, LockerView, LockerWords, Revealed } from '../lockers.js';
import type { SealedHash } from '../sealed-hash.js';
import { environmentAddress } from '../store.js';
import { refuseFull, refuseSamePasswords } from './after-change.js';
import type { LockerEnvironments } from './environment-keys.js';
import { EnvironmentKeys } from './environment-keys.js';
import {
  commandsToDelete,
  commandsToForget,
  commandsToRestore,
  commandsToSet,
  isThere,
  namesIn,
  viewOf,
} from './key-states.js';
import { LockerReader, valuesAddress } from './reading.js';
import { type Entry, listed, Shelf, type Suggest } from './shelf.js';
import { checkWords, mistakeInKey, mistakeInValue, PASSWORD_BYTES_MAX, refuse, shown } from './words.js';

export interface LockersInit {
  readonly environments: LockerEnvironments;
  readonly suggest: Suggest;
  /** Draws a number below 65,536; chance where it is left out. */
  readonly draw?: () => number;
}

type Commands = readonly (readonly string[])[];

/** Where one key lies. */
interface Place {
  readonly key: string;
  readonly address: HashAddress;
  /** Within its hash. */
  readonly name: string;
  /** The environment that it belongs to, where it is one's password. */
  readonly env: string | undefined;
}

export class StoredLockers implements Lockers {
  readonly #database: LockerDatabase;
  readonly #reader: LockerReader;
  readonly #environments: EnvironmentKeys;
  readonly #init: LockersInit;

  constructor(database: LockerDatabase, init: LockersInit) {
    this.#database = database;
    this.#reader = new LockerReader(database, init.suggest);
    this.#environments = new EnvironmentKeys(init.environments, init.suggest);
    this.#init = init;
  }

  async list(): Promise<readonly LockerSummary[]> {
    return (await this.#reader.list()).map(({ id, name, description, keys }) => ({ id, name, description, keys }));
  }

  async show(ref: string): Promise<LockerView> {
    return this.#reader.show(await this.#find(ref));
  }

  async search(text: string): Promise<readonly LockerHit[]> {
    if (text.trim() === '') refuse(['nothing was given to search for']);
    return this.#reader.search(text);
  }

  async create(name: string, words: LockerWords, at: Date): Promise<LockerView> {
    checkWords(name, words);
    const { description = '', notes = '' } = words;
    const id = await this.#database.transact([KEY.ids], name, ([ids]) => {
      const shelf = new Shelf(ids, this.#init.suggest);
      shelf.refuseTaken(name);
      const fresh = shelf.newId(this.#init.draw);
      const meta = { id: fresh, name, description, notes, created: at.toISOString(), format: '1' };
      return {
        commands: [
          ['HSET', KEY.ids, fresh, name],
          ['HSET', KEY.meta(fresh), ...Object.entries(meta).flat()],
        ],
        result: fresh,
      };
    });
    return this.show(id);
  }

  async rename(ref: string, name: string): Promise<LockerView> {
    checkWords(name, {});
    const { id } = refuseEnvironments(await this.#find(ref), 'renamed');
    await this.#database.transact([KEY.ids], id, ([ids]) => {
      const shelf = new Shelf(ids, this.#init.suggest);
      shelf.find(id);
      shelf.refuseTaken(name, id);
      const commands = [
        ['HSET', KEY.ids, id, name],
        ['HSET', KEY.meta(id), 'name', name],
      ];
      return { commands, result: undefined };
    });
    return this.show(id);
  }

  async edit(ref: string, { description, notes }: LockerWords): Promise<LockerView> {
    checkWords(undefined, { description, notes });
    const { id } = await this.#find(ref);
    const words = [
      ...(description === undefined ? [] : ['description', description]),
      ...(notes === undefined ? [] : ['notes', notes]),
    ];
    if (words.length === 0) refuse(['neither a description nor notes were given']);
    await this.#database.transact([KEY.ids], id, ([ids]) => {
      new Shelf(ids, this.#init.suggest).find(id);
      return { commands: [['HSET', KEY.meta(id), ...words]], result: undefined };
    });
    return this.show(id);
  }

  async set(ref: string, values: ReadonlyMap<string, Secret | null>, at: Date): Promise<Changed> {
    const entry = await this.#find(ref);
    refuse(this.#mistakesInSet(entry, values));
    const places = [...values.keys()].map((key) => this.#locate(entry, key));
    return this.#change(entry, places, ({ key, name, address }, hash) => {
      const value = values.get(key);
      if (value === undefined || value === null) {
        return isThere(hash, 'value', name) ? commandsToDelete(hash, address.key, name) : undefined;
      }
      const others = places.filter((place) => place.address.key === address.key);
      const given = new Map(others.map((place) => [place.name, values.get(place.key) ?? undefined]));
      if (entry.id === ENVIRONMENTS_LOCKER.id) refuseSamePasswords(address.label, hash, given);
      else refuseFull(entry.id, hash, given);
      return commandsToSet(hash, address.key, name, value, at);
    });
  }

  async mistakesIn(ref: string, values: ReadonlyMap<string, Secret | null>): Promise<readonly string[]> {
    return this.#mistakesInSet(await this.#find(ref), values);
  }

  async reveal(ref: string, key: string): Promise<Revealed> {
    const entry = await this.#find(ref);
    const { address, name } = this.#locate(entry, key);
    const [reply] = await this.#database.ask([['HGETALL', address.key]]);
    const hash = this.#database.hash(address, reply);
    const value = await this.#database.explained(() => hash.open('value', name));
    if (value === undefined) throw await this.#keyUnknown(entry, key);
    const { version, madeAt } = viewOf(hash, name, key);
    return { ...entry, key, version: version ?? 0, madeAt, value };
  }

  async restore(ref: string, key: string): Promise<Changed> {
    const entry = await this.#find(ref);
    const place = this.#locate(entry, key);
    const known = await this.#keyUnknown(entry, key, 'previous');
    return this.#change(entry, [place], ({ name, address, env }, hash) => {
      const before = hash.open('previous', name);
      if (before === undefined) throw known;
      if (env !== undefined) refuseSamePasswords(env, hash, new Map([[name, before]]));
      return commandsToRestore(hash, address.key, name);
    });
  }

  async deleteKey(ref: string, key: string, forGood: boolean): Promise<Changed> {
    const entry = await this.#find(ref);
    const place = this.#locate(entry, key);
    const mistake = isEnvironments(entry) ? this.#environments.mistakeInDelete(key) : undefined;
    if (mistake !== undefined) {
      throw new Nexus3Error('LOCKER_REFUSED', `${key} cannot be deleted.`, {
        evidence: [mistake],
        hint: 'Nothing was changed. `nexus3 locker set` and `restore` change it.',
      });
    }
    const known = await this.#keyUnknown(entry, key, forGood ? 'previous' : 'value');
    return this.#change(entry, [place], ({ name, address }, hash) => {
      const there = isThere(hash, 'value', name);
      if (!there && !(forGood && isThere(hash, 'previous', name))) throw known;
      return forGood ? commandsToForget(address.key, name) : commandsToDelete(hash, address.key, name);
    });
  }

  async deleteLocker(ref: string): Promise<LockerView> {
    const entry = refuseEnvironments(await this.#find(ref), 'deleted');
    const view = await this.#reader.show(entry);
    await this.#database.transact([KEY.ids], entry.id, ([ids]) => {
      new Shelf(ids, this.#init.suggest).find(entry.id);
      const commands = [
        ['HSET', KEY.ids, entry.id, ''],
        ['UNLINK', KEY.meta(entry.id), KEY.values(entry.id)],
      ];
      return { commands, result: undefined };
    });
    return view;
  }

  async #find(ref: string): Promise<Entry> {
    return (await this.#reader.shelf()).find(ref);
  }

  /** @throws Nexus3Error LOCKER_KEY_UNKNOWN for what can be no key of the environments */
  #locate(entry: Entry, key: string): Place {
    if (!isEnvironments(entry)) return { key, address: valuesAddress(entry.id), name: key, env: undefined };
    const parsed = this.#environments.parse(key);
    if (parsed !== undefined) return { key, address: environmentAddress(parsed.env), ...parsed };
    const mistake = this.#environments.mistakeInSet(key) ?? '';
    throw new Nexus3Error('LOCKER_KEY_UNKNOWN', `${entry.id} has no key ${shown(key)}.`, {
      evidence: [mistake],
      hint: `See its keys: nexus3 locker show ${entry.id}`,
    });
  }

  #mistakesInSet(entry: Entry, values: ReadonlyMap<string, Secret | null>): readonly string[] {
    const ofEnvironments = isEnvironments(entry);
    return [...values].flatMap(([key, value]) => {
      const inKey = ofEnvironments
        ? value === null
          ? this.#environments.mistakeInDelete(key)
          : this.#environments.mistakeInSet(key)
        : mistakeInKey(key);
      const inValue =
        value === null ? undefined : mistakeInValue(value, ofEnvironments ? PASSWORD_BYTES_MAX : undefined);
      return [...(inKey === undefined ? [] : [inKey]), ...(inValue === undefined ? [] : [`${shown(key)}: ${inValue}`])];
    });
  }

  /** All of them in one transaction, which fails where the locker was given up meanwhile. Undefined: nothing to do. */
  async #change(
    entry: Entry,
    places: readonly Place[],
    decide: (place: Place, hash: SealedHash) => Commands | undefined,
  ): Promise<Changed> {
    const addresses = [...new Map(places.map(({ address }) => [address.key, address])).values()];
    const keys = [KEY.ids, ...addresses.map(({ key }) => key)];
    const changed = await this.#database.transact(keys, entry.id, ([ids, ...replies]) => {
      new Shelf(ids, this.#init.suggest).find(entry.id);
      const begun = new Map(addresses.map(({ key }, index) => [key, this.#begun(addresses[index], replies[index])]));
      const commands = new Map<string, Commands>();
      for (const place of places) {
        const hash = begun.get(place.address.key)?.hash;
        if (hash === undefined) continue;
        if (place.env !== undefined) this.#environments.refuseRotating(place.env, hash);
        const own = decide(place, hash);
        if (own !== undefined) commands.set(place.key, own);
      }
      const touched = new Set(places.filter(({ key }) => commands.has(key)).map(({ address }) => address.key));
      const first = [...touched].flatMap((key) => begun.get(key)?.commands ?? []);
      return { commands: [...first, ...[...commands.values()].flat()], result: [...commands.keys()] };
    });
    return { locker: await this.#reader.show(entry), changed };
  }

  #begun(
    address: HashAddress | undefined,
    reply: Parameters<LockerDatabase['begun']>[1],
  ): ReturnType<LockerDatabase['begun']> {
    if (address === undefined) throw new Error('each reply has its address');
    return this.#database.begun(address, reply);
  }

  async #keyUnknown(entry: Entry, key: string, slot: 'value' | 'previous' = 'value'): Promise<Nexus3Error> {
    const parts = await this.#reader.fill(await this.#reader.partsOf(entry));
    const all = parts.flatMap(({ hash, prefix }) => namesIn(hash).map((name) => viewOf(hash, name, prefix + name)));
    const view = all.find(({ name }) => name === key);
    const restorable = view?.version === null && view.hasPrevious;
    if (slot === 'previous' && view !== undefined) {
      return new Nexus3Error('LOCKER_KEY_UNKNOWN', `${entry.id} has no value before the last of ${key}.`, {
        evidence: [`there is none besides the value in use; what was before a deleted value is not kept`],
        hint: `See what there is: nexus3 locker show ${entry.id}`,
      });
    }
    const near = this.#init.suggest(
      key,
      all.filter(({ version }) => version !== null).map(({ name }) => name),
    );
    return new Nexus3Error('LOCKER_KEY_UNKNOWN', `${entry.id} has no key ${shown(key)}${restorable ? '' : near}.`, {
      evidence: restorable
        ? [`${key} was deleted; its last value is kept`]
        : [all.length === 0 ? 'it holds nothing' : `known: ${listed(all.map(({ name }) => name))}`],
      hint: restorable
        ? `Bring it back: nexus3 locker restore ${entry.id} ${key}`
        : `See its keys: nexus3 locker show ${entry.id}`,
    });
  }
}

function isEnvironments({ id }: Entry): boolean {
  return id === ENVIRONMENTS_LOCKER.id;
}

/** @throws Nexus3Error LOCKER_REFUSED */
function refuseEnvironments(entry: Entry, what: string): Entry {
  if (!isEnvironments(entry)) return entry;
  throw new Nexus3Error('LOCKER_REFUSED', `${entry.id} cannot be ${what}.`, {
    evidence: [`${entry.id} (${entry.name}) holds the passwords of all environments, and nexus3 finds it by that name`],
    hint: 'Nothing was changed. An environment goes with its passwords: nexus3 remove NAME',
  });
}
