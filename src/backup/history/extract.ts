/** An `appendonlydir` that holds the state at one second: a base, the writes after it up to that second, a manifest. */
import { chmod, chown, mkdir, rm, truncate } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Nexus3Error, writeFailure } from '../../errors.js';
import { syncFile, syncFolder, writeFileWhole } from '../../files.js';
import { MANIFEST_FILE } from '../../protocol/guard.js';
import type { FileOwner, OnBytes } from '../backups.js';
import { Meter, writeNewFile } from '../hashed-file.js';
import { type AofScan, AofScanner } from './aof-scanner.js';
import type { RecordedFile, Recording, Selection } from './recording.js';
import { iso } from './seconds.js';

const FOLDER_MODE = 0o700;
const FILE_MODE = 0o600;

export interface ExtractTarget {
  /** Is made, and must not be there. */
  readonly folder: string;
  readonly owner: FileOwner | undefined;
  readonly onBytes?: OnBytes | undefined;
}

/** What was cut off, or how far the writes go. */
export interface Extracted {
  /** Something dated later was found: nothing dated so or earlier can be missing. */
  readonly cut: boolean;
}

/**
 * When this fails, the folder is gone again.
 * @throws Nexus3Error BACKUP_DAMAGED, BACKUP_KEY_UNKNOWN, DISK_FULL, FILE_NOT_WRITABLE
 * @throws Unreadable where a file cannot be opened or read, or is gone
 */
export async function extractSelection(
  recording: Recording,
  { base, writes }: Selection,
  at: number,
  to: ExtractTarget,
): Promise<Extracted> {
  const { folder, owner } = to;
  await makeNewFolder(folder, owner);
  try {
    const baseFile = `appendonly.aof.1.base.${base.name.endsWith('.aof') ? 'aof' : 'rdb'}`;
    await copy(base, join(folder, baseFile), to, (chunks) => chunks);
    const lines = [`file ${baseFile} seq 1 type b`];
    let cut = false;
    for (const [index, file] of writes.entries()) {
      const name = `appendonly.aof.${String(index + 1)}.incr.aof`;
      const scanner = new AofScanner(at);
      const path = join(folder, name);
      await copy(file, path, to, (chunks) => scanned(chunks, scanner));
      const scan = scanner.result();
      refuseDamage(recording, file, scan, { at, isNewest: file === recording.writes.at(-1) });
      await cutOff(path, scan.end);
      lines.push(`file ${name} seq ${String(index + 1)} type i`);
      cut = scan.cut;
      if (cut) break;
    }
    await writeFileWhole(join(folder, MANIFEST_FILE), `${lines.join('\n')}\n`, { mode: FILE_MODE, owner });
    await syncFolder(dirname(folder));
    return { cut: cut || writes.length < recording.writes.filter(({ seq }) => seq >= base.next).length };
  } catch (error) {
    await rm(folder, { recursive: true, force: true }).catch(() => undefined);
    throw error;
  }
}

async function makeNewFolder(folder: string, owner: FileOwner | undefined): Promise<void> {
  try {
    await mkdir(folder, { mode: FOLDER_MODE });
    await chmod(folder, FOLDER_MODE);
    if (owner !== undefined) await chown(folder, owner.uid, owner.gid);
  } catch (error) {
    throw writeFailure(folder, error);
  }
}

async function copy(
  from: { readonly name: string; open(): Promise<RecordedFile> },
  path: string,
  { owner, onBytes }: ExtractTarget,
  through: (chunks: AsyncIterable<Buffer>) => AsyncIterable<Buffer>,
): Promise<void> {
  await using file = await from.open();
  await writeNewFile(path, through(new Meter(onBytes).through(file.chunks)), { owner });
}

/** Ends with the piece in which the wanted second ends. */
async function* scanned(chunks: AsyncIterable<Buffer>, scanner: AofScanner): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) {
    scanner.push(chunk);
    yield chunk;
    if (scanner.done) return;
  }
}

async function cutOff(path: string, bytes: number): Promise<void> {
  try {
    await truncate(path, bytes);
    await syncFile(path);
  } catch (error) {
    throw writeFailure(path, error);
  }
}

interface Place {
  readonly at: number;
  readonly isNewest: boolean;
}

/**
 * Only the newest file may end in the middle of a command: it is being written, or a power cut has. Anything else that is
 * no append-only file, before the wanted second has ended, is damage: nobody knows what stood there.
 */
function refuseDamage(
  recording: Recording,
  { name, bytes }: { name: string; bytes: number },
  scan: AofScan,
  place: Place,
): void {
  if (scan.cut || (scan.damage === undefined && (place.isNewest || scan.end === bytes))) return;
  const { offset, what } = scan.damage ?? { offset: scan.end, what: 'a command or transaction without its end' };
  const whole = scan.last === undefined ? [] : [`it is whole up to ${iso(scan.last)}`];
  throw new Nexus3Error('BACKUP_DAMAGED', `The writes up to ${iso(place.at)} cannot be read: ${name} is damaged.`, {
    evidence: [`${name} (${recording.source}), byte ${String(offset)}: ${what}`, ...whole],
    hint:
      scan.last === undefined
        ? 'Choose an earlier second, or restore a backup: nexus3 backup list'
        : `Choose a second before ${iso(scan.last)}, or restore a backup: nexus3 backup list`,
  });
}
