/** The recording that lies in a vault's own folder, and grows while the vault runs. Only heads of files are read here. */
import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { readIfThere } from '../../files.js';
import { MANIFEST_FILE, parseAofManifest, parseBirth } from '../../protocol/guard.js';
import { BIRTH_FILE, SINCE_FILE } from '../../protocol/layout.js';
import { type OpenedFile, openPlainFile, Unreadable } from '../hashed-file.js';
import { type AofLog, aofLog, usable } from './aof-log.js';
import { RDB_HEAD_BYTES, rdbTime } from './rdb-time.js';
import type { RecordedBase, RecordedWrites, Recording } from './recording.js';
import { writtenBy } from './seconds.js';

export const AOF_FOLDER = 'appendonlydir';
/** Holds `#TS:SECONDS\r\n`. */
const WRITES_HEAD_BYTES = 64;

export interface VaultBase extends RecordedBase {
  readonly path: string;
}

export interface VaultWrites extends RecordedWrites {
  /** Up to what was there when the folder was looked at. */
  openFrom(byte: number, to: number): Promise<OpenedFile>;
}

export interface VaultRecording extends Recording {
  readonly source: 'vault';
  readonly incarnation: string;
  readonly bases: readonly VaultBase[];
  readonly writes: readonly VaultWrites[];
}

/**
 * Undefined: nothing that can be used, or believed, lies there.
 * @param dataDir the vault's
 * @throws system errors of reading, as they are
 */
export async function readVaultRecording(dataDir: string, now: Date): Promise<VaultRecording | undefined> {
  const birth = parseBirth((await readIfThere(join(dataDir, BIRTH_FILE))) ?? '');
  const since = await readSince(dataDir);
  if (birth?.state !== 'born' || since === 'unreadable') return undefined;
  const log = await readAofLog(dataDir);
  if (log === undefined) return undefined;
  const folder = join(dataDir, AOF_FOLDER);
  const sizes = await sizesOf(folder, [...log.bases, ...log.writes]);
  const { bases, writes } = usable(log, (file) => sizes.has(file));
  const recorded = await recordedWrites(folder, writes, sizes);
  const dated = await recordedBases(folder, bases, { sizes, since: since ?? 0, writes: recorded });
  const [first] = dated;
  if (first === undefined) return undefined;
  return {
    source: 'vault',
    incarnation: birth.incarnation,
    since: since ?? first.from,
    order: 0,
    coveredTo: writtenBy(now),
    bases: dated,
    writes: recorded.filter(({ seq }) => seq >= first.next),
  };
}

/** Undefined: none there, or one that Redis would not load. */
async function readAofLog(dataDir: string): Promise<AofLog | undefined> {
  const text = await readIfThere(join(dataDir, AOF_FOLDER, MANIFEST_FILE));
  const manifest = text === undefined ? undefined : parseAofManifest(text);
  return manifest === undefined ? undefined : aofLog(manifest);
}

/** Second at which these data were put there; undefined: they grew there from nothing. */
async function readSince(dataDir: string): Promise<number | 'unreadable' | undefined> {
  const text = await readIfThere(join(dataDir, SINCE_FILE));
  if (text === undefined) return undefined;
  const ms = /^\d{4}-\d\d-\d\dT[\d:.]+Z\n$/.test(text) ? Date.parse(text.trim()) : Number.NaN;
  return Number.isNaN(ms) ? 'unreadable' : Math.floor(ms / 1_000);
}

/** Of those that are there. */
async function sizesOf(folder: string, files: readonly { file: string }[]): Promise<ReadonlyMap<string, number>> {
  const sizes = new Map<string, number>();
  for (const { file } of files) {
    const stat = await lstat(join(folder, file)).catch(() => undefined);
    if (stat?.isFile() === true) sizes.set(file, stat.size);
  }
  return sizes;
}

async function recordedWrites(
  folder: string,
  writes: AofLog['writes'],
  sizes: ReadonlyMap<string, number>,
): Promise<readonly VaultWrites[]> {
  const recorded: VaultWrites[] = [];
  for (const { file, seq } of writes) {
    const path = join(folder, file);
    const bytes = sizes.get(file) ?? 0;
    const first = annotationOf(await headOf(path, WRITES_HEAD_BYTES));
    const openFrom = (from: number, to: number): Promise<OpenedFile> => openPlainFile(path, { range: { from, to } });
    recorded.push({ name: file, seq, bytes, first, open: () => openFrom(0, bytes), openFrom });
  }
  return recorded;
}

interface Known {
  readonly sizes: ReadonlyMap<string, number>;
  readonly since: number;
  readonly writes: readonly RecordedWrites[];
}

async function recordedBases(folder: string, bases: AofLog['bases'], known: Known): Promise<readonly VaultBase[]> {
  const recorded: VaultBase[] = [];
  for (const { file, next, isFirst } of bases) {
    const path = join(folder, file);
    const head = await headOf(path, RDB_HEAD_BYTES);
    const time = rdbTime(head) ?? annotationOf(head);
    if (time === undefined) continue;
    // `time()` may be a tick behind the clock that writes are dated by: a write of the next second may be in it.
    const own = isFirst ? time : time + 1;
    const earlier = known.writes.filter(({ seq }) => seq < next).map(({ first }) => first ?? 0);
    // Also where the clock was set back.
    const from = Math.max(own, known.since, recorded.at(-1)?.from ?? 0, ...earlier);
    const bytes = known.sizes.get(file) ?? 0;
    recorded.push({ name: file, bytes, next, from, path, open: () => openPlainFile(path) });
  }
  return recorded;
}

/** The second that a file begins with. */
function annotationOf(head: Buffer): number | undefined {
  const digits = /^#TS:(\d{1,15})\r\n/.exec(head.toString('latin1', 0, WRITES_HEAD_BYTES))?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** Empty where it cannot be read, or is gone by now. */
async function headOf(path: string, bytes: number): Promise<Buffer> {
  try {
    await using file = await openPlainFile(path, { range: { from: 0, to: bytes } });
    const chunks: Buffer[] = [];
    for await (const chunk of file.chunks) chunks.push(chunk);
    return Buffer.concat(chunks);
  } catch (error) {
    if (error instanceof Unreadable) return Buffer.alloc(0);
    throw error;
  }
}
