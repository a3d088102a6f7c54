/**
 * The archive on disk: a folder for each vault incarnation, with an index and the parts that it names.
 *
 *     {root}/{env}/history/{incarnation}/{index.json,appendonly.aof.….rdb,appendonly.aof.….aof}[.age]
 *
 * An incarnation whose index cannot be believed, because its root key is not known, keeps its folder untouched; what comes
 * later goes into `{incarnation}-2`.
 */
import { readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Nexus3Error, systemErrorCode, writeFailure } from '../../errors.js';
import { clearHalfWrittenIn, makeFolder, syncFolder, writeFileWhole } from '../../files.js';
import { hintOfClock } from '../faults.js';
import { readSmallFile, Unreadable } from '../hashed-file.js';
import type { Sealing } from '../sealing.js';
import { Untrue } from '../untrusted.js';
import { iso } from './seconds.js';
import {
  type ArchiveIndex,
  INDEX_BYTES_MAX,
  indexOf,
  type Part,
  PART_FILE,
  partsOf,
  reachOf,
  readSaid,
  renderBody,
  renderIndex,
} from './archive-index.js';

const INDEX_FILE = 'index.json';
const FOLDER_MODE = 0o700;
const FILE_MODE = 0o600;
const LINEAGE = /^([0-9a-f]{16,64})(-\d{1,3})?$/;
const FOLDERS_OF_ONE_MAX = 99;

/** One that lies in the archive. */
export type Lineage =
  | { readonly folder: string; readonly index: ArchiveIndex; readonly problem?: undefined }
  | { readonly folder: string; readonly index?: undefined; readonly problem: Nexus3Error };

export class ArchiveFolder {
  readonly #path: string;
  readonly #env: string;
  readonly #sealing: Sealing;

  /** @param root of all backups; the name of the environment has been proven to be one */
  constructor(root: string, env: string, sealing: Sealing) {
    this.#path = join(root, env, 'history');
    this.#env = env;
    this.#sealing = sealing;
  }

  /** In no particular order. */
  async lineages(): Promise<readonly Lineage[]> {
    const lineages: Lineage[] = [];
    for (const name of await namesIn(this.#path)) {
      const incarnation = LINEAGE.exec(name)?.[1];
      if (incarnation === undefined) continue;
      const lineage = await this.#read(join(this.#path, name), incarnation);
      if (lineage !== undefined) lineages.push(lineage);
    }
    return lineages;
  }

  /** The folder of an incarnation that can be written into: made if need be, and swept of what its index does not name. */
  async open(incarnation: string): Promise<{ readonly folder: string; readonly index: ArchiveIndex | undefined }> {
    for (let number = 1; number <= FOLDERS_OF_ONE_MAX; number += 1) {
      const folder = join(this.#path, number === 1 ? incarnation : `${incarnation}-${String(number)}`);
      const lineage = await this.#read(folder, incarnation);
      if (lineage?.problem !== undefined) {
        if (lineage.problem.code.startsWith('ROOT_KEY_')) throw lineage.problem;
        continue;
      }
      await makeFolder(folder, { mode: FOLDER_MODE });
      if (lineage === undefined) {
        for (const above of [this.#path, dirname(this.#path), dirname(dirname(this.#path))]) await syncFolder(above);
      }
      await this.#sweep(folder, lineage?.index);
      return { folder, index: lineage?.index };
    }
    throw new Nexus3Error('BACKUP_INVALID', `The history archive of ${this.#env} cannot be believed.`, {
      evidence: [`${this.#path}: ${String(FOLDERS_OF_ONE_MAX)} folders of one vault`],
      hint: 'Ask yourself who can write into the repository; then move that folder away.',
    });
  }

  /** Durable, with the parts that it names, when this resolves. @throws Nexus3Error DISK_FULL, FILE_NOT_WRITABLE */
  async write(folder: string, index: ArchiveIndex): Promise<void> {
    const body = renderBody(index);
    const mac = await this.#sealing.prove(body);
    await syncFolder(folder);
    await writeFileWhole(join(folder, INDEX_FILE), renderIndex(body, mac), { mode: FILE_MODE });
  }

  /**
   * What `decide` says takes the place of what it was given: the index first, then what it does not name any more goes.
   * What cannot be believed is left alone.
   */
  async prune(
    decide: (indexes: readonly ArchiveIndex[]) => ReadonlyMap<ArchiveIndex, ArchiveIndex>,
  ): Promise<{ readonly files: number; readonly bytes: number }> {
    const lineages = (await this.lineages()).filter((lineage) => lineage.index !== undefined);
    const shortened = decide(lineages.map(({ index }) => index));
    const gone: Part[] = [];
    for (const { folder, index } of lineages) {
      const shorter = shortened.get(index);
      if (shorter === undefined) continue;
      const kept = new Set(shorter.stretches.flatMap(partsOf).map(({ file }) => file));
      gone.push(...index.stretches.flatMap(partsOf).filter(({ file }) => !kept.has(file)));
      await this.write(folder, shorter);
      if (shorter.stretches.length > 0) await this.#sweep(folder, shorter);
      else await rm(folder, { recursive: true, force: true }).catch((error: unknown) => refuse(folder, error));
    }
    return { files: gone.length, bytes: gone.reduce((all, { storedBytes }) => all + storedBytes, 0) };
  }

  /** Undefined: nothing was ever indexed there. */
  async #read(folder: string, incarnation: string): Promise<Lineage | undefined> {
    if (!(await namesIn(folder)).includes(INDEX_FILE)) return undefined;
    const what = `The history archive of ${this.#env}`;
    try {
      const { said, mac } = readSaid(await readSmallFile(join(folder, INDEX_FILE), INDEX_BYTES_MAX));
      const tooLate = await this.#sealing.believe(JSON.stringify(said), mac, what);
      const index = indexOf(said);
      if (index.env !== this.#env || index.incarnation !== incarnation) throw new Untrue('it belongs to another vault');
      const ended = tooLate(reachOf(index) * 1_000);
      if (ended !== undefined)
        throw new Nexus3Error('BACKUP_INVALID', `${what} cannot be believed.`, {
          evidence: [
            `${join(folder, INDEX_FILE)}: goes on to ${iso(reachOf(index))}, with a root key given up at ${ended}`,
          ],
          hint: hintOfClock(ended),
        });
      return { folder, index };
    } catch (error) {
      if (error instanceof Nexus3Error) return { folder, problem: error };
      if (!(error instanceof Untrue || error instanceof Unreadable)) throw error;
      const problem = new Nexus3Error('BACKUP_INVALID', `${what} cannot be believed.`, {
        evidence: [`${join(folder, INDEX_FILE)}: ${error.message}`],
        hint: 'If there is a copy off this machine, fetch it from there. Ask yourself who can write into the repository.',
        cause: error,
      });
      return { folder, problem };
    }
  }

  async #sweep(folder: string, index: ArchiveIndex | undefined): Promise<void> {
    await clearHalfWrittenIn([folder]);
    const named = new Set(index?.stretches.flatMap(partsOf).map(({ file }) => file));
    for (const name of await namesIn(folder)) {
      if (named.has(name) || !PART_FILE.test(name)) continue;
      await rm(join(folder, name), { force: true }).catch((error: unknown) => refuse(join(folder, name), error));
    }
  }
}

function refuse(path: string, error: unknown): never {
  throw writeFailure(path, error);
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return [];
    throw error;
  }
}
