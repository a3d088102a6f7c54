/** Locker as the rest of nexus3 gets it: its own credentials from the root key, and one store for the whole run. */
import { Nexus3Error } from '../errors.js';
import { readIfThere } from '../files.js';
import { LOCKER_NAME } from '../protocol/environment.js';
import type { Secret } from '../protocol/secret.js';
import { parseTokenUsers } from '../protocol/token-users.js';
import type { CredentialName, Credentials, TokenUser } from '../protocol/users.js';
import { LockerDatabase } from './database.js';
import type { LockerConnection } from './channel.js';
import { deriveOwnCredentials } from './derive.js';
import type { AuditNote, Locker, Tokens } from './locker.js';
import { loadRootKey } from './root-key-file.js';
import type { RootKey } from './root-key.js';
import { LockerStore } from './store.js';
import { LockerTokens } from './token/tokens.js';

export interface LockerAccessInit {
  readonly rootKeyPath: string;
  /** Connects to Locker's vault with this password, as its `default` user unless another one is named. */
  connect(password: Secret, user?: string): Promise<LockerConnection>;
  /** The file with Locker's users for tokens; undefined: it is not looked at. */
  readonly tokensFile?: string;
}

export class LockerAccess {
  readonly #init: LockerAccessInit;
  #rootKey: RootKey | undefined;
  #store: LockerStore | undefined;
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
    const tokenUsers = await readTokenUsers(this.#init.tokensFile);
    return {
      ...own,
      ...(alsoAccepted === undefined ? {} : { alsoAccepted: deriveOwnCredentials(rootKey, alsoAccepted) }),
      ...(tokenUsers.length === 0 ? {} : { tokenUsers }),
    };
  }

  /** The same store each time; it connects when it is first asked. @throws the errors of `ownCredentials(false)` */
  async open(): Promise<Locker> {
    this.#store ??= new LockerStore(await this.#openDatabase());
    return this.#store;
  }

  /** Who may read what with a token. @throws the errors of `ownCredentials(false)` */
  async tokens(): Promise<Tokens> {
    return new LockerTokens({
      database: await this.#openDatabase(),
      rootKeyPath: this.#init.rootKeyPath,
      connectAs: (user, password) => this.#init.connect(password, user),
    });
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

  /** The same each time. */
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

/**
 * None where the file is gone or cannot be read: then tokens are refused until `locker grants --repair` writes it again
 * from what Locker knows. Nothing that stands in it gives anybody more than a token's user may do.
 */
async function readTokenUsers(path: string | undefined): Promise<readonly TokenUser[]> {
  const text = path === undefined ? undefined : await readIfThere(path);
  return (text === undefined ? undefined : parseTokenUsers(text)) ?? [];
}
