/**
 * A password that one child can read, and nobody else: a file without a name. restic reads passwords from files, and a pipe
 * cannot be opened by a name here; so the file is made, opened and unlinked before the child starts, which inherits it. It
 * is in no argument and no environment, and a kill leaves nothing.
 */
import { mkdtemp, open, rm, rmdir } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeFailure } from '../../errors.js';
import type { Secret } from '../../protocol/secret.js';

/** @returns to be closed by the caller @throws Nexus3Error DISK_FULL, FILE_NOT_WRITABLE */
export async function openPassword(password: Secret): Promise<FileHandle> {
  const folder = await makePrivateFolder();
  const path = join(folder, 'password');
  try {
    const file = await open(path, 'wx+', 0o600);
    try {
      await rm(path);
      await file.write(`${password.reveal()}\n`);
      return file;
    } catch (error) {
      await file.close();
      throw error;
    }
  } catch (error) {
    throw writeFailure(path, error);
  } finally {
    await rmdir(folder);
  }
}

async function makePrivateFolder(): Promise<string> {
  const prefix = join(tmpdir(), 'nexus3-');
  try {
    return await mkdtemp(prefix);
  } catch (error) {
    throw writeFailure(prefix, error);
  }
}
