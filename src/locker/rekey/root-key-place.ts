/** The file of a root key that is no longer the right one: put aside, never deleted. */
import { readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { Nexus3Error, systemErrorCode } from '../../errors.js';
import type { RootKeyFile } from '../custody.js';
import { readRootKey } from '../root-key-file.js';
import { moveKey } from './key-files.js';

/** Between the name of what is put aside and when that was. */
const ASIDE = '.lost-';

export class RootKeyPlaceOnDisk implements RootKeyFile {
  constructor(readonly path: string) {}

  async state(): Promise<'missing' | 'unusable' | 'there'> {
    try {
      return (await readRootKey(this.path)) === undefined ? 'missing' : 'there';
    } catch (error) {
      if (error instanceof Nexus3Error && error.code === 'ROOT_KEY_INVALID') return 'unusable';
      throw error;
    }
  }

  asidePath(stamp: string): string {
    return `${this.path}${ASIDE}${stamp}`;
  }

  /** What belongs to it (`root.key.next`, …) means nothing without it. The key itself comes last: it says that all is done. */
  async moveAside(stamp: string, keyToo: boolean): Promise<void> {
    const name = basename(this.path);
    const folder = dirname(this.path);
    const names = await namesIn(folder);
    if (names.includes(basename(this.asidePath(stamp)))) return;
    const belonging = names.filter(
      (one) => one.startsWith(`${name}.`) && !one.includes(ASIDE) && !one.endsWith('.new'),
    );
    for (const one of belonging) await moveKey(join(folder, one), `${join(folder, one)}${ASIDE}${stamp}`);
    if (keyToo && names.includes(name)) await moveKey(this.path, this.asidePath(stamp));
  }
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return [];
    throw error;
  }
}
