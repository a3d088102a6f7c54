/** The file of a root key that is no longer the right one: put aside, never deleted. */
import { readdir } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { Nexus3Error, systemErrorCode } from '../../errors.js';
import type { RootKeyFile } from '../custody.js';
import { readRootKey } from '../root-key-file.js';
import { headFilePath } from '../audit/head-file.js';
import { keyFiles, moveKey } from './key-files.js';

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

  /**
   * What belongs to it (`root.key.next`, …) means nothing without it; anything else beside it, like somebody's copy, is not
   * ours. The key itself comes last: it says that all is done.
   */
  async moveAside(stamp: string, keyToo: boolean, audit: 'begins-anew' | 'goes-on' = 'begins-anew'): Promise<void> {
    const names = await namesIn(dirname(this.path));
    if (names.includes(basename(this.asidePath(stamp)))) return;
    const { next, previous } = keyFiles(this.path);
    const belonging = [next, previous, ...(audit === 'goes-on' ? [] : [headFilePath(this.path)])];
    for (const path of belonging) {
      if (names.includes(basename(path))) await moveKey(path, `${path}${ASIDE}${stamp}`);
    }
    if (keyToo && names.includes(basename(this.path))) await moveKey(this.path, this.asidePath(stamp));
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
