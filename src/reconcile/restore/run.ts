/**
 * What a run of `restore --all` has restored so far, in `{dataRoot}/.restore-all/{env}.json`; no environment's name begins
 * with a dot. The folder is there while any environment of the run is left to do, so that the same command goes on after a
 * kill; each restore that ends meanwhile is noted there, also one by name.
 */
import { existsSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Nexus3Error, systemErrorCode, writeFailure } from '../../errors.js';
import { makeFolder, readIfThere, syncFolder, writeFileWhole } from '../../files.js';
import { parseJsonObject } from '../../json.js';
import type { ConfiguredEnvironment } from '../../config/configuration.js';
import { judgeVault } from '../../protocol/guard.js';
import { specOf } from '../desired.js';
import { readFolders } from '../folder.js';
import type { World } from '../world.js';
import { keysIn } from './content.js';
import type { RestoredBy, RestoreJournal } from './journal.js';
import { parseSource } from './journal.js';
import { holdsRestored } from './restoring.js';
import type { RestoreSource } from './source.js';
import { isSameSource } from './source.js';

const RUN_FOLDER = '.restore-all';
const ENDED_FOLDER = '.restore-all.ended';
/** What the run set out to restore, beside what it has. */
const SET_OUT_FILE = '.run.json';
const SCHEMA = 'nexus3.restore-all/1';
/** Whoever runs `--all` later than this, in hours, does not mean the run that was cut off. */
const RUN_GOES_ON_HOURS_MAX = 24;

/**
 * Before the first environment: from now on what is restored is noted.
 * @param setOut names of what there is something to restore of
 * @throws Nexus3Error DISK_FULL, FILE_NOT_WRITABLE
 */
export async function beginRun({ configuration: { dataRoot } }: World, setOut: readonly string[]): Promise<void> {
  await rm(join(dataRoot, ENDED_FOLDER), { recursive: true, force: true });
  await makeFolder(join(dataRoot, RUN_FOLDER), { mode: 0o700 });
  const text = JSON.stringify({ schema: SCHEMA, environments: setOut });
  await writeFileWhole(join(dataRoot, RUN_FOLDER, SET_OUT_FILE), `${text}\n`, { mode: 0o600 });
}

/** Nothing is left to do. By a rename first: half of it would be believed. @returns what went wrong: what serves, serves */
export function endRun({ configuration: { dataRoot } }: World): Promise<readonly string[]> {
  return orSay(dataRoot, async () => {
    await rename(join(dataRoot, RUN_FOLDER), join(dataRoot, ENDED_FOLDER));
    await syncFolder(dataRoot);
    await rm(join(dataRoot, ENDED_FOLDER), { recursive: true, force: true });
    return [];
  });
}

/** After a restore by name: it may have been the last that the run set out to do. @returns what went wrong */
export function endRunIfDone(world: World): Promise<readonly string[]> {
  const { dataRoot, environments } = world.configuration;
  return orSay(dataRoot, async () => {
    const text = await readIfThere(join(dataRoot, RUN_FOLDER, SET_OUT_FILE));
    const setOut: unknown = parseJsonObject(text ?? '')?.['environments'];
    if (!Array.isArray(setOut)) return [];
    // One that was removed meanwhile can be restored no more.
    for (const { name } of environments.filter((one) => setOut.includes(one.name))) {
      if ((await readRecord(world, name)) === undefined) return [];
    }
    return endRun(world);
  });
}

async function orSay(dataRoot: string, work: () => Promise<readonly string[]>): Promise<readonly string[]> {
  try {
    return await work();
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
    const failure = writeFailure(dataRoot, error);
    const why = failure instanceof Error ? failure.message : String(failure);
    const folder = join(dataRoot, RUN_FOLDER);
    return [
      `The run of --all that is over could not be forgotten: ${why} While ${folder} is there, the next --all leaves what it restored as it is, for ${String(RUN_GOES_ON_HOURS_MAX)} hours; remove it.`,
    ];
  }
}

/** While a run is unfinished. What serves, serves, also where that cannot be noted. @returns what went wrong */
export async function noteRestored(
  { configuration: { dataRoot }, clock }: World,
  {
    env,
    by,
    source,
    incarnation,
    expected,
  }: Pick<RestoreJournal, 'env' | 'by' | 'source' | 'incarnation' | 'expected'>,
): Promise<readonly string[]> {
  if (!existsSync(join(dataRoot, RUN_FOLDER))) return [];
  const restoredAt = clock.now().toISOString();
  const text = JSON.stringify({ schema: SCHEMA, by, source, incarnation, restoredAt, keys: keysIn(expected) });
  try {
    await writeFileWhole(recordPath(dataRoot, env), `${text}\n`, { mode: 0o600 });
    return [];
  } catch (error) {
    if (!(error instanceof Nexus3Error)) throw error;
    return [`If restore --all is cut off, it will restore ${env} once more: ${error.message}`];
  }
}

export interface RestoredBefore {
  readonly by: RestoredBy;
  readonly source: RestoreSource;
  /** ISO 8601. */
  readonly restoredAt: string;
  /** That it was restored with; null: nobody knows. */
  readonly keys: number | null;
}

/**
 * What was restored since the unfinished run began, lately, and is still there: by name from whatever, and by the run only
 * where nothing that is newer, and from before that, would be taken now. Undefined: it is left to do.
 * @param newest what would be taken now; undefined: nothing, or nobody knows
 */
export async function restoredBefore(
  world: World,
  environment: ConfiguredEnvironment,
  newest: () => Promise<RestoreSource | undefined>,
): Promise<RestoredBefore | undefined> {
  const record = await readRecord(world, environment.name);
  if (record === undefined) return undefined;
  const { before, incarnation } = record;
  const spec = specOf(world.configuration, environment, 'vault');
  const { mark, vault } = readFolders(spec, undefined);
  if (!holdsRestored(spec.dataDir, { incarnation }) || judgeVault(mark, vault).state === 'held') return undefined;
  return before.by === 'name' || isAsNew(before, await newest()) ? before : undefined;
}

/** Undefined: there is none, or it is too old to be of this run. */
async function readRecord(
  { configuration: { dataRoot }, clock }: World,
  env: string,
): Promise<{ readonly before: RestoredBefore; readonly incarnation: string } | undefined> {
  const value = parseJsonObject((await readIfThere(recordPath(dataRoot, env))) ?? '');
  const { restoredAt, incarnation, keys } = value ?? {};
  const by = value?.['by'] === 'name' ? 'name' : 'all';
  const source = parseSource(value?.['source']);
  if (value?.['schema'] !== SCHEMA || source === undefined) return undefined;
  if (typeof restoredAt !== 'string' || typeof incarnation !== 'string') return undefined;
  const hours = (clock.now().getTime() - Date.parse(restoredAt)) / 3_600_000;
  if (!(hours >= 0 && hours <= RUN_GOES_ON_HOURS_MAX)) return undefined;
  return { before: { by, source, restoredAt, keys: typeof keys === 'number' ? keys : null }, incarnation };
}

/** One made since is made of what was restored: to go back to it would take away what has been written after it. */
function isAsNew({ source, restoredAt }: RestoredBefore, newest: RestoreSource | undefined): boolean {
  if (newest === undefined) return false;
  if (isSameSource(newest, source)) return true;
  return newest.kind === 'backup' && Date.parse(newest.createdAt) > Date.parse(restoredAt);
}

function recordPath(dataRoot: string, env: string): string {
  return join(dataRoot, RUN_FOLDER, `${env}.json`);
}
