/** Whether what lies in a repository can be used, here or where it has been fetched to: what a pull asks before it replaces. */
import { join } from 'node:path';
import { Nexus3Error } from '../errors.js';
import type { KnownSecrets } from './backup-secret.js';
import type { BackupPlace } from './faults.js';
import { Meter, openPlainFile, readSmallFile, Unreadable } from './hashed-file.js';
import { ArchiveFolder } from './history/archive-folder.js';
import { partsOf, reachOf } from './history/archive-index.js';
import { KEYS_BYTES_MAX, parseKeyFile } from './key-file.js';
import { parseManifest } from './manifest.js';
import { Repository } from './repository.js';
import type { Judge, JudgedLineage } from './restic/judge.js';
import { bytesOf } from './restic/staging.js';
import type { Sealing } from './sealing.js';
import { Untrue } from './untrusted.js';

export class Soundness implements Judge {
  readonly #secrets: () => Promise<KnownSecrets>;
  readonly #sealing: Sealing;

  constructor(secrets: () => Promise<KnownSecrets>, sealing: Sealing) {
    this.#secrets = secrets;
    this.#sealing = sealing;
  }

  async keys(path: string): Promise<boolean> {
    try {
      parseKeyFile(await readSmallFile(path, KEYS_BYTES_MAX));
      return true;
    } catch (error) {
      if (error instanceof Unreadable || error instanceof Untrue) return false;
      throw error;
    }
  }

  async backup(root: string, place: BackupPlace, deep: boolean): Promise<boolean> {
    const repository = new Repository(root);
    try {
      const text = await repository.manifestText(place);
      const { snapshot } = parseManifest(text, place, await this.#secrets()).manifest;
      await using file = await openPlainFile(join(repository.folderOf(place), snapshot.file));
      if (file.bytes !== snapshot.bytes) return false;
      return !deep || (await sha256Of(file.chunks)) === snapshot.sha256;
    } catch (error) {
      return isOnlyUnknown(error);
    }
  }

  async lineage(root: string, env: string, name: string, withParts: boolean): Promise<JudgedLineage> {
    const folder = join(root, env, 'history', name);
    const found = (await new ArchiveFolder(root, env, this.#sealing).lineages()).find((one) => one.folder === folder);
    if (found === undefined) return { usable: false, reach: -Infinity };
    if (found.index === undefined) return { usable: isOnlyUnknown(found.problem), reach: -Infinity };
    const parts = found.index.stretches.flatMap(partsOf);
    for (const { file, storedBytes } of withParts ? parts : []) {
      if ((await bytesOf(join(folder, file))) !== storedBytes) return { usable: false, reach: -Infinity };
    }
    return { usable: true, reach: reachOf(found.index) };
  }
}

async function sha256Of(chunks: AsyncIterable<Buffer>): Promise<string> {
  const meter = new Meter();
  const through = meter.through(chunks);
  while ((await through.next()).done !== true);
  return meter.measured().sha256;
}

/** What another key has made may be sound, and to fetch it again would not help. */
function isOnlyUnknown(error: unknown): boolean {
  if (error instanceof Unreadable) return false;
  if (error instanceof Nexus3Error) return error.code !== 'BACKUP_INVALID' && error.code !== 'BACKUP_DAMAGED';
  throw error;
}
