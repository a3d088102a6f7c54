/**
 * `{root}/.push-owed`: what was made here is not off this machine yet. It is written before the first backup that is to
 * be pushed, and goes with the push that succeeds; so a run that fails or is killed leaves it.
 */
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ERROR_EXIT_CODES, type ErrorCode, systemErrorCode, writeFailure } from '../errors.js';
import { writeFileWhole } from '../files.js';
import { parseJsonObject } from '../json.js';
import type { OwedPush, PushNote } from './backups.js';

const FILE = '.push-owed';
const FILE_MODE = 0o600;
/** What nobody can read was written long ago. */
const LONG_AGO = new Date(0).toISOString();

export class StoredPushNote implements PushNote {
  readonly #path: string;
  readonly #now: () => Date;

  constructor(root: string, now: () => Date) {
    this.#path = join(root, FILE);
    this.#now = now;
  }

  async owed(): Promise<OwedPush | undefined> {
    try {
      const { since, code } = parseJsonObject(await readFile(this.#path, 'utf8')) ?? {};
      const isTime = typeof since === 'string' && !Number.isNaN(Date.parse(since));
      return { since: isTime ? new Date(since).toISOString() : LONG_AGO, code: isErrorCode(code) ? code : null };
    } catch (error) {
      if (systemErrorCode(error) === 'ENOENT') return undefined;
      throw writeFailure(this.#path, error);
    }
  }

  async owe(code: ErrorCode | null): Promise<void> {
    const since = (await this.owed())?.since ?? this.#now().toISOString();
    await writeFileWhole(this.#path, `${JSON.stringify({ since, code })}\n`, { mode: FILE_MODE });
  }

  async done(): Promise<void> {
    await rm(this.#path, { force: true }).catch((error: unknown) => {
      throw writeFailure(this.#path, error);
    });
  }
}

function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === 'string' && Object.hasOwn(ERROR_EXIT_CODES, value);
}
