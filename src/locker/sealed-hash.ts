/**
 * One hash in Locker's Redis as it was read: a locker's values, or one environment's credentials.
 *
 *     data-key            the key of this hash, wrapped (see envelope.ts)
 *     data-key-next       the same under the root key that is about to be the one, while `locker rekey` runs
 *     value:{name}        a value, sealed
 *     next:{name}         the one that a rotation has prepared
 *     previous:{name}     the one before, kept so that it can be restored
 *     made:{name}         when the value was made, ISO 8601
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

const SLOTS: readonly Slot[] = ['value', 'next', 'previous'];

export type Fields = ReadonlyMap<string, string>;

export class SealedHash {
  readonly #keyEncryptionKeys: readonly Buffer[];
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
    const gone = !this.fields.has(FIELD.dataKey);
    throw unreadable(this.label, gone ? 'its data key is gone' : 'its data key does not open with this root key');
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

  /** Undefined: nothing is there. @throws Nexus3Error LOCKER_VALUE_UNREADABLE, LOCKER_VALUE_TAMPERED */
  open(slot: Slot, name: string): Secret | undefined {
    const text = this.fields.get(FIELD.in(slot, name));
    if (text === undefined) return undefined;
    const value = this.dataKey.open({ ...this.place, name, slot }, text);
    if (value === undefined) throw tampered(this.label, name);
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

  sealAs(slot: Slot, name: string, version: number, value: Secret): readonly string[] {
    return [FIELD.in(slot, name), this.dataKey.seal({ ...this.place, name, slot }, version, value)];
  }
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

export function unreadable(label: string, evidence: string): Nexus3Error {
  return new Nexus3Error('LOCKER_VALUE_UNREADABLE', `What Locker holds for ${label} cannot be opened.`, {
    evidence: [`${label}: ${evidence}`],
    hint:
      'Use the root key that Locker was made with (say where it is with $NEXUS3_ROOT_KEY_FILE). If that is the one, ' +
      'the data on 6720 were changed: put Locker’s data folder back as it was.',
  });
}

export function tampered(label: string, name: string): Nexus3Error {
  return new Nexus3Error('LOCKER_VALUE_TAMPERED', `The value ${name} of ${label} was changed in Locker’s data.`, {
    evidence: [`${label}: ${name} was changed, moved or cut short: it does not open as what it claims to be`],
    hint: 'Somebody wrote to Locker’s data: put its data folder back from a backup, then see `nexus3 locker audit --verify`.',
  });
}
