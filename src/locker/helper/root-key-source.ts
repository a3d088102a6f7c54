/** Reads with the root key. It is read from its file each time: Locker's passwords, or the key itself, may have been replaced. */
import { Nexus3Error } from '../../errors.js';
import { LOCKER_NAME } from '../../protocol/environment.js';
import type { Address } from '../../protocol/redis-conf.js';
import type { Secret } from '../../protocol/secret.js';
import type { CredentialName } from '../../protocol/users.js';
import { deriveKeyEncryptionKey, deriveOwnCredentials } from '../derive.js';
import type { AuditNote } from '../locker.js';
import { loadRootKey } from '../root-key-file.js';
import type { RootKey } from '../root-key.js';
import { SealedHash, toFields } from '../sealed-hash.js';
import { environmentAddress } from '../store.js';
import type { AskLocker, CredentialSource, FoundCredential } from './source.js';
import { asLockerFailure } from './source.js';

export interface RootKeySourceInit {
  readonly rootKeyPath: string;
  readonly locker: Address;
  /** @throws Nexus3Error ENVIRONMENT_UNKNOWN */
  vaultOf(env: string): Address;
  readonly ask: AskLocker;
  /** Into Locker's audit; what cannot be noted is not handed out. */
  note(note: AuditNote): Promise<void>;
}

export class RootKeySource implements CredentialSource {
  readonly #init: RootKeySourceInit;

  constructor(init: RootKeySourceInit) {
    this.#init = init;
  }

  async read(env: string, name: CredentialName): Promise<FoundCredential> {
    const vault = this.#init.vaultOf(env);
    const password = await this.#readTwice(env, name);
    await this.#init.note({ action: 'get', what: `${env}/${name}`, outcome: 'ok' });
    return { password, vault };
  }

  /** Where Locker and the root key do not fit, the file is read once more: it may just have been replaced. */
  async #readTwice(env: string, name: CredentialName): Promise<Secret> {
    const rootKey = await loadRootKey(this.#init.rootKeyPath, false);
    try {
      return await this.#readWith(rootKey, env, name);
    } catch (error) {
      if (!doesNotFit(error)) throw error;
      const again = await loadRootKey(this.#init.rootKeyPath, false);
      if (again.toText() === rootKey.toText()) throw error;
      return this.#readWith(again, env, name);
    }
  }

  async #readWith(rootKey: RootKey, env: string, name: CredentialName): Promise<Secret> {
    const { locker, ask } = this.#init;
    const own = deriveOwnCredentials(rootKey);
    if (env === LOCKER_NAME) return own[name];
    const { key, place, label } = environmentAddress(env);
    let replies;
    try {
      replies = await ask(locker, { user: 'default', password: own.default }, [['HGETALL', key]]);
    } catch (error) {
      throw asLockerFailure(locker, error);
    }
    if (replies === 'refused') throw refused(locker);
    const value = new SealedHash(deriveKeyEncryptionKey(rootKey), place, toFields(replies[0]), label).open(
      'value',
      name,
    );
    if (value !== undefined) return value;
    throw new Nexus3Error('LOCKER_CREDENTIAL_MISSING', `Locker has no credential ${name} for ${env}.`, {
      evidence: [`${env}: ${name}`],
      hint: `\`nexus3 up ${env}\` makes the credentials that ${env} needs.`,
    });
  }
}

function doesNotFit(error: unknown): boolean {
  if (!(error instanceof Nexus3Error)) return false;
  return error.code === 'LOCKER_VALUE_UNREADABLE' || error.cause === REFUSED;
}

const REFUSED = Symbol('Locker refuses the password');

function refused({ host, port }: Address): Nexus3Error {
  return new Nexus3Error('LOCKER_UNREACHABLE', 'Locker refuses the password that comes from the root key.', {
    evidence: [`${host}:${String(port)}: WRONGPASS`],
    hint: 'Use the root key that Locker was made with: say where it is with $NEXUS3_ROOT_KEY_FILE.',
    cause: REFUSED,
  });
}
