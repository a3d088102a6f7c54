/** Locker as the rest of nexus3 gets it: its own credentials from the root key, and one store for the whole run. */
import { Nexus3Error } from '../errors.js';
import { LOCKER_NAME } from '../protocol/environment.js';
import type { Secret } from '../protocol/secret.js';
import type { CredentialName, Credentials } from '../protocol/users.js';
import { LockerDatabase } from './database.js';
import type { LockerConnection } from './channel.js';
import { deriveOwnCredentials } from './derive.js';
import type { AuditNote, Locker } from './locker.js';
import type { Lockers } from './lockers.js';
import { AuditedLockers } from './lockers/audited.js';
import { type LockersInit, StoredLockers } from './lockers/stored-lockers.js';
import { loadRootKey } from './root-key-file.js';
import type { RootKey } from './root-key.js';
import { LockerStore } from './store.js';

export interface LockerAccessInit {
  readonly rootKeyPath: string;
  /** Connects to Locker's vault as its `default` user with this password. */
  connect(password: Secret): Promise<LockerConnection>;
}

export class LockerAccess {
  readonly #init: LockerAccessInit;
  #rootKey: RootKey | undefined;
  #database: LockerDatabase | undefined;

  constructor(init: LockerAccessInit) {
    this.#init = init;
  }

  /**
   * Locker's own credentials.
   * @param mayCreate make the root key when there is none yet.
   * @throws Nexus3Error ROOT_KEY_MISSING, ROOT_KEY_UNSAFE, ROOT_KEY_INVALID
   */
  async ownCredentials(mayCreate: boolean): Promise<Credentials> {
    const rootKey = await this.#loadRootKey(mayCreate);
    const { alsoAccepted } = rootKey;
    const own = deriveOwnCredentials(rootKey);
    return alsoAccepted === undefined ? own : { ...own, alsoAccepted: deriveOwnCredentials(rootKey, alsoAccepted) };
  }

  /** Over one connection for the whole run; it connects when it is first asked. @throws the errors of `ownCredentials(false)` */
  async open(): Promise<Locker> {
    return new LockerStore(await this.#openDatabase());
  }

  /** The lockers over the same connection; what is asked of them is in the audit. */
  async lockers(init: LockersInit): Promise<Lockers> {
    return new AuditedLockers(new StoredLockers(await this.#openDatabase(), init), (note) => this.note(note));
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
    const database = this.#database;
    this.#database = undefined;
    await database?.close();
  }

  async #openDatabase(): Promise<LockerDatabase> {
    const rootKey = await this.#loadRootKey(false);
    const { default: password } = deriveOwnCredentials(rootKey);
    this.#database ??= new LockerDatabase(rootKey, () => this.#init.connect(password));
    return this.#database;
  }

  /** A failure is not kept, because `up` may create the key after a first look found none. */
  async #loadRootKey(mayCreate: boolean): Promise<RootKey> {
    this.#rootKey ??= await loadRootKey(this.#init.rootKeyPath, mayCreate);
    return this.#rootKey;
  }
}
