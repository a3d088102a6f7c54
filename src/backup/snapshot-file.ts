/** The snapshot of one backup, as its file: written as it flows, and read back as what was written. */
import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { writeFailure } from '../errors.js';
import { syncFolder } from '../files.js';
import type { FileOwner, OnBytes, SnapshotFile } from './backups.js';
import type { Sealing } from './sealing.js';
import { Meter, openPlainFile, Unreadable, writeNewFile } from './hashed-file.js';

/** @throws Nexus3Error DISK_FULL, FILE_NOT_WRITABLE; and whatever the snapshot throws */
export async function writeSnapshot(
  folder: string,
  sealing: Sealing,
  snapshot: AsyncIterable<Buffer>,
  onBytes: OnBytes | undefined,
): Promise<SnapshotFile> {
  const file = `dump.rdb${sealing.suffix}` as const;
  const plain = new Meter(onBytes);
  if (sealing.suffix === '') {
    await writeNewFile(join(folder, file), plain.through(snapshot));
    const { bytes, sha256 } = plain.measured();
    return { file, bytes, sha256, rdbBytes: bytes, rdbSha256: sha256 };
  }
  const stored = new Meter();
  await writeNewFile(join(folder, file), stored.through(sealing.seal(plain.through(snapshot))));
  const { bytes: rdbBytes, sha256: rdbSha256 } = plain.measured();
  return { file, ...stored.measured(), rdbBytes, rdbSha256 };
}

export interface ExtractTo {
  readonly path: string;
  readonly owner: FileOwner | undefined;
  readonly onBytes: OnBytes | undefined;
}

/**
 * When this fails, there is no such file; nor has one been touched that was there before.
 * @throws Unreadable where it is not the file that was written
 * @throws Nexus3Error DISK_FULL, FILE_NOT_WRITABLE
 */
export async function extractSnapshot(
  folder: string,
  sealing: Sealing,
  snapshot: SnapshotFile,
  to: ExtractTo,
): Promise<void> {
  // What is sealed is put together from pieces of what was read.
  const recycled = snapshot.file === 'dump.rdb';
  await using file = await openPlainFile(join(folder, snapshot.file), { recycled });
  if (file.bytes !== snapshot.bytes) throw new Unreadable(`it has ${String(file.bytes)} bytes`);
  const plain = new Meter(to.onBytes);
  await writeNewFile(to.path, plain.through(sealing.open(snapshot.file, file.chunks)), { owner: to.owner });
  try {
    const { bytes, sha256 } = plain.measured();
    if (bytes !== snapshot.rdbBytes || sha256 !== snapshot.rdbSha256)
      throw new Unreadable('its SHA-256 is another one');
    await syncFolder(dirname(to.path)).catch((error: unknown) => {
      throw writeFailure(to.path, error);
    });
  } catch (error) {
    await rm(to.path, { force: true }).catch(() => undefined);
    throw error;
  }
}
