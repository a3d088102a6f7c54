/** Which lockers there are: `nexus3:locker:ids` as it was read, and who is meant by what a person typed. */
import { randomInt } from 'node:crypto';
import { Nexus3Error } from '../../errors.js';
import type { LockerReply } from '../channel.js';
import { ENVIRONMENTS_LOCKER, KEY, LOCKER_ID } from '../keys.js';
import { toFields } from '../sealed-hash.js';
import { LOCKERS_MAX, shown } from './words.js';

/** ` (did you mean "track"?)`, or nothing. Handed in: what is near is told by another part of nexus3. */
export type Suggest = (word: string, known: readonly string[]) => string;

const IDS = 2 ** 16;
/** So often an id is drawn before those that are left are counted out. */
const DRAWS_MAX = 32;
/** How many names an error lists. */
const NAMES_SHOWN_MAX = 12;

export interface Entry {
  readonly id: string;
  readonly name: string;
}

export class Shelf {
  /** In use, by id, in the order of their names. */
  readonly entries: readonly Entry[];
  /** Also those that were given up. */
  readonly #used: ReadonlySet<string>;
  readonly #suggest: Suggest;

  constructor(reply: LockerReply | undefined, suggest: Suggest) {
    const known = [...toFields(reply)].filter(([id]) => LOCKER_ID.test(id) && id !== ENVIRONMENTS_LOCKER.id);
    const named = known.filter(([, name]) => name !== '').map(([id, name]) => ({ id, name }));
    this.entries = [ENVIRONMENTS_LOCKER, ...named.sort((a, b) => compare(a.name, b.name) || compare(a.id, b.id))];
    this.#used = new Set([ENVIRONMENTS_LOCKER.id, ...known.map(([id]) => id)]);
    this.#suggest = suggest;
  }

  /** By id or by name. @throws Nexus3Error LOCKER_UNKNOWN */
  find(ref: string): Entry {
    const wanted = ref.toLowerCase();
    const found = LOCKER_ID.test(wanted)
      ? this.entries.find(({ id }) => id === wanted)
      : this.entries.find(({ name }) => name.toLowerCase() === wanted);
    if (found !== undefined) return found;
    throw this.#unknown(ref, wanted);
  }

  /** @throws Nexus3Error LOCKER_EXISTS @param except the one that is renamed may keep its name in another case */
  refuseTaken(name: string, except?: string): void {
    const taken = this.entries.find((one) => one.id !== except && one.name.toLowerCase() === name.toLowerCase());
    if (taken === undefined) return;
    throw new Nexus3Error('LOCKER_EXISTS', `There is a locker named ${shown(taken.name)} already.`, {
      evidence: [`${taken.id} is named ${shown(taken.name)}; upper and lower case make no difference`],
      hint: `Use that one (nexus3 locker show ${taken.id}), or choose another name.`,
    });
  }

  /** An id that nobody has or had. @throws Nexus3Error LOCKER_FULL */
  newId(draw: () => number = () => randomInt(IDS)): string {
    const lockers = this.entries.length - 1;
    if (lockers >= LOCKERS_MAX) {
      throw new Nexus3Error('LOCKER_FULL', 'There are as many lockers as there may be.', {
        evidence: [`${String(lockers)} lockers`],
        hint: 'Put keys that belong together into one locker, or delete one: nexus3 locker list',
      });
    }
    for (let attempt = 0; attempt < DRAWS_MAX; attempt += 1) {
      const id = idOf(draw());
      if (!this.#used.has(id)) return id;
    }
    const free = Array.from({ length: IDS }, (_, number) => idOf(number)).filter((id) => !this.#used.has(id));
    const id = free[draw() % Math.max(1, free.length)];
    if (id !== undefined) return id;
    throw new Nexus3Error('LOCKER_FULL', 'All ids of lockers have been given once, and none is given twice.', {
      evidence: [`${String(this.#used.size)} ids are in use or were given up`],
      hint: 'Rename a locker that is no longer needed, and empty it: nexus3 locker list',
    });
  }

  #unknown(ref: string, wanted: string): Nexus3Error {
    const names = this.entries.map(({ name }) => name);
    const gone = this.#used.has(wanted);
    const near = gone ? '' : this.#suggest(ref, [...names, ...this.entries.map(({ id }) => id)]);
    return new Nexus3Error('LOCKER_UNKNOWN', `There is no locker ${shown(ref)}${near}.`, {
      evidence: gone ? [`${wanted} was deleted`] : [`known: ${listed(names)}`],
      hint: 'See what there is: nexus3 locker list',
    });
  }
}

function idOf(number: number): string {
  return `l_${number.toString(16).padStart(4, '0')}`;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

/** The first of them, for an error. */
export function listed(names: readonly string[]): string {
  const first = names.slice(0, NAMES_SHOWN_MAX).map(shown);
  return [...first, ...(names.length > NAMES_SHOWN_MAX ? ['…'] : [])].join(', ');
}

/** What asks for it. */
export const READ_IDS: readonly string[] = ['HGETALL', KEY.ids];
