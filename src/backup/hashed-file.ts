/** Files that are hashed as they flow, in constant memory: written so that they last, and read back as what was written. */
import { createHash } from 'node:crypto';
import { constants, type Stats } from 'node:fs';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { systemErrorCode, writeFailure } from '../errors.js';
import type { FileOwner, OnBytes } from './backups.js';

const FILE_MODE = 0o600;
/** What is gathered before it is written. While that is being written, as much again is gathered. */
const WRITE_BYTES = 1024 * 1024;
const READ_BYTES = 1024 * 1024;
/**
 * One is being read, one is used, one is being written, and one is to spare: fresh memory for each costs a quarter of the time
 * of a copy (measured: the kernel clears every page first).
 */
const RECYCLED_BUFFERS = 3 + WRITE_BYTES / READ_BYTES;

export interface Measured {
  readonly bytes: number;
  /** Hex. */
  readonly sha256: string;
}

/** Hashes and counts what passes. */
export class Meter {
  readonly #hash = createHash('sha256');
  readonly #onBytes: OnBytes | undefined;
  #bytes = 0;

  /** @param onBytes told of each part how many bytes it had */
  constructor(onBytes?: OnBytes) {
    this.#onBytes = onBytes;
  }

  async *through(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of chunks) {
      this.#hash.update(chunk);
      this.#bytes += chunk.length;
      this.#onBytes?.(chunk.length);
      yield chunk;
    }
  }

  /** Once, at the end. */
  measured(): Measured {
    return { bytes: this.#bytes, sha256: this.#hash.digest('hex') };
  }
}

export interface NewFileOptions {
  readonly owner?: FileOwner | undefined;
}

/**
 * Makes a file, 0600, of what flows; durable when this resolves, but for its name in its folder. On failure it is removed
 * again; one that was there before is never touched.
 * @param chunks must not be changed after they have been handed over
 * @throws Nexus3Error DISK_FULL, FILE_NOT_WRITABLE; and whatever the chunks throw, as it is
 */
export async function writeNewFile(
  path: string,
  chunks: AsyncIterable<Buffer>,
  options: NewFileOptions = {},
): Promise<void> {
  const file = await saying(path, () => open(path, 'wx', FILE_MODE));
  try {
    await writeAll(path, file, chunks);
    await saying(path, async () => {
      await file.chmod(FILE_MODE);
      if (options.owner !== undefined) await file.chown(options.owner.uid, options.owner.gid);
      await file.sync();
    });
  } catch (error) {
    await rm(path, { force: true }).catch(() => undefined);
    throw error;
  } finally {
    await file.close();
  }
}

async function writeAll(path: string, file: FileHandle, chunks: AsyncIterable<Buffer>): Promise<void> {
  let gathered: Buffer[] = [];
  let bytes = 0;
  let writing: Promise<unknown> = Promise.resolve();
  const flush = async (): Promise<void> => {
    await writing;
    writing = saying(path, () => writeWhole(file, gathered, bytes));
    // It is awaited before the next one, or at the end; until then nobody else may be told of its failure.
    writing.catch(() => undefined);
    gathered = [];
    bytes = 0;
  };
  try {
    for await (const chunk of chunks) {
      gathered.push(chunk);
      bytes += chunk.length;
      if (bytes >= WRITE_BYTES) await flush();
    }
    if (bytes > 0) await flush();
  } finally {
    // Also when the chunks failed: nothing may still write into a file that is closed.
    await writing.catch(() => undefined);
  }
  await writing;
}

/** A disk that fills up takes a part, and says so only when the rest is written. */
async function writeWhole(file: FileHandle, chunks: readonly Buffer[], bytes: number): Promise<void> {
  const { bytesWritten } = await file.writev(chunks);
  if (bytesWritten === bytes) return;
  const rest = Buffer.concat(chunks).subarray(bytesWritten);
  for (let at = 0; at < rest.length;) at += (await file.write(rest, at)).bytesWritten;
}

async function saying<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw writeFailure(path, error);
  }
}

export interface OpenedFile extends AsyncDisposable {
  readonly bytes: number;
  readonly chunks: AsyncIterable<Buffer>;
}

/** Why a file in the repository cannot be read. Never leaves src/backup. */
export class Unreadable extends Error {}

/** Bytes of a file, `to` not included. */
export interface ByteRange {
  readonly from: number;
  readonly to: number;
}
const WHOLE: ByteRange = { from: 0, to: Number.POSITIVE_INFINITY };

export interface ReadOptions {
  /** What the chunks are of; `bytes` is always of the whole file. */
  readonly range?: ByteRange;
  /** For `writeNewFile` alone, and at once: a chunk is overwritten once three more have been taken. Otherwise each may be kept. */
  readonly recycled?: boolean;
}

/**
 * Judged by what was opened: a plain file, not a link to one.
 * @throws Unreadable
 */
export async function openPlainFile(
  path: string,
  { range = WHOLE, recycled = false }: ReadOptions = {},
): Promise<OpenedFile> {
  const file = await readable(() => open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK));
  try {
    const stat = await readable(() => file.stat());
    refuseOther(stat);
    return {
      bytes: stat.size,
      chunks: readChunks(file, range, recycled ? RECYCLED_BUFFERS : 0),
      [Symbol.asyncDispose]: () => file.close(),
    };
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** @throws Unreadable, also where it has more bytes */
export async function readSmallFile(path: string, bytesMax: number): Promise<string> {
  await using file = await openPlainFile(path);
  if (file.bytes > bytesMax) throw new Unreadable(`it has more than ${String(bytesMax)} bytes`);
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of file.chunks) {
    bytes += chunk.length;
    if (bytes > bytesMax) throw new Unreadable(`it has more than ${String(bytesMax)} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** The next one is being read while one is used: a disk and a hash work side by side. */
async function* readChunks(file: FileHandle, { from, to }: ByteRange, ring: number): AsyncGenerator<Buffer> {
  const buffers: Buffer[] = [];
  let recycled = ring;
  let count = 0;
  const bufferFor = (bytes: number): Buffer => {
    const slot = count % recycled;
    // Only whole ones go round: whoever gathers until there is enough to write holds no more than one of those.
    if (recycled === 0 || bytes < READ_BYTES) return Buffer.allocUnsafeSlow(bytes);
    return (buffers[slot] ??= Buffer.allocUnsafeSlow(READ_BYTES));
  };
  /** Of no bytes at the end. */
  const read = async (position: number): Promise<Buffer> => {
    const buffer = bufferFor(Math.max(0, Math.min(READ_BYTES, to - position)));
    if (buffer.length === 0) return buffer;
    const { bytesRead } = await readable(() => file.read(buffer, 0, buffer.length, position));
    count += 1;
    if (bytesRead < buffer.length) recycled = 0;
    return buffer.subarray(0, bytesRead);
  };
  let position = from;
  let next = read(position);
  try {
    for (;;) {
      const chunk = await next;
      if (chunk.length === 0) return;
      position += chunk.length;
      next = read(position);
      // Who fails is told when it is asked for.
      next.catch(() => undefined);
      yield chunk;
    }
  } finally {
    // Also when whoever reads has enough: nothing may still read from a file that is closed.
    await next.catch(() => undefined);
  }
}

export function refuseOther(stat: Stats): void {
  if (!stat.isFile()) throw new Unreadable(stat.isSymbolicLink() ? 'it is a symbolic link' : 'it is not a plain file');
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'it is not there',
  ELOOP: 'it is a symbolic link',
  EACCES: 'this user may not read it',
  EPERM: 'this user may not read it',
};

export async function readable<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === undefined) throw error;
    throw new Unreadable(REASONS[code] ?? `${code} when it was read`, { cause: error });
  }
}
