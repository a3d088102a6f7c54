/**
 * One hash in Locker's Redis as it was read: a locker's values, or one environment's credentials.
 *
 *     data-key            the key of this hash, wrapped (see envelope.ts)
 *     data-key-next       the same under the root key that is about to be the one, while `locker rekey` runs
 *     value:{name}        a value, sealed
 *     next:{name}         the one that a rotation has prepared
 *     previous:{name}     the one before, kept so that it can be restored
 *     made:{name}         when the value was made, ISO 8601
 *     made-before:{name}  the same of the one before, with its version (see lockers/key-states.ts)
 *     token-key:{id}:{name}  the key of that one value, sealed for the token of that id
 *
 * Field names are contracts. Everything but the values may be read by whoever may read the hash.
 */
import { Nexus3Error } from '../errors.js';
import type { Secret } from '../protocol/secret.js';
import type { LockerReply } from './channel.js';
import type { HashPlace, Slot } from './envelope.js';
import { DataKey, versionOf } from './envelope.js';

export const FIELD = {
  dataKey: 'data-key',
  nextDataKey: 'data-key-next',
  made: (name: string): string => `made:${name}`,
  in: (slot: Slot, name: string): string => `${slot}:${name}`,
  tokenKey: (tokenId: string, name: string): string => `token-key:${tokenId}:${name}`,
} as const;

export const SLOTS: readonly Slot[] = ['value', 'next', 'previous'];

export type Fields = ReadonlyMap<string, string>;

export interface SealedAnew {
  readonly dataKey: DataKey;
  readonly words: readonly string[];
  /** Fields to be deleted with that. */
  readonly dropped: readonly string[];
}

export class SealedHash {
  /** Of the root key in use, and of the other one while it is being changed. */
  readonly #keyEncryptionKeys: readonly [Buffer, ...Buffer[]];
  #dataKey: DataKey | undefined;

  /**
   * @param label what a person calls it: `track`, `l_1a2b`
   * @param otherKey of the other root key, while `locker rekey` is under way
   */
  constructor(
    keyEncryptionKey: Buffer,
    readonly place: HashPlace,
    readonly fields: Fields,
    readonly label: string,
    otherKey?: Buffer,
  ) {
    this.#keyEncryptionKeys = otherKey === undefined ? [keyEncryptionKey] : [keyEncryptionKey, otherKey];
  }

  /** In either state of `locker rekey`, one of the two opens. @throws Nexus3Error LOCKER_VALUE_UNREADABLE */
  get dataKey(): DataKey {
    if (this.#dataKey !== undefined) return this.#dataKey;
    for (const field of [FIELD.dataKey, FIELD.nextDataKey]) {
      const wrapped = this.fields.get(field);
      this.#dataKey ??= wrapped === undefined ? undefined : this.#unwrap(wrapped);
    }
    if (this.#dataKey !== undefined) return this.#dataKey;
    if (!this.fields.has(FIELD.dataKey)) throw unreadable(this.label, 'its data key is gone', PUT_BACK);
    throw new SealBroken(unreadable(this.label, 'its data key does not open with this root key'), this, undefined);
  }

  /** Whether the root key opens its data key. */
  get opens(): boolean {
    try {
      return this.dataKey instanceof DataKey;
    } catch {
      // Why not is known to whoever asks for the key.
      return false;
    }
  }

  /** The same hash with another data key in it, wrapped, and no next one. */
  withDataKey(wrapped: string): SealedHash {
    const fields = new Map([...this.fields, [FIELD.dataKey, wrapped] as const]);
    fields.delete(FIELD.nextDataKey);
    const [own, other] = this.#keyEncryptionKeys;
    return new SealedHash(own, this.place, fields, this.label, other);
  }

  /** Whether this text is the wrapped data key of another hash. */
  isDataKeyOf(place: HashPlace, wrapped: string): boolean {
    return this.#keyEncryptionKeys.some((key) => DataKey.unwrap(key, place, wrapped) !== undefined);
  }

  /** Whether this text was sealed for that place of this hash. */
  opensAs(slot: Slot, name: string, text: string): boolean {
    return this.dataKey.open({ ...this.place, name, slot }, text) !== undefined;
  }

  #unwrap(wrapped: string): DataKey | undefined {
    for (const key of this.#keyEncryptionKeys) {
      const dataKey = DataKey.unwrap(key, this.place, wrapped);
      if (dataKey !== undefined) return dataKey;
    }
    return undefined;
  }

  names(slot: Slot): readonly string[] {
    const prefix = FIELD.in(slot, '');
    return [...this.fields.keys()]
      .filter((field) => field.startsWith(prefix))
      .map((field) => field.slice(prefix.length))
      .sort();
  }

  /** Undefined: nothing is there. @throws SealBroken LOCKER_VALUE_UNREADABLE, LOCKER_VALUE_TAMPERED */
  open(slot: Slot, name: string): Secret | undefined {
    const text = this.fields.get(FIELD.in(slot, name));
    if (text === undefined) return undefined;
    const value = this.dataKey.open({ ...this.place, name, slot }, text);
    if (value === undefined) throw new SealBroken(tampered(this.label, FIELD.in(slot, name)), this, { slot, name });
    return value;
  }

  madeAt(name: string): string | undefined {
    return this.fields.get(FIELD.made(name));
  }

  /** Of the value in use; 0: there is none. */
  version(name: string): number {
    return versionOf(this.fields.get(FIELD.in('value', name)) ?? '') ?? 0;
  }

  /** The words of HSET for a new value of this name, which counts on from all that it has had. */
  sealNew(slot: Slot, name: string, value: Secret): readonly string[] {
    const versions = SLOTS.map((one) => versionOf(this.fields.get(FIELD.in(one, name)) ?? '') ?? 0);
    return this.sealAs(slot, name, Math.max(...versions) + 1, value);
  }

  /** The words of HSET that put this value into another slot, as the version that it is. */
  moved(from: Slot, to: Slot, name: string): readonly string[] {
    const value = this.open(from, name);
    if (value === undefined) return [];
    return this.sealAs(to, name, versionOf(this.fields.get(FIELD.in(from, name)) ?? '') ?? 1, value);
  }

  /**
   * A new data key, and the words of HSET that put it in place with everything sealed under it, each value as the version
   * that it is. What was cut out of the old one opens nothing of that. A value before the present one that does not open is
   * of no use to anybody, and must not keep all else from being sealed anew: it is to be dropped.
   * @param broken any other value that does not open: it stays as it is, for `check` to find, or nothing is sealed
   * @throws Nexus3Error LOCKER_VALUE_UNREADABLE, LOCKER_VALUE_TAMPERED
   */
  sealedAnew(broken: 'stays' | 'throws' = 'throws'): SealedAnew {
    const dataKey = DataKey.generate();
    const version = (versionOf(this.fields.get(FIELD.dataKey) ?? '') ?? 0) + 1;
    const words = [FIELD.dataKey, dataKey.wrap(this.#keyEncryptionKeys[0], this.place, version)];
    const dropped: string[] = [];
    for (const slot of SLOTS) {
      for (const name of this.names(slot)) {
        const field = FIELD.in(slot, name);
        if (this.isBroken(slot, name) && (slot === 'previous' || broken === 'stays')) {
          if (slot === 'previous') dropped.push(field);
          continue;
        }
        const value = this.open(slot, name);
        const of = versionOf(this.fields.get(field) ?? '') ?? 1;
        if (value !== undefined) words.push(field, dataKey.seal({ ...this.place, name, slot }, of, value));
      }
    }
    return { dataKey, words, dropped };
  }

  /** Something is there, and its data key, which opens, does not open it. @throws Nexus3Error LOCKER_VALUE_UNREADABLE */
  isBroken(slot: Slot, name: string): boolean {
    const text = this.fields.get(FIELD.in(slot, name));
    return text !== undefined && !this.opensAs(slot, name, text);
  }

  sealAs(slot: Slot, name: string, version: number, value: Secret): readonly string[] {
    return [FIELD.in(slot, name), this.dataKey.seal({ ...this.place, name, slot }, version, value)];
  }
}

/** @param fields of values before the present ones */
export function droppedFrom(label: string, fields: readonly string[]): string {
  return `${fields.join(', ')} of ${label} in Locker did not open, because somebody changed it, and was dropped.`;
}

/** HGETALL: names and values in turn. @throws Nexus3Error LOCKER_UNREACHABLE for anything else */
export function toFields(reply: LockerReply | undefined): Fields {
  if (!Array.isArray(reply)) throw notLocker('HGETALL');
  const fields = new Map<string, string>();
  const words: readonly unknown[] = reply;
  for (let index = 0; index + 1 < words.length; index += 2) {
    const [field, text] = [words[index], words[index + 1]];
    if (typeof field === 'string' && typeof text === 'string') fields.set(field, text);
  }
  return fields;
}

export function notLocker(question: string): Nexus3Error {
  return new Nexus3Error('LOCKER_UNREACHABLE', 'What listens on Locker’s port is not Locker.', {
    evidence: [`it answers ${question} in a way that Redis does not`],
    hint: 'End what holds the port, then: nexus3 up locker',
  });
}

export interface Broken {
  readonly slot: Slot;
  readonly name: string;
}

/** Something in a hash that does not open; moved.ts finds out more about it. */
export class SealBroken extends Nexus3Error {
  /** @param at undefined: the data key itself */
  constructor(
    { code, message, evidence, hint }: Nexus3Error,
    readonly hash: SealedHash,
    readonly at: Broken | undefined,
  ) {
    super(code, message, { evidence, hint });
  }

  /** Known to be no question of the root key. */
  asTampered(): Nexus3Error {
    return this.at === undefined ? tampered(this.hash.label, FIELD.dataKey) : this;
  }
}

export function unreadable(label: string, evidence: string, hint: string = RIGHT_KEY): Nexus3Error {
  return new Nexus3Error('LOCKER_VALUE_UNREADABLE', `What Locker holds for ${label} cannot be opened.`, {
    evidence: [`${label}: ${evidence}`],
    hint,
  });
}

const RIGHT_KEY =
  'Use the root key that Locker was made with (say where it is with $NEXUS3_ROOT_KEY_FILE). If that is the one, ' +
  'the data on 6720 were changed: put Locker’s data folder back as it was.';

/** An older copy of a vault's data starts only where somebody says so. */
export const PUT_BACK =
  'Somebody wrote to Locker’s data: see `nexus3 locker audit --verify`. With a recovery kit: `nexus3 locker import FILE ' +
  '--overwrite`. With a copy of its data folder: `nexus3 down locker`, the folder, then `nexus3 recover locker --vault ' +
  '--accept-loss`. With neither: `nexus3 locker reset`.';

export function tampered(label: string, field: string): Nexus3Error {
  return new Nexus3Error('LOCKER_VALUE_TAMPERED', `What lies at ${field} of ${label} in Locker was changed.`, {
    evidence: [`${label}: ${field} does not open as what it claims to be, nor as anything else that Locker holds`],
    hint: PUT_BACK,
  });
}
