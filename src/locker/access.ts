/** Locker as the rest of nexus3 gets it: its own credentials from the root key, and one store for the whole run. */
import { Nexus3Error } from '../errors.js';
import { LOCKER_NAME } from '../protocol/environment.js';
import type { Secret } from '../protocol/secret.js';
import type { CredentialName, Credentials } from '../protocol/users.js';
import type { Audit } from './audit/audit.js';
import { foldInboxes } from './audit/fold.js';
import { headFilePath } from './audit/head-file.js';
import { AuditLog } from './audit/log.js';
import { LockerAudit } from './audit/service.js';
import { LockerDatabase } from './database.js';
import type { LockerConnection } from './channel.js';
import { deriveOwnCredentials } from './derive.js';
import type { AuditAction, AuditNote, Locker } from './locker.js';
import { loadRootKey } from './root-key-file.js';
import type { RootKey } from './root-key.js';
import { environmentAddress, LockerStore } from './store.js';

export interface LockerAccessInit {
  readonly rootKeyPath: string;
  /** Connects to Locker's vault as its `default` user with this password. */
  connect(password: Secret): Promise<LockerConnection>;
  /** The same as its `admin`, who alone is told what Locker’s server has refused. */
  connectAdmin(password: Secret): Promise<LockerConnection>;
  /** The most entries that the audit keeps. */
  readonly auditEntriesMax: number;
  /** Told what went wrong beside what was asked for, a sentence each. */
  readonly warn: (text: string) => void;
}

/** Who does one of these sees the audit whole: what holders of tokens have noted is taken into it first. */
const FOLDING: ReadonlySet<AuditAction> = new Set(['grant', 'revoke', 'rotate', 'rekey']);

export class LockerAccess {
  readonly #init: LockerAccessInit;
  #rootKey: RootKey | undefined;
  #parts: { readonly store: LockerStore; readonly log: AuditLog } | undefined;

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

  /** The same store each time; it connects when it is first asked. @throws the errors of `ownCredentials(false)` */
  async open(): Promise<Locker> {
    return (await this.#open()).store;
  }

  /**
   * One credential for a script or a person, noted in the audit before it is handed out. Locker’s own are derived, not
   * read: they are also to be had when Locker is down, because that is how one repairs it, and are noted where it answers.
   * @throws Nexus3Error AUDIT_NOT_WRITTEN, Nexus3Error LOCKER_CREDENTIAL_MISSING, LOCKER_UNREACHABLE, LOCKER_VALUE_UNREADABLE, ROOT_KEY_…
   */
  async getCredential(env: string, name: CredentialName): Promise<Secret> {
    const what = `${env}/${name}`;
    if (env === LOCKER_NAME) return this.#getOwn(name, what);
    const { log } = await this.#open();
    const address = environmentAddress(env);
    const got = await log.appendWith<Secret | Nexus3Error | undefined>([['HGETALL', address.key]], ([reply]) => {
      const found = outcomeOf(() => log.database.hash(address, reply).open('value', name));
      if (found instanceof Nexus3Error) {
        return { notes: [{ action: 'get', what, outcome: 'failed', detail: found.code }], result: found };
      }
      if (found !== undefined) return { notes: [{ action: 'get', what, outcome: 'ok' }], result: found };
      return {
        notes: [{ action: 'get', what, outcome: 'failed', detail: 'LOCKER_CREDENTIAL_MISSING' }],
        result: undefined,
      };
    });
    if (got instanceof Nexus3Error) throw got;
    if (got !== undefined) return got;
    throw new Nexus3Error('LOCKER_CREDENTIAL_MISSING', `Locker has no credential ${name} for ${env}.`, {
      evidence: [`${env}: ${name}`],
      hint: `\`nexus3 up ${env}\` makes the credentials that ${env} needs.`,
    });
  }

  /** Writes into Locker's audit who did what. */
  async note(note: AuditNote): Promise<void> {
    const { log } = await this.#open();
    if (FOLDING.has(note.action)) await foldInboxes(log, () => new Date());
    await log.append(note);
  }

  /** To be read and proven. @throws the errors of `ownCredentials(false)` */
  async audit(): Promise<Audit> {
    const { log } = await this.#open();
    const { admin } = await this.ownCredentials(false);
    return new LockerAudit(log, () => this.#init.connectAdmin(admin));
  }

  async close(): Promise<void> {
    const parts = this.#parts;
    this.#parts = undefined;
    await parts?.log.settled();
    await parts?.store.close();
  }

  async #open(): Promise<{ readonly store: LockerStore; readonly log: AuditLog }> {
    const rootKey = await this.#loadRootKey(false);
    if (this.#parts !== undefined) return this.#parts;
    const { default: password } = deriveOwnCredentials(rootKey);
    const database = new LockerDatabase(rootKey, () => this.#init.connect(password));
    const { rootKeyPath, auditEntriesMax, warn } = this.#init;
    const log = new AuditLog({ database, headFile: headFilePath(rootKeyPath), entriesMax: auditEntriesMax, warn });
    this.#parts = { store: new LockerStore(database), log };
    return this.#parts;
  }

  async #getOwn(name: CredentialName, what: string): Promise<Secret> {
    const own = await this.ownCredentials(false);
    try {
      await this.note({ action: 'get', what, outcome: 'ok' });
    } catch (error) {
      if (!(error instanceof Nexus3Error)) throw error;
      this.#init.warn(`That ${what} was handed out could not be noted in the audit: ${error.message}`);
    }
    return own[name];
  }

  /** A failure is not kept, because `up` may create the key after a first look found none. */
  async #loadRootKey(mayCreate: boolean): Promise<RootKey> {
    this.#rootKey ??= await loadRootKey(this.#init.rootKeyPath, mayCreate);
    return this.#rootKey;
  }
}

/** A failure of ours as a value, so that it can be noted before it is thrown. */
function outcomeOf<T>(work: () => T): T | Nexus3Error {
  try {
    return work();
  } catch (error) {
    if (error instanceof Nexus3Error) return error;
    throw error;
  }
}
