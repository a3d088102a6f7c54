/** History over a folder of backups of the test's own, and vaults that were written as fast as a disk is. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BackupSecret } from '../../src/backup/backup-secret.js';
import { StoredHistory } from '../../src/backup/history/history.js';
import { openSealing } from '../../src/backup/sealing.js';
import { Nexus3Error } from '../../src/errors.js';
import type { Secret } from '../../src/protocol/secret.js';
import { someSecret } from './backup-repository.js';
import { idsIn, type WrittenVault } from './written-vault.js';

const BYTES_MAX = 1024 * 1024;
const SECRET = someSecret();

export interface HistoryOptions {
  readonly bytesMax?: number;
  readonly encrypt?: boolean;
  readonly secret?: Secret;
  /** Of the root key before, and until when it was in force (ISO 8601). */
  readonly before?: { readonly secret: Secret; readonly until: string };
}

export class HistoryHarness implements AsyncDisposable {
  #extracted = 0;

  private constructor(readonly root: string) {}

  static async make(): Promise<HistoryHarness> {
    return new HistoryHarness(await mkdtemp(join(tmpdir(), 'nexus3-history-')));
  }

  /** As it is at the vault's second, late enough for all of that to be written. */
  historyOf(
    vault: { readonly now: number },
    { bytesMax = BYTES_MAX, encrypt = false, secret = SECRET, before }: HistoryOptions = {},
  ): StoredHistory {
    const earlier = before === undefined ? [] : [new BackupSecret(before.secret)];
    const until = new Map(earlier.map(({ fingerprint }) => [fingerprint, before?.until ?? '']));
    const secrets = { present: new BackupSecret(secret), earlier, until, fault: undefined };
    return new StoredHistory({
      root: this.root,
      bytesMax,
      sealing: openSealing({ encrypt, recipients: [] }, () => Promise.resolve(secrets)),
      now: () => new Date(vault.now * 1_000 + 999),
    });
  }

  /** Which commands the state at that second is made of. */
  async idsAt(history: StoredHistory, dataDir: string | undefined, second: number): Promise<readonly number[]> {
    this.#extracted += 1;
    const folder = join(this.root, `extracted-${String(this.#extracted)}`);
    await history.extract('track', dataDir, date(second), { folder, owner: undefined });
    const ids = await idsIn(folder);
    await rm(folder, { recursive: true });
    return ids;
  }

  archiveFolder(vault: WrittenVault): string {
    return join(this.root, 'track', 'history', vault.incarnation);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return rm(this.root, { recursive: true, force: true });
  }
}

export const date = (second: number): Date => new Date(second * 1_000);
export const iso = (second: number): string => date(second).toISOString().replace('.000Z', 'Z');

export async function failure(work: Promise<unknown>): Promise<Nexus3Error> {
  const error: unknown = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof Nexus3Error)) throw new Error(`not refused in our words: ${String(error)}`);
  return error;
}
