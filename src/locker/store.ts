/**
 * The environments' passwords: the locker `l_e0dd` of the protocol, in the Redis of the Secure Environment `locker`. One
 * hash for each environment, `nexus3:locker:l_e0dd:env:{env}`; its fields are those of sealed-hash.ts, and `rotation`.
 */
import { randomBytes } from 'node:crypto';
import { Nexus3Error } from '../errors.js';
import { Secret } from '../protocol/secret.js';
import { CREDENTIAL_NAMES, type CredentialName, LOCKER_KEY, type Passwords } from '../protocol/users.js';
import type { Change, HashAddress, LockerDatabase } from './database.js';
import type { Slot } from './envelope.js';
import { ENVIRONMENTS_LOCKER, KEY, KIT_FIELD } from './keys.js';
import type { KitState, Locker, Rotation, StoredCredentials } from './locker.js';
import { explainBroken } from './moved.js';
import { parseRotation, renderRotation, ROTATION_FIELD } from './rotation-field.js';
import { FIELD, notLocker, SealBroken, type SealedHash, unreadable } from './sealed-hash.js';

const PASSWORD_BYTES = 32;
/** Of how many environments it is looked for where what does not open belongs: that takes a look at all of Locker. */
const EXPLAINED_MAX = 8;

export class LockerStore implements Locker {
  readonly #database: LockerDatabase;
  #kit: KitState | undefined;

  constructor(database: LockerDatabase) {
    this.#database = database;
  }

  get kit(): KitState | undefined {
    return this.#kit;
  }

  async read(envs: readonly string[]): Promise<ReadonlyMap<string, StoredCredentials>> {
    const found = new Map<string, StoredCredentials>();
    for (const [env, stored] of await this.readEach(envs)) {
      if (stored instanceof Nexus3Error) throw stored;
      found.set(env, stored);
    }
    return found;
  }

  async readEach(envs: readonly string[]): Promise<ReadonlyMap<string, StoredCredentials | Nexus3Error>> {
    const addresses = envs.map(environmentAddress);
    const replies = await this.#database.ask([
      ['PING'],
      ...addresses.map(({ key }) => ['HGETALL', key]),
      ['HGET', KEY.kit, KIT_FIELD.rootKey],
    ]);
    // Whatever listens there instead of Locker must not read as a Locker that holds nothing: new passwords would follow.
    if (replies[0] !== 'PONG') throw notLocker('PING');
    const kitFor = replies[addresses.length + 1];
    this.#kit = kitFor === null ? 'missing' : kitFor === this.#database.fingerprint ? 'current' : 'outdated';
    const found = new Map<string, StoredCredentials | Nexus3Error>();
    let explained = 0;
    for (const [index, address] of addresses.entries()) {
      const hash = this.#database.hash(address, replies[index + 1]);
      const one = hash.names('value').length > 0 ? opened(hash) : undefined;
      if (one === undefined) continue;
      const explain = one instanceof SealBroken && (explained += 1) <= EXPLAINED_MAX;
      found.set(address.label, explain ? await explainBroken(this.#database, one) : one);
    }
    return found;
  }

  async generate(env: string, names: readonly CredentialName[], at: Date): Promise<Passwords> {
    return this.#change(env, (hash) => {
      // What is there and is no value any more was changed by somebody: it is not written over.
      const absent = names.filter((name) => !hash.fields.has(FIELD.in('value', name)));
      const fresh = new Map(absent.map((name) => [name, newPassword()]));
      const words = [...fresh].flatMap(([name, value]) => [
        ...hash.sealNew('value', name, value),
        ...[FIELD.made(name), at.toISOString()],
      ]);
      return {
        commands: words.length === 0 ? [] : [['HSET', keyOf(env), ...words]],
        result: { ...openSlot(hash, 'value'), ...Object.fromEntries(fresh) },
      };
    });
  }

  async prepareRotation(env: string, names: readonly CredentialName[], at: Date): Promise<Rotation> {
    return this.#change(env, (hash) => {
      const underWay = rotationOf(hash);
      if (underWay !== undefined) return { commands: [], result: underWay };
      const rotation: Rotation = { names, phase: 'prepared', startedAt: at.toISOString(), graceUntil: null };
      const words = names.flatMap((name) => hash.sealNew('next', name, newPassword()));
      return { commands: [['HSET', keyOf(env), ...words, ROTATION_FIELD, renderRotation(rotation)]], result: rotation };
    });
  }

  async promoteRotation(env: string, at: Date, graceUntil: Date): Promise<Rotation> {
    return this.#change(env, (hash) => {
      const underWay = rotationOf(hash);
      if (underWay === undefined) throw new Error(`no rotation of ${env} is under way`);
      if (underWay.phase === 'promoted') return { commands: [], result: underWay };
      const rotation: Rotation = { ...underWay, phase: 'promoted', graceUntil: graceUntil.toISOString() };
      const words = rotation.names.flatMap((name) => [
        ...hash.moved('value', 'previous', name),
        ...hash.moved('next', 'value', name),
        ...[FIELD.made(name), at.toISOString()],
      ]);
      const prepared = rotation.names.map((name) => FIELD.in('next', name));
      return {
        commands: [
          ['HSET', keyOf(env), ...words, ROTATION_FIELD, renderRotation(rotation)],
          ['HDEL', keyOf(env), ...prepared],
        ],
        result: rotation,
      };
    });
  }

  async finishRotation(env: string): Promise<void> {
    await this.#change(env, () => ({ commands: [['HDEL', keyOf(env), ROTATION_FIELD]], result: undefined }));
  }

  async remove(env: string): Promise<void> {
    await this.#database.ask([['UNLINK', keyOf(env)]]);
    await this.#database.durable();
  }

  async close(): Promise<void> {
    await this.#database.close();
  }

  async #change<T>(env: string, decide: (hash: SealedHash) => Change<T>): Promise<T> {
    return this.#database.change(environmentAddress(env), decide);
  }
}

export function environmentAddress(env: string): HashAddress {
  return { key: keyOf(env), place: { lockerId: ENVIRONMENTS_LOCKER.id, env }, label: env };
}

function keyOf(env: string): string {
  return LOCKER_KEY.environment(env);
}

function opened(hash: SealedHash): StoredCredentials | Nexus3Error {
  try {
    return openAll(hash);
  } catch (error) {
    if (error instanceof Nexus3Error) return error;
    throw error;
  }
}

/** @throws Nexus3Error LOCKER_VALUE_UNREADABLE, LOCKER_VALUE_TAMPERED */
function openAll(hash: SealedHash): StoredCredentials {
  const rotation = rotationOf(hash);
  const madeAt: Partial<Record<CredentialName, string>> = {};
  for (const name of CREDENTIAL_NAMES) {
    const at = hash.madeAt(name);
    if (at !== undefined) madeAt[name] = at;
  }
  const besides = rotation === undefined ? {} : openSlot(hash, rotation.phase === 'prepared' ? 'next' : 'previous');
  const alsoAccepted = Object.fromEntries(
    Object.entries(besides).filter(([name]) => rotation?.names.some((one) => one === name)),
  );
  return { current: openSlot(hash, 'value'), alsoAccepted, rotation, madeAt };
}

function openSlot(hash: SealedHash, slot: Slot): Passwords {
  const stored: Partial<Record<CredentialName, Secret>> = {};
  for (const name of CREDENTIAL_NAMES) {
    const value = hash.open(slot, name);
    if (value !== undefined) stored[name] = value;
  }
  return stored;
}

/** @throws Nexus3Error LOCKER_VALUE_UNREADABLE for a note that nexus3 did not write */
function rotationOf(hash: SealedHash): Rotation | undefined {
  const text = hash.fields.get(ROTATION_FIELD);
  if (text === undefined) return undefined;
  const rotation = parseRotation(text);
  if (rotation === undefined) throw unreadable(hash.label, 'its note of a rotation cannot be read');
  return rotation;
}

/** 256 random bits, in 43 characters that need no quoting anywhere. */
export function newPassword(): Secret {
  return new Secret(randomBytes(PASSWORD_BYTES).toString('base64url'));
}
