/** Any second of the past: from the vault's own folder where that reaches, else from the archive. */
import { Nexus3Error, systemErrorCode } from '../../errors.js';
import { isEnvironmentName } from '../../protocol/environment.js';
import type { ArchiveReport, History, HistoryPlan, OnBytes, Window } from '../backups.js';
import { Unreadable } from '../hashed-file.js';
import type { Sealing } from '../sealing.js';
import { AofScanner } from './aof-scanner.js';
import { ArchiveFolder, type Lineage } from './archive-folder.js';
import type { ArchiveIndex } from './archive-index.js';
import { archivedRecordings } from './archive-recording.js';
import { archiveVault } from './archiver.js';
import { extractSelection, type ExtractTarget } from './extract.js';
import { type Join, joinOf } from './joint.js';
import { notCovered } from './not-covered.js';
import { prunedIndexes } from './pruning.js';
import { type OwnedSpan, ownedSpans, type Recording, type Selection, select } from './recording.js';
import { iso, wholeSecond } from './seconds.js';
import { historyBytesIn, pruneVault } from './vault-prune.js';
import { readVaultRecording, type VaultRecording } from './vault-recording.js';

/** A vault that rewrites its file meanwhile, or a prune, may take away what was about to be read. */
const TRIES_MAX = 5;

export interface HistoryInit {
  /** Of all backups. */
  readonly root: string;
  /** Of one environment's history: in the vault's folder, and again in the archive. */
  readonly bytesMax: number;
  readonly sealing: Sealing;
  readonly now: () => Date;
}

interface Found {
  readonly recordings: readonly Recording[];
  /** What in the archive cannot be believed, a line each. */
  readonly notes: readonly string[];
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

  async archive(env: string, dataDir: string, onBytes?: OnBytes): Promise<ArchiveReport> {
    const { sealing, bytesMax, now } = this.#init;
    let [files, bytes] = [0, 0];
    try {
      await this.#trying(async () => {
        const lookedAt = now();
        const vault = await readVault(dataDir, lookedAt);
        if (vault === undefined) return;
        const init = { env, archive: this.#archiveOf(env), sealing, bytesMax, onBytes };
        const report = await archiveVault(init, vault, lookedAt);
        files += report.files;
        bytes += report.bytes;
      });
    } catch (error) {
      throw failedReading(error, `The history of ${env} cannot be archived.`, this.#init.root);
    }
    return { files, bytes };
  }

  async prune(env: string, dataDir: string | undefined): Promise<{ readonly files: number; readonly bytes: number }> {
    const { bytesMax } = this.#init;
    const vault = dataDir === undefined ? { files: 0, bytes: 0 } : await this.pruneVault(dataDir);
    const archive = await this.#archiveOf(env).prune((indexes) => prunedIndexes(indexes, bytesMax));
    return { files: vault.files + archive.files, bytes: vault.bytes + archive.bytes };
  }

  pruneVault(dataDir: string): Promise<{ readonly files: number; readonly bytes: number }> {
    return pruneVault(dataDir, this.#init.bytesMax);
  }

  bytesInVault(dataDir: string): Promise<number> {
    return historyBytesIn(dataDir);
  }

  async windows(env: string, dataDir: string | undefined): Promise<readonly Window[]> {
    const spans = ownedSpans((await this.#recordings(env, dataDir, this.#init.now())).recordings);
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
    try {
      return await this.#extract(env, dataDir, second, to);
    } catch (error) {
      if (!isDamage(error) || dataDir === undefined) throw error;
      // What the vault's disk does not give any more may be in the archive, each part of which is proven.
      return await this.#extract(env, undefined, second, to).catch((other: unknown) => {
        throw other instanceof Nexus3Error && !isDamage(other) && other.code !== 'TIME_NOT_COVERED' ? other : error;
      });
    }
  }

  #extract(env: string, dataDir: string | undefined, second: number, to: ExtractTarget): Promise<HistoryPlan> {
    return this.#trying(async () => {
      const { recording, selection, plan } = await this.#choose(env, dataDir, second);
      await extractSelection(recording, selection, second, to);
      return plan;
    });
  }

  #archiveOf(env: string): ArchiveFolder {
    if (!isEnvironmentName(env)) throw new RangeError('no name of an environment');
    return new ArchiveFolder(this.#init.root, env, this.#init.sealing);
  }

  async #recordings(env: string, dataDir: string | undefined, now: Date): Promise<Found> {
    const notes: string[] = [];
    for (let tried = 1; dataDir !== undefined; tried += 1) {
      try {
        const vault = await readVault(dataDir, now).catch(noted(notes, undefined));
        return await this.#withArchive(env, vault, notes);
      } catch (error) {
        if (!(error instanceof Unreadable)) throw error;
        if (tried < TRIES_MAX) continue;
        notes.push(`the vault’s folder cannot be read: ${error.message}`);
        break;
      }
    }
    return this.#withArchive(env, undefined, notes);
  }

  /** @throws Unreadable where a file of the vault cannot be read, or is gone by now */
  async #withArchive(env: string, vault: VaultRecording | undefined, said: readonly string[]): Promise<Found> {
    const recordings: Recording[] = [];
    const notes = [...said];
    let own: Recording | undefined = vault;
    for (const { folder, index, problem } of await this.#lineages(env).catch(noted(notes, []))) {
      if (index === undefined) {
        notes.push(`${folder}: ${problem.message}`);
        continue;
      }
      recordings.push(...archivedRecordings(folder, index, this.#init.sealing));
      if (vault === undefined || own === undefined || vault.incarnation !== index.incarnation) continue;
      own = beside(own, index, await joinOf(index.stretches.at(-1), vault));
      // What a vault has lost it cannot tell of: then only the archive knows.
      if (own === undefined) notes.push('the vault’s folder holds less than was archived of it');
    }
    if (own !== undefined) recordings.push(own);
    return { recordings, notes };
  }

  async #lineages(env: string): Promise<readonly Lineage[]> {
    try {
      return await this.#archiveOf(env).lineages();
    } catch (error) {
      throw failedReading(error, 'The archive cannot be read.', this.#init.root);
    }
  }

  /** @throws Nexus3Error TIME_NOT_COVERED */
  async #choose(env: string, dataDir: string | undefined, at: number): Promise<Choice> {
    const now = this.#init.now();
    const { recordings, notes } = await this.#recordings(env, dataDir, now);
    const spans = ownedSpans(recordings);
    const recording =
      spans.find(({ from, to }) => from <= at && at <= to)?.recording ?? (await justWritten(recordings, at, now));
    const selection = recording === undefined ? undefined : select(recording, at);
    if (recording === undefined || selection === undefined) {
      throw notCovered(env, at, spans.map(covered), { now, notes });
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

async function readVault(dataDir: string, now: Date): Promise<VaultRecording | undefined> {
  try {
    return await readVaultRecording(dataDir, now);
  } catch (error) {
    throw failedReading(error, 'What the vault keeps of its history cannot be read.', dataDir);
  }
}

/** @returns what is no error of the system as it is */
function failedReading(error: unknown, message: string, where: string): unknown {
  const code = error instanceof Nexus3Error ? undefined : systemErrorCode(error);
  if (code === undefined) return error;
  return new Nexus3Error('BACKUP_FAILED', message, {
    evidence: [`${code} in ${where}`],
    hint: 'Run nexus3 as the user whom that folder belongs to, or as root; where the disk is at fault, see its kernel log.',
    cause: error,
  });
}

function isDamage(error: unknown): boolean {
  return error instanceof Nexus3Error && error.code === 'BACKUP_DAMAGED';
}

/** What cannot be read is said where it is missed. */
function noted<T>(notes: string[], instead: T): (error: unknown) => T {
  return (error) => {
    if (!(error instanceof Nexus3Error)) throw error;
    notes.push([error.message, ...error.evidence].join(' '));
    return instead;
  };
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
  if (at < (vault.certainFrom ?? 0)) return undefined;
  const scanner = new AofScanner(at);
  await using file = await newest.open();
  for await (const chunk of file.chunks) {
    scanner.push(chunk);
    if (scanner.done) break;
  }
  return scanner.result().cut ? vault : undefined;
}

/** The vault's own recording beside what is archived of the same vault; undefined: it knows of nothing for certain. */
function beside(own: Recording, { since, stretches }: ArchiveIndex, join: Join): Recording | undefined {
  if (join.kind === 'put-back' && join.certainFrom === undefined) return undefined;
  const last = stretches.at(-1);
  const goesOn = join.kind === 'goes-on';
  const certainFrom = join.kind === 'put-back' ? join.certainFrom : goesOn ? last?.certainFrom : undefined;
  return {
    ...own,
    since: Math.min(own.since, since),
    coveredTo: Math.max(own.coveredTo, goesOn ? (last?.coveredTo ?? 0) : 0),
    certainFrom: Math.max(own.certainFrom ?? 0, certainFrom ?? 0),
  };
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
