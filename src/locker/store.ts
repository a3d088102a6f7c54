/**
 * The environments' passwords: the locker `l_e0dd` of the protocol, in the Redis of the Secure Environment `locker`.
 *
 * Layout in Redis, one hash for each environment:
 *
 *     nexus3:locker:l_e0dd:env:{env}     data-key        the environment's data key, wrapped (see envelope.ts)
 *                                        value:{name}    one credential, sealed with that data key
 *     nexus3:locker:l_e0dd:meta          id, name, format
 *
 * Keys, field names and formats are contracts. A text carries its version, which counts the values a name has had.
 */
import { randomBytes } from 'node:crypto';
import { Nexus3Error } from '../errors.js';
import { Secret } from '../protocol/secret.js';
import { CREDENTIAL_NAMES, type CredentialName } from '../protocol/users.js';
import { Channel, type ConnectLocker, type LockerReply } from './channel.js';
import { deriveKeyEncryptionKey } from './derive.js';
import { Durability } from './durability.js';
import { DataKey, type Place, versionOf } from './envelope.js';
import type { Locker, StoredCredentials } from './locker.js';
import type { RootKey } from './root-key.js';

export const ENVIRONMENTS_LOCKER = { id: 'l_e0dd', name: 'environments' } as const;
const FORMAT = '1';
const PASSWORD_BYTES = 32;
const FIRST_VERSION = 1;
/** How often a change is tried again because another run changed the same environment meanwhile. */
const RACES_MAX = 10;

const PREFIX = `nexus3:locker:${ENVIRONMENTS_LOCKER.id}`;
const META_KEY = `${PREFIX}:meta`;
const DATA_KEY_FIELD = 'data-key';
const VALUE_FIELD = 'value:';

type Hash = ReadonlyMap<string, string>;

export class LockerStore implements Locker {
  readonly #keyEncryptionKey: Buffer;
  readonly #channel: Channel;
  readonly #durabilityChannel: Channel;
  readonly #durability: Durability;
  #lastChange: Promise<unknown> = Promise.resolve();

  constructor(rootKey: RootKey, connect: ConnectLocker, durableTimeoutMs?: number) {
    this.#keyEncryptionKey = deriveKeyEncryptionKey(rootKey);
    this.#channel = new Channel(connect);
    this.#durabilityChannel = new Channel(connect);
    const { id, name } = ENVIRONMENTS_LOCKER;
    const marker = ['HSET', META_KEY, 'id', id, 'name', name, 'format', FORMAT];
    this.#durability = new Durability(this.#durabilityChannel, marker, durableTimeoutMs);
  }

  async read(envs: readonly string[]): Promise<ReadonlyMap<string, StoredCredentials>> {
    const replies = await this.#channel.ask([['PING'], ...envs.map((env) => ['HGETALL', keyOf(env)])]);
    // Whatever listens there instead of Locker must not read as a Locker that holds nothing: new passwords would follow.
    if (replies[0] !== 'PONG') throw notLocker('PING');
    const found = new Map<string, StoredCredentials>();
    for (const [index, env] of envs.entries()) {
      const stored = this.#openAll(env, toHash(replies[index + 1]));
      if (Object.keys(stored).length > 0) found.set(env, stored);
    }
    return found;
  }

  async generate(env: string, names: readonly CredentialName[]): Promise<StoredCredentials> {
    const made: StoredCredentials = await this.#change(env, (dataKey, hash) => {
      const absent = names.filter((name) => !hash.has(VALUE_FIELD + name));
      const fresh = new Map(absent.map((name) => [name, newPassword()]));
      const commands = [...fresh].map(([name, value]) => {
        const text = dataKey.seal(placeOf(env, name), FIRST_VERSION, value);
        return ['HSETNX', keyOf(env), VALUE_FIELD + name, text];
      });
      return { commands, result: { ...this.#openAll(env, hash), ...Object.fromEntries(fresh) } };
    });
    return made;
  }

  async replace(env: string, name: CredentialName): Promise<Secret> {
    return this.#change(env, (dataKey, hash) => {
      const value = newPassword();
      const version = (versionOf(hash.get(VALUE_FIELD + name) ?? '') ?? 0) + 1;
      const text = dataKey.seal(placeOf(env, name), version, value);
      return { commands: [['HSET', keyOf(env), VALUE_FIELD + name, text]], result: value };
    });
  }

  async remove(env: string): Promise<void> {
    await this.#channel.ask([['UNLINK', keyOf(env)]]);
    await this.#durability.reached();
  }

  async close(): Promise<void> {
    await Promise.all([this.#channel.close(), this.#durabilityChannel.close()]);
  }

  /**
   * Changes one environment's hash as a transaction that holds only if nobody else has changed it since it was read,
   * and resolves when the change is durable. Changes of this process come one after the other, because WATCH belongs to
   * the connection.
   */
  async #change<T>(env: string, decide: (dataKey: DataKey, hash: Hash) => Change<T>): Promise<T> {
    const turn = this.#lastChange.then(() => this.#changeNow(env, decide));
    this.#lastChange = turn.catch(() => undefined);
    const result = await turn;
    await this.#durability.reached();
    return result;
  }

  async #changeNow<T>(env: string, decide: (dataKey: DataKey, hash: Hash) => Change<T>): Promise<T> {
    const key = keyOf(env);
    return this.#channel.use(async (connection) => {
      for (let race = 0; race < RACES_MAX; race += 1) {
        const wrapped = DataKey.generate().wrap(this.#keyEncryptionKey, environmentPlace(env), FIRST_VERSION);
        const replies = await connection.ask([
          ['HSETNX', key, DATA_KEY_FIELD, wrapped],
          ['WATCH', key],
          ['HGETALL', key],
        ]);
        const hash = toHash(replies[2]);
        const { commands, result } = decide(this.#dataKeyOf(env, hash), hash);
        const executed = await connection.ask([['MULTI'], ...commands, ['EXEC']]);
        if (executed.at(-1) !== null) return result;
      }
      throw new Nexus3Error('LOCKER_UNREACHABLE', `Others keep changing the credentials of ${env} in Locker.`, {
        evidence: [`${String(RACES_MAX)} attempts`],
        hint: 'Wait until the other run of nexus3 has ended, then run the command again.',
      });
    });
  }

  #openAll(env: string, hash: Hash): StoredCredentials {
    if (!hash.has(DATA_KEY_FIELD)) {
      // Values without their key were never written by nexus3.
      if (hash.size > 0) throw unreadable(env, 'its data key is gone');
      return {};
    }
    const dataKey = this.#dataKeyOf(env, hash);
    const stored: Partial<Record<CredentialName, Secret>> = {};
    for (const name of CREDENTIAL_NAMES) {
      const text = hash.get(VALUE_FIELD + name);
      if (text === undefined) continue;
      const value = dataKey.open(placeOf(env, name), text);
      if (value === undefined) throw unreadable(env, `${name} was changed, moved or cut short`);
      stored[name] = value;
    }
    return stored;
  }

  #dataKeyOf(env: string, hash: Hash): DataKey {
    const dataKey = DataKey.unwrap(this.#keyEncryptionKey, environmentPlace(env), hash.get(DATA_KEY_FIELD) ?? '');
    if (dataKey === undefined) throw unreadable(env, 'its data key does not open with this root key');
    return dataKey;
  }
}

interface Change<T> {
  readonly commands: readonly (readonly string[])[];
  readonly result: T;
}

function keyOf(env: string): string {
  return `${PREFIX}:env:${env}`;
}

function environmentPlace(env: string): Omit<Place, 'name'> {
  return { lockerId: ENVIRONMENTS_LOCKER.id, env };
}

function placeOf(env: string, name: CredentialName): Place {
  return { ...environmentPlace(env), name };
}

/** 256 random bits, in 43 characters that need no quoting anywhere. */
function newPassword(): Secret {
  return new Secret(randomBytes(PASSWORD_BYTES).toString('base64url'));
}

/** HGETALL: names and values in turn. @throws Nexus3Error LOCKER_UNREACHABLE for anything else */
function toHash(reply: LockerReply | undefined): Hash {
  if (!Array.isArray(reply)) throw notLocker('HGETALL');
  const hash = new Map<string, string>();
  const words: readonly unknown[] = reply;
  for (let index = 0; index + 1 < words.length; index += 2) {
    const [field, text] = [words[index], words[index + 1]];
    if (typeof field === 'string' && typeof text === 'string') hash.set(field, text);
  }
  return hash;
}

function notLocker(question: string): Nexus3Error {
  return new Nexus3Error('LOCKER_UNREACHABLE', 'What listens on Locker’s port is not Locker.', {
    evidence: [`it answers ${question} in a way that Redis does not`],
    hint: 'End what holds the port, then: nexus3 up locker',
  });
}

function unreadable(env: string, evidence: string): Nexus3Error {
  return new Nexus3Error('LOCKER_VALUE_UNREADABLE', `What Locker holds for ${env} cannot be opened.`, {
    evidence: [`${env}: ${evidence}`],
    hint:
      'Use the root key that Locker was made with (say where it is with $NEXUS3_ROOT_KEY_FILE). If that is the one, ' +
      'the data on 6720 were changed: put Locker’s data folder back as it was.',
  });
}
