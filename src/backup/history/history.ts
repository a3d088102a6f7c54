/** Any second of the past: from the vault's own folder where that reaches, else from the archive. */
import { Nexus3Error } from '../../errors.js';
import type { ArchiveReport, History, HistoryPlan, Window } from '../backups.js';
import { Unreadable } from '../hashed-file.js';
import { AofScanner } from './aof-scanner.js';
import { extractSelection, type ExtractTarget } from './extract.js';
import { notCovered } from './not-covered.js';
import { type OwnedSpan, ownedSpans, type Recording, type Selection, select } from './recording.js';
import { iso, wholeSecond } from './seconds.js';
import { readVaultRecording } from './vault-recording.js';

/** A vault that rewrites its file meanwhile, or a prune, may take away what was about to be read. */
const TRIES_MAX = 5;

export interface HistoryInit {
  readonly now: () => Date;
}

interface Choice {
  readonly recording: Recording;
  readonly selection: Selection;
  readonly plan: HistoryPlan;
}

export class StoredHistory implements History {
  readonly #init: HistoryInit;

  constructor(init: HistoryInit) {
    this.#init = init;
  }

  archive(): Promise<ArchiveReport> {
    return Promise.resolve({ files: 0, bytes: 0 });
  }

  prune(): Promise<{ readonly files: number; readonly bytes: number }> {
    return Promise.resolve({ files: 0, bytes: 0 });
  }

  async windows(env: string, dataDir: string | undefined): Promise<readonly Window[]> {
    const spans = ownedSpans(await this.#recordings(env, dataDir, this.#init.now()));
    const windows: { from: number; to: number; source: Window['source'] }[] = [];
    for (const { from, to, recording } of spans) {
      const last = windows.at(-1);
      if (last !== undefined && last.to + 1 === from && last.source === recording.source) last.to = to;
      else windows.push({ from, to, source: recording.source });
    }
    return windows.map(({ from, to, source }) => ({ from: iso(from), to: iso(to), source }));
  }

  async plan(env: string, dataDir: string | undefined, at: Date): Promise<HistoryPlan> {
    return (await this.#trying(() => this.#choose(env, dataDir, wholeSecond(at)))).plan;
  }

  async extract(env: string, dataDir: string | undefined, at: Date, to: ExtractTarget): Promise<HistoryPlan> {
    const second = wholeSecond(at);
    return this.#trying(async () => {
      const { recording, selection, plan } = await this.#choose(env, dataDir, second);
      await extractSelection(recording, selection, second, to);
      return plan;
    });
  }

  async #recordings(_env: string, dataDir: string | undefined, now: Date): Promise<readonly Recording[]> {
    const vault = dataDir === undefined ? undefined : await readVaultRecording(dataDir, now);
    return vault === undefined ? [] : [vault];
  }

  /** @throws Nexus3Error TIME_NOT_COVERED */
  async #choose(env: string, dataDir: string | undefined, at: number): Promise<Choice> {
    const now = this.#init.now();
    const recordings = await this.#recordings(env, dataDir, now);
    const spans = ownedSpans(recordings);
    const recording =
      spans.find(({ from, to }) => from <= at && at <= to)?.recording ?? (await justWritten(recordings, at, now));
    const selection = recording === undefined ? undefined : select(recording, at);
    if (recording === undefined || selection === undefined) {
      throw notCovered(env, at, spans.map(covered), { now, notes: [] });
    }
    return { recording, selection, plan: planOf(recording, selection, at) };
  }

  async #trying<T>(work: () => Promise<T>): Promise<T> {
    for (let tried = 1; ; tried += 1) {
      try {
        return await work();
      } catch (error) {
        if (!(error instanceof Unreadable)) throw error;
        if (tried < TRIES_MAX) continue;
        throw new Nexus3Error('BACKUP_DAMAGED', 'A file of the history cannot be read.', {
          evidence: [error.message],
          hint: 'Choose another second, or restore a backup: nexus3 backup list',
          cause: error,
        });
      }
    }
  }
}

/**
 * The vault's own, for a second that has only just passed: something dated later that is in the file already proves that
 * nothing dated so is still to come.
 */
async function justWritten(recordings: readonly Recording[], at: number, now: Date): Promise<Recording | undefined> {
  const vault = recordings.find(({ source }) => source === 'vault');
  const newest = vault?.writes.at(-1);
  if (vault === undefined || newest === undefined || at <= vault.coveredTo || at * 1_000 > now.getTime())
    return undefined;
  const scanner = new AofScanner(at);
  await using file = await newest.open();
  for await (const chunk of file.chunks) {
    scanner.push(chunk);
    if (scanner.done) break;
  }
  return scanner.result().cut ? vault : undefined;
}

function covered({ from, to, recording }: OwnedSpan): { from: number; to: number; source: Window['source'] } {
  return { from, to, source: recording.source };
}

function planOf({ source }: Recording, { base, writes }: Selection, at: number): HistoryPlan {
  const count = writes.length;
  const files = count === 1 ? '1 file of writes' : `${String(count)} files of writes`;
  return {
    at: iso(at),
    source,
    description: `${base.name}${count === 0 ? '' : ` and ${files}`}`,
    bytes: [base, ...writes].reduce((sum, { bytes }) => sum + bytes, 0),
  };
}
