/**
 * The root key as its file says now, and the other one while `locker rekey` is under way. Whoever holds it may run for
 * months: the files are looked at again (not read) at each use, and read again when they have been replaced.
 */
import { lstatSync } from 'node:fs';
import { systemErrorCode } from '../errors.js';
import { keyFiles } from './rekey/key-files.js';
import { loadRootKey, readRootKey } from './root-key-file.js';
import type { RootKey } from './root-key.js';

/** How often files that are replaced while they are read are read again. */
const REREADS_MAX = 10;

export interface Keys {
  readonly root: RootKey;
  /** Before the new key is the one: the new one. After that, until everything is under it: the old one. */
  readonly other: RootKey | undefined;
}

export interface KeySource {
  readonly latest: Keys;
  /** Reads the key again if it was replaced; keeps the one it knows where that cannot be read. */
  refresh(): Promise<void>;
}

export function fixedKey(root: RootKey): KeySource {
  return { latest: { root, other: undefined }, refresh: () => Promise.resolve() };
}

export class KeyRing implements KeySource {
  readonly path: string;
  #keys: Keys | undefined;
  #seen = '';

  constructor(path: string) {
    this.path = path;
  }

  get latest(): Keys {
    if (this.#keys === undefined) throw new Error('the root key has not been loaded yet');
    return this.#keys;
  }

  /**
   * @param mayCreate make the root key when there is none yet.
   * @throws Nexus3Error ROOT_KEY_MISSING, ROOT_KEY_UNSAFE, ROOT_KEY_INVALID
   */
  async load(mayCreate: boolean): Promise<Keys> {
    for (let again = 0; ; again += 1) {
      const seen = this.#look();
      if (this.#keys !== undefined && seen === this.#seen) return this.#keys;
      const keys = await readKeys(this.path, mayCreate);
      // Of two keys read at two moments, the second may already be the first one's successor.
      if (seen !== this.#look() && again < REREADS_MAX) continue;
      this.#keys = keys;
      this.#seen = seen;
      return keys;
    }
  }

  async refresh(): Promise<void> {
    if (this.#look() === this.#seen) return;
    await this.load(false).catch(() => undefined);
  }

  #look(): string {
    const { next, previous } = keyFiles(this.path);
    return [this.path, next, previous].map(identityOf).join(' ');
  }
}

async function readKeys(path: string, mayCreate: boolean): Promise<Keys> {
  const root = await loadRootKey(path, mayCreate);
  const { next, previous } = keyFiles(path);
  const other = (await readRootKey(next)) ?? (await readRootKey(previous));
  return { root, other: other?.equals(root) === true ? undefined : other };
}

function identityOf(path: string): string {
  try {
    const { ino, mtimeNs, ctimeNs } = lstatSync(path, { bigint: true });
    return `${String(ino)}:${String(mtimeNs)}:${String(ctimeNs)}`;
  } catch (error) {
    return systemErrorCode(error) ?? 'unknown';
  }
}
