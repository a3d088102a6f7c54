/**
 * Copies from a vault's folder what the archive lacks, while the vault writes, rewrites and removes. After each copy the
 * index is written, so that a run that is killed has lost at most one copy, and the next one goes on.
 */
import type { ArchiveReport, OnBytes } from '../backups.js';
import type { Sealing } from '../sealing.js';
import { type AofScan, AofScanner } from './aof-scanner.js';
import type { ArchiveFolder } from './archive-folder.js';
import { type ArchivedWrites, type ArchiveIndex, type Stretch } from './archive-index.js';
import { type ArchivePlan, planArchive, type Step } from './archive-plan.js';
import { type Join, joinOf } from './joint.js';
import { clonePart, Tail, writePart } from './part-file.js';
import { writtenBy } from './seconds.js';
import type { VaultBase, VaultRecording, VaultWrites } from './vault-recording.js';

export interface ArchiverInit {
  readonly env: string;
  readonly archive: ArchiveFolder;
  readonly sealing: Sealing;
  readonly bytesMax: number;
  readonly onBytes: OnBytes | undefined;
}

const NEW_STRETCH: Stretch = { coveredTo: undefined, certainFrom: undefined, bases: [], writes: [] };

/**
 * @param lookedAt before the vault's folder was read
 * @throws Unreadable where the vault has taken away a file meanwhile: then it is read again, and what was copied is kept
 */
export async function archiveVault(init: ArchiverInit, vault: VaultRecording, lookedAt: Date): Promise<ArchiveReport> {
  const { folder, index } = await init.archive.open(vault.incarnation);
  const join = await joinOf(index?.stretches.at(-1), vault);
  const plan = planArchive(index, vault, join, init.bytesMax);
  const copying = new Copying(init, folder, begin(init.env, index, vault, { plan, join }));
  for (const step of plan.steps)
    await copying.take(step, step.kind === 'writes' && step.writes === vault.writes.at(-1));
  // What was not looked at is not covered.
  if (plan.steps.length > 0) await copying.end(writtenBy(lookedAt));
  await closeOthers(init.archive, folder);
  return copying.report;
}

function begin(
  env: string,
  index: ArchiveIndex | undefined,
  vault: VaultRecording,
  { plan, join }: { readonly plan: ArchivePlan; readonly join: Join },
): ArchiveIndex {
  const { incarnation, since } = vault;
  const stretches = index?.stretches ?? [];
  const certainFrom = join.kind === 'put-back' ? join.certainFrom : undefined;
  return {
    env,
    incarnation,
    // The vault's own folder may have forgotten its oldest.
    since: Math.min(since, index?.since ?? since),
    closed: false,
    stretches: plan.goesOn || plan.steps.length === 0 ? stretches : [...stretches, { ...NEW_STRETCH, certainFrom }],
  };
}

class Copying {
  readonly #init: ArchiverInit;
  readonly #folder: string;
  #index: ArchiveIndex;
  /** After damage nothing can go on but from a base. */
  #broken = false;
  #files = 0;
  #bytes = 0;
  #lastSecond: number | undefined;

  constructor(init: ArchiverInit, folder: string, index: ArchiveIndex) {
    this.#init = init;
    this.#folder = folder;
    this.#index = index;
  }

  get report(): ArchiveReport {
    return { files: this.#files, bytes: this.#bytes };
  }

  async take(step: Step, isNewest: boolean): Promise<void> {
    if (step.kind === 'base') await this.#takeBase(step.base);
    else if (!this.#broken) await this.#takeWrites(step.writes, step.from, isNewest);
  }

  async end(coveredTo: number): Promise<void> {
    const stretch = this.#stretch;
    if (stretch === undefined) return;
    if (!this.#broken) this.#cover(Math.max(coveredTo, (this.#lastSecond ?? 0) - 1));
    await this.#init.archive.write(this.#folder, this.#index);
  }

  async #takeBase(base: VaultBase): Promise<void> {
    const { name, from, next, path } = base;
    const { sealing, onBytes } = this.#init;
    let part;
    if (sealing.suffix === '') part = await clonePart(this.#folder, name, path, onBytes);
    else {
      await using file = await base.open();
      part = await writePart(this.#folder, name, file.chunks, { sealing, onBytes });
    }
    if (this.#broken) {
      this.#index = { ...this.#index, stretches: [...this.#index.stretches, NEW_STRETCH] };
      this.#broken = false;
    }
    await this.#change(
      (stretch) => ({ ...stretch, bases: [...stretch.bases, { name, from, next, ...part }] }),
      part.bytes,
    );
  }

  /** Up to the last whole command. Only the newest file may end otherwise. */
  async #takeWrites(writes: VaultWrites, begin: number, isNewest: boolean): Promise<void> {
    const { sealing, onBytes } = this.#init;
    const scan = await scanFrom(writes, begin);
    this.#lastSecond = scan.last ?? this.#lastSecond;
    const end = begin + scan.end;
    const known: ArchivedWrites = { name: writes.name, seq: writes.seq, first: writes.first, ranges: [] };
    if (scan.end === 0) await this.#change((stretch) => withRange(stretch, known), 0);
    else {
      await using file = await writes.openFrom(begin, end);
      const tail = new Tail();
      const name = `${writes.name}.${String(begin)}`;
      const part = await writePart(this.#folder, name, tail.through(file.chunks), { sealing, onBytes });
      const range = { begin, first: scan.first, last: scan.last, tail: tail.sha256(), ...part };
      await this.#change((stretch) => withRange(stretch, { ...known, ranges: [range] }), part.bytes);
    }
    if (scan.damage === undefined && (isNewest || end === writes.bytes)) return;
    this.#broken = true;
    if (this.#lastSecond !== undefined) this.#cover(this.#lastSecond - 1);
  }

  get #stretch(): Stretch | undefined {
    return this.#index.stretches.at(-1);
  }

  /** What was covered stays covered, also when a clock was set back. */
  #cover(to: number): void {
    this.#replace((stretch) => ({ ...stretch, coveredTo: Math.max(to, stretch.coveredTo ?? to) }));
  }

  async #change(change: (stretch: Stretch) => Stretch, bytes: number): Promise<void> {
    this.#replace(change);
    await this.#init.archive.write(this.#folder, this.#index);
    if (bytes === 0) return;
    this.#files += 1;
    this.#bytes += bytes;
  }

  #replace(change: (stretch: Stretch) => Stretch): void {
    const stretch = this.#stretch;
    if (stretch === undefined) throw new Error('a step without a stretch');
    this.#index = { ...this.#index, stretches: [...this.#index.stretches.slice(0, -1), change(stretch)] };
  }
}

function withRange(stretch: Stretch, added: ArchivedWrites): Stretch {
  const there = stretch.writes.find(({ name }) => name === added.name);
  if (there === undefined) return { ...stretch, writes: [...stretch.writes, added] };
  const joined = { ...added, ranges: [...there.ranges, ...added.ranges] };
  return { ...stretch, writes: stretch.writes.map((each) => (each === there ? joined : each)) };
}

async function scanFrom(writes: VaultWrites, from: number): Promise<AofScan> {
  const scanner = new AofScanner();
  await using file = await writes.openFrom(from, writes.bytes);
  for await (const chunk of file.chunks) {
    scanner.push(chunk);
    if (scanner.done) break;
  }
  return scanner.result();
}

/** Of one environment one vault serves: what any other has written is all that it ever will. */
async function closeOthers(archive: ArchiveFolder, folder: string): Promise<void> {
  for (const lineage of await archive.lineages()) {
    if (lineage.folder === folder || lineage.index === undefined || lineage.index.closed) continue;
    await archive.write(lineage.folder, { ...lineage.index, closed: true });
  }
}
