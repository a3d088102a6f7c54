/** Locker as the rest of nexus3 gets it: its own credentials from the root key, and one store for the whole run. */
import { Nexus3Error } from '../errors.js';
import { LOCKER_NAME } from '../protocol/environment.js';
import type { Secret } from '../protocol/secret.js';
import type { CredentialName, Credentials } from '../protocol/users.js';
import type { Custody } from './custody.js';
import { LockerDatabase } from './database.js';
import type { LockerConnection } from './channel.js';
import { deriveOwnCredentials } from './derive.js';
import type { AuditNote, Locker } from './locker.js';
import { KeyRing } from './key-ring.js';
import { RecoveryKits } from './kit/recovery-kits.js';
import { Rekeying } from './rekey/rekeying.js';
import { RootKeyPlaceOnDisk } from './rekey/root-key-place.js';
import { LockerStore } from './store.js';

export interface LockerAccessInit {
  readonly rootKeyPath: string;
  /** Connects to Locker's vault as its `default` user with this password. */
  connect(password: Secret): Promise<LockerConnection>;
}

export class LockerAccess {
  readonly #init: LockerAccessInit;
  readonly #keys: KeyRing;
  readonly custody: Custody;
  #database: LockerDatabase | undefined;
  #store: LockerStore | undefined;

  constructor(init: LockerAccessInit) {
    this.#init = init;
    this.#keys = new KeyRing(init.rootKeyPath);
    const parts = {
      keys: this.#keys,
      connect: (password: Secret) => init.connect(password),
      database: () => this.#openDatabase(),
    };
    this.custody = {
      rekey: new Rekeying(parts),
      kit: new RecoveryKits(parts),
      rootKeyFile: new RootKeyPlaceOnDisk(init.rootKeyPath),
    };
  }

  /**
   * Locker's own credentials.
   * @param mayCreate make the root key when there is none yet.
   * @throws Nexus3Error ROOT_KEY_MISSING, ROOT_KEY_UNSAFE, ROOT_KEY_INVALID
   */
  async ownCredentials(mayCreate: boolean): Promise<Credentials> {
    const { root, other } = await this.#keys.load(mayCreate);
    const { alsoAccepted } = root;
    const own = deriveOwnCredentials(root);
    if (other !== undefined) return { ...own, alsoAccepted: deriveOwnCredentials(other) };
    return alsoAccepted === undefined ? own : { ...own, alsoAccepted: deriveOwnCredentials(root, alsoAccepted) };
  }

  /** The same store each time; it connects when it is first asked. @throws the errors of `ownCredentials(false)` */
  async open(): Promise<Locker> {
    const database = await this.#openDatabase();
    this.#store ??= new LockerStore(database);
    return this.#store;
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
    this.#store = undefined;
    await database?.close();
  }

  /** A failure is not kept, because `up` may create the key after a first look found none. */
  async #openDatabase(): Promise<LockerDatabase> {
    await this.#keys.load(false);
    this.#database ??= new LockerDatabase(this.#keys, () => this.#connect());
    return this.#database;
  }

  /** A password that is refused may be that of a root key, or of a generation, that has been replaced meanwhile. */
  async #connect(): Promise<LockerConnection> {
    await this.#keys.refresh();
    const { root } = this.#keys.latest;
    try {
      return await this.#init.connect(deriveOwnCredentials(root).default);
    } catch (error) {
      if (!(error instanceof Nexus3Error) || error.code !== 'REDIS_REPLY_UNEXPECTED') throw error;
      await this.#keys.refresh();
      const { root: now } = this.#keys.latest;
      if (now.equals(root) && now.generation === root.generation) throw error;
      return this.#init.connect(deriveOwnCredentials(now).default);
    }
  }
}
