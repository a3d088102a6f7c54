/** One part in the archive: written once, and read back as what was written. */
import { createHash, randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { chmod, copyFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Nexus3Error, systemErrorCode, writeFailure } from '../../errors.js';
import { syncFile } from '../../files.js';
import type { OnBytes } from '../backups.js';
import { Meter, openPlainFile, Unreadable, writeNewFile } from '../hashed-file.js';
import { keyUnknown } from '../faults.js';
import { ForeignKey } from '../sealed-file.js';
import type { Sealing } from '../sealing.js';
import type { Part } from './archive-index.js';

const SUFFIX_BYTES = 4;
const FILE_MODE = 0o600;
/** So many of the last bytes of a part say whether the vault's file still is the one it was. */
export const TAIL_BYTES_MAX = 65_536;

/** @param name what it is of; the part's own name is a new one, so that no part is ever written twice */
export async function writePart(
  folder: string,
  name: string,
  plain: AsyncIterable<Buffer>,
  { sealing, onBytes }: { readonly sealing: Sealing; readonly onBytes: OnBytes | undefined },
): Promise<Part> {
  const file = `${name}.${randomBytes(SUFFIX_BYTES).toString('hex')}${sealing.suffix}`;
  const [before, after] = [new Meter(onBytes), new Meter()];
  await writeNewFile(join(folder, file), after.through(sealing.seal(before.through(plain))));
  return { file, storedBytes: after.measured().bytes, ...before.measured() };
}

/**
 * A base that is not sealed is cloned where the file system can (then it takes no room and no time). Never linked: a link
 * is the vault's own file under another name. Whoever may write into the vault's folder could change it, and one bad
 * block would take both; what only the archive still held would not even count as the vault's.
 */
export async function clonePart(
  folder: string,
  name: string,
  path: string,
  onBytes: OnBytes | undefined,
): Promise<Part> {
  const file = `${name}.${randomBytes(SUFFIX_BYTES).toString('hex')}`;
  const to = join(folder, file);
  try {
    // Says whether it is a plain file, before anything follows a link.
    await (await openPlainFile(path))[Symbol.asyncDispose]();
    await copyFile(path, to, constants.COPYFILE_FICLONE | constants.COPYFILE_EXCL).catch((error: unknown) => {
      throw systemErrorCode(error) === 'ENOENT' ? new Unreadable('it is not there') : writeFailure(to, error);
    });
    await chmod(to, FILE_MODE);
    await syncFile(to);
    await using copy = await openPlainFile(to);
    const meter = new Meter(onBytes);
    for await (const _chunk of meter.through(copy.chunks));
    return { file, storedBytes: copy.bytes, ...meter.measured() };
  } catch (error) {
    await rm(to, { force: true }).catch(() => undefined);
    throw error;
  }
}

/**
 * What was archived. It is proven also when the reader stops early: the rest is then read for nothing but that.
 * @throws Nexus3Error BACKUP_DAMAGED, BACKUP_KEY_UNKNOWN
 */
export async function* readPart(folder: string, part: Part, sealing: Sealing): AsyncGenerator<Buffer> {
  const path = join(folder, part.file);
  try {
    await using file = await openPlainFile(path);
    if (file.bytes !== part.storedBytes) throw new Unreadable(`it has ${String(file.bytes)} bytes`);
    const meter = new Meter();
    const chunks = meter.through(sealing.open(part.file, file.chunks));
    let next: IteratorResult<Buffer> = { done: false, value: Buffer.alloc(0) };
    try {
      // By hand, because leaving `for await` would close what must be read to its end.
      while ((next = await chunks.next()).done !== true) yield next.value;
    } catch (error) {
      next = { done: true, value: undefined };
      throw error;
    } finally {
      if (next.done !== true) for await (const _chunk of chunks);
      refuseOther(meter, part);
    }
  } catch (error) {
    if (error instanceof ForeignKey) throw keyUnknown(`The part ${part.file} of the history archive`);
    throw error instanceof Unreadable ? damaged(path, error.message, error) : error;
  }
}

function refuseOther(meter: Meter, part: Part): void {
  const { bytes, sha256 } = meter.measured();
  if (bytes !== part.bytes || sha256 !== part.sha256) throw new Unreadable('its SHA-256 is another one');
}

function damaged(path: string, evidence: string, cause: unknown): Nexus3Error {
  return new Nexus3Error('BACKUP_DAMAGED', 'A part of the history archive is not what was written: it is damaged.', {
    evidence: [`${path}: ${evidence}`],
    hint:
      'Choose another second, or restore a backup: nexus3 backup list. If there is a copy off this machine, fetch it from ' +
      'there, and look at the disk that this one lay on.',
    cause,
  });
}

/** Keeps the last bytes of what passes, for their hash. */
export class Tail {
  readonly #chunks: Buffer[] = [];
  #bytes = 0;

  async *through(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of chunks) {
      this.#chunks.push(chunk);
      this.#bytes += chunk.length;
      while (this.#bytes - (this.#chunks[0]?.length ?? 0) >= TAIL_BYTES_MAX) {
        this.#bytes -= this.#chunks.shift()?.length ?? 0;
      }
      yield chunk;
    }
  }

  /** Hex. */
  sha256(): string {
    return createHash('sha256').update(Buffer.concat(this.#chunks).subarray(-TAIL_BYTES_MAX)).digest('hex');
  }
}
