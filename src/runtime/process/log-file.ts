/** The log of one local server: opened for it, rotated between runs, read from its end, followed. */
import { open, rename, stat } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemErrorCode, writeFailure } from '../../errors.js';
import { withoutSecrets } from '../log-line.js';
import type { RunFiles } from './run-record.js';

/** A log larger than this is set aside at the next start; the one set aside before it goes. */
export const LOG_BYTES_MAX = 10 * 1024 * 1024;
/** The most that is read from the end of a log. */
const TAIL_BYTES_MAX = 1024 * 1024;
const FOLLOW_POLL_MS = 200;
const FOLLOW_CHUNK_BYTES_MAX = 64 * 1024;
/** A line without an end is handed on in pieces of this length. */
const LINE_CHARS_MAX = 16 * 1024;

export interface OpenLog {
  readonly file: FileHandle;
  /** Bytes that were in it before this run. */
  readonly size: number;
}

/** Opened for appending, as a server's output. @throws Nexus3Error DISK_FULL, FILE_NOT_WRITABLE */
export async function openLog(files: RunFiles): Promise<OpenLog> {
  try {
    const present = await stat(files.log).catch(() => undefined);
    if (present !== undefined && present.size > LOG_BYTES_MAX) await rename(files.log, files.oldLog);
    const file = await open(files.log, 'a', 0o600);
    return { file, size: (await file.stat()).size };
  } catch (error) {
    throw writeFailure(files.log, error);
  }
}

/** The newest lines, oldest first; those of the rotated log where the present one has too few. */
export async function readLastLines(files: RunFiles, lines: number): Promise<readonly string[]> {
  const newest = await readTail(files.log, 0);
  if (newest.length >= lines) return newest.slice(-lines);
  return [...(await readTail(files.oldLog, 0)), ...newest].slice(-lines);
}

/** Lines from a byte offset on, at most those in the last TAIL_BYTES_MAX; none for a file that is not there. */
export async function readTail(path: string, offset: number): Promise<readonly string[]> {
  const file = await openIfThere(path);
  if (file === undefined) return [];
  try {
    const { size } = await file.stat();
    const from = Math.max(offset, size - TAIL_BYTES_MAX);
    const buffer = Buffer.alloc(Math.max(0, size - from));
    const { bytesRead } = await file.read(buffer, 0, buffer.length, from);
    const lines = buffer.subarray(0, bytesRead).toString('utf8').split('\n');
    if (from > offset) lines.shift();
    return lines.filter((line) => line !== '').map(withoutSecrets);
  } finally {
    await file.close();
  }
}

/** Each line written from now on, until the signal; goes on with the new file after a rotation. */
export async function followLog(path: string, onLine: (line: string) => void, signal: AbortSignal): Promise<void> {
  let inode: number | undefined;
  let position = 0;
  let rest = '';
  for (let isFirst = true; !signal.aborted; isFirst = false) {
    const file = await openIfThere(path);
    if (file !== undefined) {
      try {
        const { ino, size } = await file.stat();
        if (isFirst) position = size;
        else if (ino !== inode || size < position) position = 0;
        inode = ino;
        const chunk = Buffer.alloc(Math.min(FOLLOW_CHUNK_BYTES_MAX, Math.max(0, size - position)));
        const { bytesRead } = await file.read(chunk, 0, chunk.length, position);
        position += bytesRead;
        rest = handOn(rest + chunk.subarray(0, bytesRead).toString('utf8'), onLine);
        if (position < size) continue;
      } finally {
        await file.close();
      }
    }
    await sleep(FOLLOW_POLL_MS, undefined, { signal }).catch(() => undefined);
  }
}

/** Calls back with every whole line, and returns what is left. */
function handOn(text: string, onLine: (line: string) => void): string {
  const lines = text.split('\n');
  const rest = lines.pop() ?? '';
  for (const line of lines) onLine(withoutSecrets(line));
  if (rest.length <= LINE_CHARS_MAX) return rest;
  onLine(withoutSecrets(rest));
  return '';
}

async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'r');
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(systemErrorCode(error) ?? '')) return undefined;
    throw error;
  }
}
