/** What is seen of lockers without opening anything: which there are, what is said of them, which keys they have. */
import type { LockerReply } from '../channel.js';
import type { HashAddress, LockerDatabase } from '../database.js';
import { ENVIRONMENTS_LOCKER, KEY } from '../keys.js';
import type { FoundIn, KeyView, LockerHit, LockerSummary, LockerView } from '../lockers.js';
import { parseRotation, ROTATION_FIELD } from '../rotation-field.js';
import { FIELD, type Fields, notLocker, type SealedHash, toFields } from '../sealed-hash.js';
import { environmentAddress } from '../store.js';
import { namesIn, viewOf } from './key-states.js';
import type { Entry } from './shelf.js';
import { READ_IDS, Shelf, type Suggest } from './shelf.js';

/** How many lockers are asked for in one round trip. */
const CHUNK_LOCKERS = 250;
const ENVIRONMENTS_DESCRIPTION = 'the environments’ passwords, which nexus3 makes and rotates';
const ENVIRONMENT_PREFIX = KEY.environment('');

/** One hash of a locker. Its keys are shown with the prefix: `track.` for an environment, else nothing. */
export interface Part {
  readonly address: HashAddress;
  readonly prefix: string;
}

export interface FilledPart extends Part {
  readonly hash: SealedHash;
}

/** With the notes, in which a search looks. */
type Described = LockerSummary & { readonly notes: string };

export class LockerReader {
  readonly #database: LockerDatabase;
  readonly #suggest: Suggest;

  constructor(database: LockerDatabase, suggest: Suggest) {
    this.#database = database;
    this.#suggest = suggest;
  }

  async shelf(): Promise<Shelf> {
    const [pong, ids] = await this.#database.ask([['PING'], READ_IDS]);
    if (pong !== 'PONG') throw notLocker('PING');
    return new Shelf(ids, this.#suggest);
  }

  async list(): Promise<readonly Described[]> {
    const { entries } = await this.shelf();
    const described: Described[] = [];
    for (let start = 0; start < entries.length; start += CHUNK_LOCKERS) {
      const chunk = await Promise.all(
        entries.slice(start, start + CHUNK_LOCKERS).map((entry) => this.#describe(entry)),
      );
      described.push(...chunk);
    }
    return described;
  }

  async search(text: string): Promise<readonly LockerHit[]> {
    const wanted = text.toLowerCase();
    const holds = (where: string): boolean => where.toLowerCase().includes(wanted);
    return (await this.list()).flatMap(({ notes, ...locker }) => {
      const places: readonly (readonly [FoundIn, boolean])[] = [
        ['id', holds(locker.id)],
        ['name', holds(locker.name)],
        ['description', holds(locker.description)],
        ['notes', holds(notes)],
        ['key', locker.keys.some(holds)],
      ];
      const foundIn = places.filter(([, found]) => found).map(([place]) => place);
      return foundIn.length === 0 ? [] : [{ ...locker, foundIn }];
    });
  }

  async show(entry: Entry): Promise<LockerView> {
    const [[meta], parts] = await Promise.all([
      this.#database.ask([['HGETALL', KEY.meta(entry.id)]]),
      this.partsOf(entry).then((found) => this.fill(found)),
    ]);
    const words = wordsOf(entry, toFields(meta));
    return { ...entry, ...words, keys: parts.flatMap(keysOf) };
  }

  /** Where its values lie: one hash, or one for each environment that Locker has heard of. */
  async partsOf({ id }: Entry): Promise<readonly Part[]> {
    if (id !== ENVIRONMENTS_LOCKER.id) return [{ address: valuesAddress(id), prefix: '' }];
    const [keys] = await this.#database.ask([['KEYS', `${ENVIRONMENT_PREFIX}*`]]);
    const names = texts(keys, 'KEYS').map((key) => key.slice(ENVIRONMENT_PREFIX.length));
    return names.sort().map((env) => ({ address: environmentAddress(env), prefix: `${env}.` }));
  }

  async fill(parts: readonly Part[]): Promise<readonly FilledPart[]> {
    const replies = await this.#database.ask(parts.map(({ address }) => ['HGETALL', address.key]));
    return parts.map((part, index) => ({ ...part, hash: this.#database.hash(part.address, replies[index]) }));
  }

  async #describe(entry: Entry): Promise<Described> {
    const parts = await this.partsOf(entry);
    const [meta, ...fields] = await this.#database.ask([
      ['HGETALL', KEY.meta(entry.id)],
      ...parts.map(({ address }) => ['HKEYS', address.key]),
    ]);
    const start = FIELD.in('value', '');
    const keys = parts.flatMap(({ prefix }, index) =>
      texts(fields[index], 'HKEYS')
        .filter((field) => field.startsWith(start))
        .map((field) => prefix + field.slice(start.length))
        .sort(),
    );
    const { description, notes } = wordsOf(entry, toFields(meta));
    return { ...entry, description, notes, keys };
  }
}

export function valuesAddress(id: string): HashAddress {
  return { key: KEY.values(id), place: { lockerId: id, env: '' }, label: id };
}

function wordsOf({ id }: Entry, meta: Fields): Pick<LockerView, 'description' | 'notes' | 'createdAt'> {
  const usual = id === ENVIRONMENTS_LOCKER.id ? ENVIRONMENTS_DESCRIPTION : '';
  return {
    description: meta.get('description') ?? usual,
    notes: meta.get('notes') ?? '',
    createdAt: meta.get('created') ?? null,
  };
}

function keysOf({ hash, prefix }: FilledPart): readonly KeyView[] {
  const rotating = parseRotation(hash.fields.get(ROTATION_FIELD) ?? '')?.names ?? [];
  return namesIn(hash).map((name) =>
    viewOf(
      hash,
      name,
      prefix + name,
      rotating.some((one) => one === name),
    ),
  );
}

function texts(reply: LockerReply | undefined, question: string): string[] {
  if (!Array.isArray(reply)) throw notLocker(question);
  return (reply as readonly unknown[]).filter((item) => typeof item === 'string');
}
