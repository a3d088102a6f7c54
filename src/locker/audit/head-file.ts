/**
 * How far the audit had come, kept beside the root key (`root.key.audit-head`): who can only reach Locker’s data cannot cut
 * the audit’s end, or put an older copy back, without a difference from this file.
 *
 * Written whole after each append, and only forwards. Without fsync: after a power cut an older head may be there, and
 * what an older one says is still true of the chain. Two processes that write at once may lose a step the same way.
 */
import { randomBytes } from 'node:crypto';
import { closeSync, constants, openSync, readSync } from 'node:fs';
import { readdir, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { systemErrorCode } from '../../errors.js';
import { parseJson } from '../../json.js';
import type { AuditKey } from './chain.js';
import type { HeadMark } from './check.js';

const FILE_MODE = 0o600;
/** More than this is not such a file. */
const FILE_BYTES_MAX = 1_024;
const FORMAT = 'nexus3-audit-head-1';

export function headFilePath(rootKeyPath: string): string {
  return `${rootKeyPath}.audit-head`;
}

/** As it lies there; whether it is genuine, only the audit’s key can say. */
export interface StoredMark extends HeadMark {
  readonly bound: string;
}

/** `unreadable`: it cannot be read, or is no such file. */
export type FoundMark = StoredMark | 'unreadable' | undefined;

/**
 * At once and not in the background: 10 µs, where three trips to Node’s thread pool are 400 (measured), and whoever asks
 * for a credential waits for it.
 */
export function readMark(path: string): FoundMark {
  try {
    const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const buffer = Buffer.alloc(FILE_BYTES_MAX + 1);
      const bytesRead = readSync(file, buffer, 0, buffer.length, 0);
      return parseMark(buffer.subarray(0, bytesRead).toString('utf8'));
    } finally {
      closeSync(file);
    }
  } catch (error) {
    const code = systemErrorCode(error);
    return code === 'ENOENT' || code === 'ENOTDIR' ? undefined : 'unreadable';
  }
}

/** Undefined: not written by nexus3 for this audit. Another audit’s head cannot be judged, and is handed on as it is. */
export function genuineMark(key: AuditKey, mark: StoredMark): HeadMark | undefined {
  const { audit, seq, mac, bound } = mark;
  return audit !== key.id || key.fits('head-file', bodyOf(mark), bound) ? { audit, seq, mac } : undefined;
}

/**
 * Puts a later head in the place of an earlier one of the same audit, or where there is none.
 * @returns why it could not be written; undefined: it is there, or a later one is.
 */
export async function advanceMark(path: string, key: AuditKey, mark: HeadMark): Promise<string | undefined> {
  const found = readMark(path);
  if (found === 'unreadable') return `${path} cannot be read`;
  // Whoever put another one there meanwhile knows more: the next proof says what is wrong.
  if (found !== undefined && (found.audit !== mark.audit || found.seq >= mark.seq)) return undefined;
  // Its own name for each writing: one process may hold several Lockers open.
  const temporary = `${path}.${String(process.pid)}-${randomBytes(4).toString('hex')}.new`;
  const bound = key.mac('head-file', bodyOf(mark));
  try {
    await writeFile(temporary, `${JSON.stringify([FORMAT, mark.audit, mark.seq, mark.mac, bound])}\n`, {
      mode: FILE_MODE,
    });
    await rename(temporary, path);
    return undefined;
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    return `${path} cannot be written (${systemErrorCode(error) ?? 'unknown reason'})`;
  }
}

export async function removeMark(path: string): Promise<void> {
  await rm(path, { force: true });
}

/** `root.key.audit-head.PID-….new` of processes that are no more. */
export async function clearHalfWrittenMarks(path: string): Promise<void> {
  const prefix = `${basename(path)}.`;
  const names = await readdir(dirname(path)).catch((): string[] => []);
  for (const name of names) {
    const pid = /^(\d{1,10})-[0-9a-f]+\.new$/.exec(name.startsWith(prefix) ? name.slice(prefix.length) : '')?.[1];
    if (pid !== undefined && !isRunning(Number(pid))) {
      // Where this folder is not ours to write, it stays: it harms nobody.
      await rm(join(dirname(path), name), { force: true }).catch(() => undefined);
    }
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return systemErrorCode(error) !== 'ESRCH';
  }
}

function bodyOf({ audit, seq, mac }: HeadMark): string {
  return JSON.stringify([FORMAT, audit, seq, mac]);
}

function parseMark(text: string): StoredMark | 'unreadable' {
  const words = parseJson(text);
  const [format, audit, seq, mac, bound] = Array.isArray(words) ? (words as readonly unknown[]) : [];
  if (format !== FORMAT || typeof audit !== 'string' || typeof mac !== 'string') return 'unreadable';
  if (typeof seq !== 'number' || !Number.isSafeInteger(seq) || seq < 1 || typeof bound !== 'string')
    return 'unreadable';
  return { audit, seq, mac, bound };
}
