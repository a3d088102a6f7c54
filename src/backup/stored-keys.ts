/** The backup secrets that are known: of the root key as its file says, and of earlier ones from `{root}/keys.json`. */
import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { Nexus3Error, systemErrorCode } from '../errors.js';
import { writeFileWhole } from '../files.js';
import type { Secret } from '../protocol/secret.js';
import { BackupSecret, type KnownSecrets } from './backup-secret.js';
import type { BackupKeys } from './backups.js';
import { readSmallFile, Unreadable } from './hashed-file.js';
import {
  carriedOver,
  closedToOthers,
  type KeyFile,
  KEYS_BYTES_MAX,
  openedBy,
  parseKeyFile,
  renderKeyFile,
} from './key-file.js';
import { Untrue } from './untrusted.js';

const KEYS_FILE = 'keys.json';
const FILE_MODE = 0o600;

/** What is derived from the root key for backups, as base64url of 32 bytes. */
export interface RootSecrets {
  readonly present: Secret;
  /** Of the key that is about to become the root key. */
  readonly next: Secret | undefined;
  /** Of the root key before, as long as not everything is under the present one. */
  readonly previous: Secret | undefined;
}

/** Joined by src/compose.ts, because src/backup knows no Locker. @throws ROOT_KEY_… */
export type SecretSource = () => Promise<RootSecrets>;

interface OfRootKeys {
  readonly present: BackupSecret;
  readonly next: BackupSecret | undefined;
  readonly previous: BackupSecret | undefined;
}

export class StoredKeys implements BackupKeys {
  readonly #root: string;
  readonly #source: SecretSource;
  readonly #now: () => Date;
  readonly #path: string;

  constructor(root: string, source: SecretSource, now: () => Date) {
    this.#root = root;
    this.#source = source;
    this.#now = now;
    this.#path = join(root, KEYS_FILE);
  }

  /** A damaged keys.json keeps nobody from what the present key opens. @throws ROOT_KEY_… */
  async known(): Promise<KnownSecrets> {
    const { present, next, previous } = await this.#ofRootKeys();
    const keys = [previous, present, next].filter((secret) => secret !== undefined);
    const { file, fault } = await this.#read().then(
      (read) => ({ file: read, fault: undefined }),
      (error: unknown) => ({ file: [], fault: evidenceOf(error) }),
    );
    const opened = openedBy(keys, file);
    const earlier = [...opened.map(({ secret }) => secret), ...keys];
    const unique = new Map(earlier.map((secret) => [secret.fingerprint, secret]));
    unique.delete(present.fingerprint);
    const until = new Map(
      opened.flatMap((one) => (one.until === undefined ? [] : [[one.secret.fingerprint, one.until] as const])),
    );
    // As long as the change of the root key goes on, the one before is in force.
    for (const { fingerprint } of keys) until.delete(fingerprint);
    return { present, earlier: [...unique.values()], until, fault };
  }

  async there(): Promise<boolean> {
    try {
      await lstat(this.#root);
      return true;
    } catch (error) {
      if (systemErrorCode(error) === 'ENOENT') return false;
      throw error;
    }
  }

  async proveWritable(): Promise<void> {
    if (!(await this.there())) return;
    await this.#write(await this.#readForChange());
  }

  async carryOver(): Promise<number> {
    if (!(await this.there())) return 0;
    const { present, next, previous } = await this.#ofRootKeys();
    const to = next ?? (previous === undefined ? undefined : present);
    const from = next === undefined ? previous : present;
    if (to === undefined || from === undefined) return 0;
    const file = await this.#readForChange();
    const now = this.#now().toISOString();
    // Until now at most, also those from before that was kept.
    const before = openedBy([from, to], file).map(({ secret, until }) => ({ secret, until: until ?? now }));
    const earlier = [...before, { secret: from, until: now }];
    await this.#write(carriedOver(file, earlier, to));
    return this.#proven(
      earlier.map(({ secret }) => secret),
      to,
    );
  }

  async closeToOld(): Promise<void> {
    if (!(await this.there())) return;
    const { present, previous } = await this.#ofRootKeys();
    if (previous === undefined) return;
    await this.carryOver();
    await this.#write(closedToOthers(await this.#readForChange(), present));
  }

  async #ofRootKeys(): Promise<OfRootKeys> {
    const { present, next, previous } = await this.#source();
    const secretOf = (text: Secret | undefined): BackupSecret | undefined => text && new BackupSecret(text);
    return { present: new BackupSecret(present), next: secretOf(next), previous: secretOf(previous) };
  }

  /** As whoever has that one key alone would. @returns how many */
  async #proven(earlier: readonly BackupSecret[], to: BackupSecret): Promise<number> {
    const opened = new Set(openedBy([to], await this.#readForChange()).map(({ secret }) => secret.fingerprint));
    const missing = earlier.filter(({ fingerprint }) => fingerprint !== to.fingerprint && !opened.has(fingerprint));
    if (missing.length === 0) return opened.size;
    throw new Nexus3Error('NOT_PROVEN', 'The next root key does not open every backup that the present one does.', {
      evidence: missing.map(({ fingerprint }) => `${this.#path}: ${fingerprint}`),
      hint: 'Somebody else changes that file. Nothing was given up: run `nexus3 locker rekey` again.',
    });
  }

  /** Nothing where it is not there. @throws Unreadable, Untrue */
  async #read(): Promise<KeyFile> {
    try {
      return parseKeyFile(await readSmallFile(this.#path, KEYS_BYTES_MAX));
    } catch (error) {
      if (error instanceof Unreadable && systemErrorCode(error.cause) === 'ENOENT') return [];
      throw error;
    }
  }

  /** What cannot be read must not be written over: it may be all that opens older backups. @throws Nexus3Error BACKUP_INVALID */
  async #readForChange(): Promise<KeyFile> {
    try {
      return await this.#read();
    } catch (error) {
      throw new Nexus3Error('BACKUP_INVALID', 'The keys of earlier backups cannot be read.', {
        evidence: [evidenceOf(error)],
        hint:
          `Put ${this.#path} back from the copy off this machine. If no backup from before the last \`nexus3 locker rekey\` ` +
          'is needed any more, move that file away instead.',
        cause: error,
      });
    }
  }

  async #write(file: KeyFile): Promise<void> {
    await writeFileWhole(this.#path, renderKeyFile(file), { mode: FILE_MODE });
  }
}

/** @throws what is neither of ours */
function evidenceOf(error: unknown): string {
  if (error instanceof Unreadable || error instanceof Untrue) return `${KEYS_FILE}: ${error.message}`;
  throw error;
}
