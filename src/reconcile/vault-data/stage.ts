/**
 * A vault's data folder made beside the one that is in use. Its birth is written last and durable after all the rest: a
 * staged folder that says whose it is, is whole.
 */
import { chown, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder, syncFile, syncFolder, writeFileWhole } from '../../files.js';
import { MANIFEST_FILE, renderBirth } from '../../protocol/guard.js';
import { BIRTH_FILE, SINCE_FILE } from '../../protocol/layout.js';
import type { Owner } from '../render.js';

const AOF_BASE = 'appendonly.aof.1.base.rdb';
const FOLDER_MODE = 0o700;

export interface StageOptions {
  /** Made anew: what a run that was cut off has left there is removed. */
  readonly folder: string;
  readonly incarnation: string;
  readonly owner: Owner | undefined;
}

/** @param fill makes the `appendonlydir` that is named, whole and durable */
export async function stage(
  { folder, incarnation, owner }: StageOptions,
  fill: (appendOnly: string) => Promise<void>,
): Promise<void> {
  const appendOnly = join(folder, 'appendonlydir');
  await rm(folder, { recursive: true, force: true });
  await makeFolder(folder, { mode: FOLDER_MODE });
  await fill(appendOnly);
  if (owner !== undefined) {
    await giveTo(appendOnly, owner);
    await chown(folder, owner.uid, owner.gid);
  }
  const birth = renderBirth({ state: 'born', incarnation });
  await writeFileWhole(join(folder, BIRTH_FILE), birth, { mode: 0o600, owner });
}

/** From when on these data serve: what is older in them was not what this vault held then. For `--at`. */
export async function writeSince(dataDir: string, since: Date, owner: Owner | undefined): Promise<void> {
  await writeFileWhole(join(dataDir, SINCE_FILE), `${since.toISOString()}\n`, { mode: 0o600, owner });
}

/** Its server runs as the owner of the data. */
export async function giveTo(appendOnly: string, owner: Owner): Promise<void> {
  for (const name of await readdir(appendOnly)) await chown(join(appendOnly, name), owner.uid, owner.gid);
  await chown(appendOnly, owner.uid, owner.gid);
}

/**
 * An append-only file that begins with a snapshot (a bare dump.rdb is ignored where the append-only file is on: measured,
 * Redis 8.2).
 * @param write puts the snapshot at this path
 */
export async function fillFromSnapshot(appendOnly: string, write: (path: string) => Promise<void>): Promise<void> {
  await makeFolder(appendOnly, { mode: FOLDER_MODE });
  await write(join(appendOnly, AOF_BASE));
  await writeFile(join(appendOnly, MANIFEST_FILE), `file ${AOF_BASE} seq 1 type b\n`, { mode: 0o600 });
  for (const name of [AOF_BASE, MANIFEST_FILE]) await syncFile(join(appendOnly, name));
  await syncFolder(appendOnly);
}
