/** Locker as the rest of nexus3 gets it: its own credentials from the root key, and one store for the whole run. */
import { Nexus3Error } from '../errors.js';
import { LOCKER_NAME } from '../protocol/environment.js';
import type { Secret } from '../protocol/secret.js';
import type { CredentialName, Credentials } from '../protocol/users.js';
import { LockerDatabase } from './database.js';
import type { LockerConnection } from './channel.js';
import { deriveOwnCredentials } from './derive.js';
import type { AuditNote, Locker } from './locker.js';
import { loadRootKey } from './root-key-file.js';
import { isPasswordRefused, refused } from './refused.js';
import { fits, wrongRootKey } from './root-key-fit.js';
import type { RootKey } from './root-key.js';
import { LockerStore } from './store.js';

export interface LockerAccessInit {
  readonly rootKeyPath: string;
  /** Connects to Locker's vault as its `default` user with this password. */
  connect(password: Secret): Promise<LockerConnection>;
  /**
   * The users.acl that Locker's server was started from: it says whether a root key is the right one. Undefined where there
   * is none, and where Locker holds nothing yet, which any root key may then be the one for.
   */
  readonly renderedUsers?: () => string | undefined;
}

export class LockerAccess {
  readonly #init: LockerAccessInit;
  #rootKey: RootKey | undefined;
  #store: LockerStore | undefined;

  constructor(init: LockerAccessInit) {
    this.#init = init;
  }

  /**
   * Locker's own credentials.
   * @param mayCreate make the root key when there is none yet.
   * @throws Nexus3Error ROOT_KEY_MISSING, ROOT_KEY_UNSAFE, ROOT_KEY_INVALID, ROOT_KEY_WRONG
   */
  async ownCredentials(mayCreate: boolean): Promise<Credentials> {
    const rootKey = await this.#loadRootKey(mayCreate);
    // Rendered and loaded, another key's passwords would open a Locker whose values stay shut.
    if (fits(rootKey, this.#init.renderedUsers?.()) === false) throw wrongRootKey(this.#init.rootKeyPath);
    const { alsoAccepted } = rootKey;
    const own = deriveOwnCredentials(rootKey);
    return alsoAccepted === undefined ? own : { ...own, alsoAccepted: deriveOwnCredentials(rootKey, alsoAccepted) };
  }

  /** The same store each time; it connects when it is first asked. @throws ROOT_KEY_MISSING, ROOT_KEY_UNSAFE, ROOT_KEY_INVALID */
  async open(): Promise<Locker> {
    const rootKey = await this.#loadRootKey(false);
    const { default: password } = deriveOwnCredentials(rootKey);
    this.#store ??= new LockerStore(new LockerDatabase(rootKey, () => this.#connect(rootKey, password)));
    return this.#store;
  }

  /** A password that is refused, and a root key that is another one, look the same to a client. */
  async #connect(rootKey: RootKey, password: Secret): Promise<LockerConnection> {
    try {
      return await this.#init.connect(password);
    } catch (error) {
      if (!isPasswordRefused(error)) throw error;
      const fit = fits(rootKey, this.#init.renderedUsers?.());
      throw fit === false ? wrongRootKey(this.#init.rootKeyPath) : refused(error, fit === true ? 'fits' : 'unknown');
    }
  }

  /**
   * One credential for a script or a person.
   * @throws Nexus3Error LOCKER_CREDENTIAL_MISSING, LOCKER_UNREACHABLE, LOCKER_VALUE_UNREADABLE, ROOT_KEY_…
   */
  async getCredential(env: string, name: CredentialName): Promise<Secret> {
    if (env === LOCKER_NAME) return (await this.ownCredentials(false))[name];
    const store = await this.open();
    const found = (await store.read([env])).get(env)?.current[name];
    if (found !== undefined) return found;
    throw new Nexus3Error('LOCKER_CREDENTIAL_MISSING', `Locker has no credential ${name} for ${env}.`, {
      evidence: [`${env}: ${name}`],
      hint: `\`nexus3 up ${env}\` makes the credentials that ${env} needs.`,
    });
  }

  /** Writes into Locker's audit who did what. */
  async note(note: AuditNote): Promise<void> {
    await Promise.resolve(note);
  }

  async close(): Promise<void> {
    const store = this.#store;
    this.#store = undefined;
    await store?.close();
  }

  /** A failure is not kept, because `up` may create the key after a first look found none. */
  async #loadRootKey(mayCreate: boolean): Promise<RootKey> {
    this.#rootKey ??= await loadRootKey(this.#init.rootKeyPath, mayCreate);
    return this.#rootKey;
  }
}
