/** Locker's Redis for one root key: asked, and changed as transactions that are durable when they resolve. */
import { Nexus3Error } from '../errors.js';
import { Channel, type ConnectLocker, type LockerConnection, type LockerReply, wasClosed } from './channel.js';
import { deriveKeyEncryptionKey, fingerprintOf } from './derive.js';
import { Durability } from './durability.js';
import type { HashPlace } from './envelope.js';
import { DataKey } from './envelope.js';
import { fixedKey, type Keys, type KeySource } from './key-ring.js';
import { ENVIRONMENTS_LOCKER, KEY } from './keys.js';
import { RootKey } from './root-key.js';
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
  readonly #keys: KeySource;
  #derived: { readonly from: Keys; readonly own: Buffer; readonly other: Buffer | undefined } | undefined;
  readonly #channel: Channel;
  readonly #durabilityChannel: Channel;
  readonly #durability: Durability;
  readonly #beforeChange: () => void;
  #lastChange: Promise<unknown> = Promise.resolve();

  /**
   * @param keys one root key, or where it is looked up again whenever it has been replaced
   * @param beforeChange throws where values may not be changed now
   */
  constructor(
    keys: RootKey | KeySource,
    connect: ConnectLocker,
    durableTimeoutMs?: number,
    beforeChange: () => void = () => undefined,
  ) {
    this.#beforeChange = beforeChange;
    this.#keys = keys instanceof RootKey ? fixedKey(keys) : keys;
    this.#channel = new Channel(connect);
    this.#durabilityChannel = new Channel(connect);
    this.#durability = new Durability(this.#durabilityChannel, MARKER, durableTimeoutMs);
  }

  /**
   * For what may be done twice; see Channel.ask. What came under another root key than the one known here can only have
   * come after that one was put in its place, so looking after the answer is early enough.
   * @throws Nexus3Error LOCKER_UNREACHABLE
   */
  async ask(commands: readonly (readonly string[])[], timeoutMs?: number): Promise<readonly LockerReply[]> {
    const replies = await this.#channel.ask(commands, timeoutMs);
    await this.#keys.refresh();
    return replies;
  }

  /** Of the root key in use. */
  get fingerprint(): string {
    return fingerprintOf(this.#keys.latest.root);
  }

  /** A hash as it was read. */
  hash({ place, label }: HashAddress, reply: LockerReply | undefined): SealedHash {
    const { own, other } = this.#keyEncryptionKeys();
    return new SealedHash(own, place, toFields(reply), label, other);
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

  /**
   * Work that watches keys comes one after the other with all changes, because WATCH belongs to the connection. It is done
   * once more where the server closed the connection, so it must be what may be done twice.
   */
  async inTurn<T>(work: (connection: LockerConnection) => Promise<T>): Promise<T> {
    const turn = this.#lastChange.then(() => this.#channel.useTwice(work));
    this.#lastChange = turn.catch(() => undefined);
    return turn;
  }

  /** For work in turn, after its answers, as `ask` does it. */
  async refreshKeys(): Promise<void> {
    await this.#keys.refresh();
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
    const result = await this.explained(() => turn);
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
    return DataKey.generate().wrap(this.#keyEncryptionKeys().own, place, FIRST_VERSION);
  }

  async #transactNow<T>(transaction: Transaction<T>): Promise<T> {
    const sent = { exec: false };
    this.#beforeChange();
    try {
      return await this.#transactOnce(transaction, sent);
    } catch (error) {
      // Closed before anything was changed, as when the root key has been replaced.
      if (sent.exec || !wasClosed(error)) throw error;
      return this.#transactOnce(transaction, sent);
    }
  }

  async #transactOnce<T>({ prelude, keys, label, decide }: Transaction<T>, sent: { exec: boolean }): Promise<T> {
    return this.#channel.use(async (connection) => {
      for (let race = 0; race < RACES_MAX; race += 1) {
        const before = prelude();
        const replies = await connection.ask([...before, ['WATCH', ...keys], ...keys.map((key) => ['HGETALL', key])]);
        await this.#keys.refresh();
        const { commands, result } = decide(replies.slice(before.length + 1));
        sent.exec = true;
        const executed = await connection.ask([['MULTI'], ...commands, ['EXEC']]);
        if (executed.at(-1) !== null) return result;
      }
      throw new Nexus3Error('LOCKER_UNREACHABLE', `Others keep changing what Locker holds for ${label}.`, {
        evidence: [`${String(RACES_MAX)} attempts`],
        hint: 'Wait until the other run of nexus3 has ended, then run the command again.',
      });
    });
  }

  #keyEncryptionKeys(): { readonly own: Buffer; readonly other: Buffer | undefined } {
    const { latest } = this.#keys;
    if (this.#derived?.from === latest) return this.#derived;
    const other = latest.other === undefined ? undefined : deriveKeyEncryptionKey(latest.other);
    this.#derived = { from: latest, own: deriveKeyEncryptionKey(latest.root), other };
    return this.#derived;
  }
}
