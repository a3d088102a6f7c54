/** Locker's Redis for one root key: asked, and changed as transactions that are durable when they resolve. */
import { Nexus3Error } from '../errors.js';
import { Channel, type ConnectLocker, type LockerConnection, type LockerReply } from './channel.js';
import { deriveKeyEncryptionKey } from './derive.js';
import { Durability } from './durability.js';
import type { HashPlace } from './envelope.js';
import { DataKey } from './envelope.js';
import { ENVIRONMENTS_LOCKER, KEY } from './keys.js';
import type { RootKey } from './root-key.js';
import { explainBroken } from './moved.js';
import { FIELD, SealBroken, SealedHash, toFields } from './sealed-hash.js';

/** How often a change is tried again because another run changed the same hash meanwhile. */
const RACES_MAX = 10;
const FIRST_VERSION = 1;

/** Written before each wait for the disk; also says what this database is. */
const MARKER: readonly string[] = [
  'HSET',
  KEY.meta(ENVIRONMENTS_LOCKER.id),
  ...['id', ENVIRONMENTS_LOCKER.id, 'name', ENVIRONMENTS_LOCKER.name, 'format', '1'],
];

/** Where a hash lies, and what it belongs to. */
export interface HashAddress {
  readonly key: string;
  readonly place: HashPlace;
  readonly label: string;
}

export interface Change<T> {
  /** Done all or not at all, and only if nobody has changed the hash since it was read. */
  readonly commands: readonly (readonly string[])[];
  readonly result: T;
}

interface Transaction<T> {
  /** Done before each attempt, outside of it. */
  readonly prelude: () => readonly (readonly string[])[];
  readonly keys: readonly string[];
  readonly label: string;
  readonly decide: (replies: readonly LockerReply[]) => Change<T>;
}

export class LockerDatabase {
  readonly #keyEncryptionKey: Buffer;
  readonly #channel: Channel;
  readonly #durabilityChannel: Channel;
  readonly #durability: Durability;
  #lastChange: Promise<unknown> = Promise.resolve();

  constructor(rootKey: RootKey, connect: ConnectLocker, durableTimeoutMs?: number) {
    this.#keyEncryptionKey = deriveKeyEncryptionKey(rootKey);
    this.#channel = new Channel(connect);
    this.#durabilityChannel = new Channel(connect);
    this.#durability = new Durability(this.#durabilityChannel, MARKER, durableTimeoutMs);
  }

  /** @throws Nexus3Error LOCKER_UNREACHABLE */
  async ask(commands: readonly (readonly string[])[], timeoutMs?: number): Promise<readonly LockerReply[]> {
    return this.#channel.ask(commands, timeoutMs);
  }

  /** A hash as it was read. */
  hash({ place, label }: HashAddress, reply: LockerReply | undefined): SealedHash {
    return new SealedHash(this.#keyEncryptionKey, place, toFields(reply), label);
  }

  /**
   * The outcome of `open`, which opens hashes that were read. Where something does not open, the failure says also what became
   * of it: changed, or moved here from where it belongs.
   * @throws Nexus3Error LOCKER_VALUE_UNREADABLE, LOCKER_VALUE_TAMPERED, LOCKER_VALUE_MOVED
   */
  async explained<T>(open: () => T | Promise<T>): Promise<T> {
    try {
      return await open();
    } catch (error) {
      throw error instanceof SealBroken ? await explainBroken(this, error) : error;
    }
  }

  /** Resolves when whatever was answered before is on disk. @throws Nexus3Error NOT_PROVEN, LOCKER_UNREACHABLE */
  async durable(): Promise<void> {
    await this.#durability.reached();
  }

  /**
   * Changes one hash as a transaction that holds only if nobody else has changed it since it was read, and resolves when
   * the change is durable. A hash that is not there gets its data key first. Changes of this process come one after the
   * other, because WATCH belongs to the connection.
   */
  async change<T>(address: HashAddress, decide: (hash: SealedHash) => Change<T>): Promise<T> {
    const turn = this.#lastChange.then(() => this.#changeNow(address, decide));
    this.#lastChange = turn.catch(() => undefined);
    const result = await this.explained(() => turn);
    await this.durable();
    return result;
  }

  /** Work that watches keys comes one after the other with all changes, because WATCH belongs to the connection. */
  async inTurn<T>(work: (connection: LockerConnection) => Promise<T>): Promise<T> {
    const turn = this.#lastChange.then(() => this.#channel.use(work));
    this.#lastChange = turn.catch(() => undefined);
    return turn;
  }

  async close(): Promise<void> {
    await Promise.all([this.#channel.close(), this.#durabilityChannel.close()]);
  }

  /**
   * Changes several hashes as one transaction that holds only if nobody else has changed one of them since they were
   * read, and resolves when the change is durable. `decide` is handed what HGETALL answered for each.
   */
  async transact<T>(
    keys: readonly string[],
    label: string,
    decide: (replies: readonly LockerReply[]) => Change<T>,
  ): Promise<T> {
    const turn = this.#lastChange.then(() => this.#transactNow({ prelude: () => [], keys, label, decide }));
    this.#lastChange = turn.catch(() => undefined);
    const result = await turn;
    await this.durable();
    return result;
  }

  /** A hash that is about to be written to: where there is none yet, with the command that gives it its data key. */
  begun(
    address: HashAddress,
    reply: LockerReply | undefined,
  ): { readonly hash: SealedHash; readonly commands: Change<unknown>['commands'] } {
    const fields = toFields(reply);
    if (fields.size > 0) return { hash: this.hash(address, reply), commands: [] };
    const wrapped = this.#newDataKey(address.place);
    const hash = this.hash(address, [FIELD.dataKey, wrapped]);
    return { hash, commands: [['HSET', address.key, FIELD.dataKey, wrapped]] };
  }

  async #changeNow<T>(address: HashAddress, decide: (hash: SealedHash) => Change<T>): Promise<T> {
    const { key, place, label } = address;
    return this.#transactNow({
      prelude: () => [['HSETNX', key, FIELD.dataKey, this.#newDataKey(place)]],
      keys: [key],
      label,
      decide: ([reply]) => decide(this.hash(address, reply)),
    });
  }

  #newDataKey(place: HashPlace): string {
    return DataKey.generate().wrap(this.#keyEncryptionKey, place, FIRST_VERSION);
  }

  async #transactNow<T>({ prelude, keys, label, decide }: Transaction<T>): Promise<T> {
    return this.#channel.use(async (connection) => {
      for (let race = 0; race < RACES_MAX; race += 1) {
        const before = prelude();
        const replies = await connection.ask([...before, ['WATCH', ...keys], ...keys.map((key) => ['HGETALL', key])]);
        const { commands, result } = decide(replies.slice(before.length + 1));
        const executed = await connection.ask([['MULTI'], ...commands, ['EXEC']]);
        if (executed.at(-1) !== null) return result;
      }
      throw new Nexus3Error('LOCKER_UNREACHABLE', `Others keep changing what Locker holds for ${label}.`, {
        evidence: [`${String(RACES_MAX)} attempts`],
        hint: 'Wait until the other run of nexus3 has ended, then run the command again.',
      });
    });
  }
}
