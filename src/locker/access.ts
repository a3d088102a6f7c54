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
import { deriveBackupSecret, deriveOwnCredentials } from './derive.js';
import type { AuditAction, AuditNote, Locker, OwnRotationStep, Rotation, Tokens } from './locker.js';
import { afterStep, ownRotation, replaceRootKey } from './own-rotation.js';
import type { Lockers } from './lockers.js';
import { AuditedLockers } from './lockers/audited.js';
import { type LockersInit, StoredLockers } from './lockers/stored-lockers.js';
import { isPasswordRefused, refused, rekeyUnderWay } from './refused.js';
import { fitOf, fits, wrongRootKey } from './root-key-fit.js';
import { environmentAddress, LockerStore } from './store.js';
import { readTokenUsers } from './token/users-file.js';
import { LockerTokens } from './token/tokens.js';
import type { Custody } from './custody.js';
import { KeyRing } from './key-ring.js';
import { whatIsShut } from './kit/shut.js';
import { RecoveryKits } from './kit/recovery-kits.js';
import { keyFiles } from './rekey/key-files.js';
import { Rekeying } from './rekey/rekeying.js';
import { readRootKey } from './root-key-file.js';
import { RootKeyPlaceOnDisk } from './rekey/root-key-place.js';

export interface LockerAccessInit {
  readonly rootKeyPath: string;
  /** Connects to Locker's vault with this password, as its `default` user unless another one is named. */
  connect(password: Secret, user?: string): Promise<LockerConnection>;
  /**
   * The users.acl that Locker's server was started from: it says whether a root key is the right one. Undefined where there
   * is none, and where Locker holds nothing yet, which any root key may then be the one for.
   */
  readonly renderedUsers?: () => string | undefined;
  /** The most entries that the audit keeps. */
  readonly auditEntriesMax: number;
  /** Told what went wrong beside what was asked for, a sentence each. */
  readonly warn: (text: string) => void;
  /** Throws where values may not be changed now. */
  readonly beforeChange?: () => void;
  /** Why it refuses the right password; undefined: not because nexus3 has fenced it. */
  readonly whyFenced?: () => Nexus3Error | undefined;
  /** The file with Locker's users for tokens; undefined: it is not looked at. */
  readonly tokensFile?: string;
}

/** See src/backup/backup-secret.ts. */
interface BackupSecrets {
  readonly present: Secret;
  readonly next: Secret | undefined;
  readonly previous: Secret | undefined;
}

interface Parts {
  readonly database: LockerDatabase;
  readonly store: LockerStore;
  readonly log: AuditLog;
}

/** Who does one of these sees the audit whole: what holders of tokens have noted is taken into it first. */
const FOLDING: ReadonlySet<AuditAction> = new Set(['grant', 'revoke', 'rotate', 'rekey']);

/** They are looked for once a command, however much it notes; and again after so long, in milliseconds. */
const FOLD_AGAIN_MS = 60_000;

export class LockerAccess {
  readonly #init: LockerAccessInit;
  readonly #keys: KeyRing;
  readonly custody: Custody;
  #parts: Parts | undefined;
  #folding: { readonly at: number; readonly done: Promise<unknown> } | undefined;

  constructor(init: LockerAccessInit) {
    this.#init = init;
    this.#keys = new KeyRing(init.rootKeyPath);
    const parts = {
      keys: this.#keys,
      connect: (password: Secret) => init.connect(password),
      warn: init.warn,
      database: async () => (await this.#open()).database,
    };
    this.custody = {
      rekey: new Rekeying(parts),
      kit: new RecoveryKits(parts),
      rootKeyFile: new RootKeyPlaceOnDisk(init.rootKeyPath),
      whatIsShut: async () => whatIsShut(await parts.database()),
      whatIsShutBehindFence: () => this.#whatIsShutBehindFence(),
    };
  }

  /**
   * Locker's own credentials.
   * @param mayCreate make the root key when there is none yet.
   * @throws Nexus3Error ROOT_KEY_MISSING, ROOT_KEY_UNSAFE, ROOT_KEY_INVALID, ROOT_KEY_WRONG
   */
  async ownCredentials(mayCreate: boolean): Promise<Credentials> {
    const { root, other } = await this.#keys.load(mayCreate);
    // Rendered and loaded, another key's passwords would open a Locker whose values stay shut.
    if (fits(root, this.#init.renderedUsers?.()) === false) throw wrongRootKey(this.#init.rootKeyPath);
    const tokenUsers = await readTokenUsers(this.#init.tokensFile);
    const besides = other ?? (root.alsoAccepted === undefined ? undefined : root.withGenerations(root.alsoAccepted));
    return {
      ...deriveOwnCredentials(root),
      ...(besides === undefined ? {} : { alsoAccepted: deriveOwnCredentials(besides) }),
      ...(tokenUsers.length === 0 ? {} : { tokenUsers }),
    };
  }

  /**
   * The rotation of Locker's own credentials, as the root key's file says now.
   * @throws Nexus3Error ROOT_KEY_MISSING, ROOT_KEY_UNSAFE, ROOT_KEY_INVALID
   */
  async ownRotation(): Promise<Rotation | undefined> {
    return ownRotation((await this.#keys.load(false)).root);
  }

  /**
   * One step of it, durable when it resolves. What is under way afterwards.
   * @throws Nexus3Error REKEY_REFUSED while the root key itself is being changed
   */
  async rotateOwn(step: OwnRotationStep): Promise<Rotation | undefined> {
    const { root, other } = await this.#keys.load(false);
    if (step.kind === 'prepare' && other !== undefined) throw rekeyUnderWay();
    const after = afterStep(root, step);
    if (after !== root) await replaceRootKey(this.#init.rootKeyPath, after);
    return this.ownRotation();
  }

  /**
   * What backups are sealed and proven with; of the other key too, while the root key is being changed. Locker need not run.
   * @throws Nexus3Error ROOT_KEY_MISSING, ROOT_KEY_UNSAFE, ROOT_KEY_INVALID
   */
  async backupSecrets(): Promise<BackupSecrets> {
    const { root, other } = await this.#keys.load(false);
    const isNext = (await readRootKey(keyFiles(this.#init.rootKeyPath).next)) !== undefined;
    const secret = other === undefined ? undefined : deriveBackupSecret(other);
    return {
      present: deriveBackupSecret(root),
      next: isNext ? secret : undefined,
      previous: isNext ? undefined : secret,
    };
  }

  /** The same store each time; it connects when it is first asked. @throws ROOT_KEY_MISSING, ROOT_KEY_UNSAFE, ROOT_KEY_INVALID */
  async open(): Promise<Locker> {
    return (await this.#open()).store;
  }

  /** Values that people and servers keep. @throws the errors of `ownCredentials(false)` */
  async lockers(init: LockersInit): Promise<Lockers> {
    return new AuditedLockers(new StoredLockers((await this.#open()).database, init), (note) => this.note(note));
  }

  /** Who may read what with a token. @throws the errors of `ownCredentials(false)` */
  async tokens(): Promise<Tokens> {
    return new LockerTokens({
      database: (await this.#open()).database,
      rootKeyPath: this.#init.rootKeyPath,
      connectAs: (user, password) => this.#init.connect(password, user),
      warn: this.#init.warn,
    });
  }

  /**
   * One credential for a script or a person, noted in the audit before it is handed out. Locker’s own are derived, not
   * read: they are also to be had when Locker is down, because that is how one repairs it, and are noted where it answers.
   * @throws Nexus3Error AUDIT_NOT_WRITTEN, LOCKER_CREDENTIAL_MISSING, LOCKER_UNREACHABLE, LOCKER_VALUE_UNREADABLE, ROOT_KEY_…
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
    if (got instanceof Nexus3Error) {
      return log.database.explained(() => {
        throw got;
      });
    }
    if (got !== undefined) return got;
    throw new Nexus3Error('LOCKER_CREDENTIAL_MISSING', `Locker has no credential ${name} for ${env}.`, {
      evidence: [`${env}: ${name}`],
      hint: `\`nexus3 up ${env}\` makes the credentials that ${env} needs.`,
    });
  }

  /** Writes into Locker's audit who did what. */
  async note(note: AuditNote): Promise<void> {
    const { log } = await this.#open();
    if (FOLDING.has(note.action)) await this.#foldIfDue(log);
    await log.append(note);
  }

  async #whatIsShutBehindFence(): Promise<Nexus3Error | undefined> {
    const { admin } = await this.ownCredentials(false);
    const database = new LockerDatabase(this.#keys, () => this.#init.connect(admin, 'admin'));
    try {
      return await whatIsShut(database);
    } finally {
      await database.close();
    }
  }

  async #foldIfDue(log: AuditLog): Promise<void> {
    const at = performance.now();
    if (this.#folding === undefined || at - this.#folding.at >= FOLD_AGAIN_MS) {
      this.#folding = { at, done: foldInboxes(log, () => new Date()) };
    }
    try {
      await this.#folding.done;
    } catch (error) {
      this.#folding = undefined;
      throw error;
    }
  }

  /** To be read and proven. @throws the errors of `ownCredentials(false)` */
  async audit(): Promise<Audit> {
    const { log } = await this.#open();
    const { admin } = await this.ownCredentials(false);
    return new LockerAudit(log, () => this.#init.connect(admin, 'admin'));
  }

  async close(): Promise<void> {
    const parts = this.#parts;
    this.#parts = undefined;
    await parts?.log.settled();
    await parts?.store.close();
  }

  async #open(): Promise<Parts> {
    await this.#keys.load(false);
    if (this.#parts !== undefined) return this.#parts;
    const database = new LockerDatabase(this.#keys, () => this.#connect(), undefined, this.#init.beforeChange);
    const { rootKeyPath, auditEntriesMax, warn } = this.#init;
    const log = new AuditLog({ database, headFile: headFilePath(rootKeyPath), entriesMax: auditEntriesMax, warn });
    this.#parts = { database, store: new LockerStore(database), log };
    return this.#parts;
  }

  /**
   * With the password of now. One that is refused may be that of a root key, or of a generation, that has been replaced
   * meanwhile; otherwise a password that is refused and a root key that is another one look the same to a client.
   */
  async #connect(): Promise<LockerConnection> {
    await this.#keys.refresh();
    const { root } = this.#keys.latest;
    try {
      return await this.#init.connect(deriveOwnCredentials(root).default);
    } catch (error) {
      if (!isPasswordRefused(error)) throw error;
      await this.#keys.refresh();
      const { root: now } = this.#keys.latest;
      if (!now.equals(root) || now.generation !== root.generation) {
        return this.#init.connect(deriveOwnCredentials(now).default);
      }
      const fit = fitOf(root, this.#init.renderedUsers?.());
      if (fit === 'other-key') throw wrongRootKey(this.#init.rootKeyPath);
      throw this.#init.whyFenced?.() ?? refused(error, fit);
    }
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
