/** From what was asked for to what is restored: the repository, the history, and the place off this machine. */
import { Nexus3Error } from '../../errors.js';
import type { Progress } from '../../progress.js';
import { layoutOf } from '../../protocol/layout.js';
import { readVaultFolder } from '../folder.js';
import type { World } from '../world.js';
import type { Asked } from './one.js';
import type { PlannedRestore } from './plan.js';
import type { RestoreOptions } from './report.js';
import type { ChosenSource } from './source.js';
import { chooseSource, formatTime } from './source.js';

type Request = Pick<RestoreOptions, 'id' | 'at' | 'abort'>;

export function askedOf(from: string, { id, at, abort }: Request): Asked {
  if (id !== undefined) return { by: 'name', abort, source: { kind: 'backup', env: from, id, createdAt: '' } };
  if (at !== undefined) return { by: 'name', abort, source: { kind: 'history', env: from, at: formatTime(at) } };
  return { by: 'name', abort, source: undefined };
}

export function sourceFor(
  world: World,
  from: string,
  { id, at }: Pick<Request, 'id' | 'at'>,
  historyOf: string | undefined,
): Promise<ChosenSource> {
  return chooseSource(world, from, { id, at }, historyOf);
}

/** The vault's own folder, as far as it has a history to be read; what it had before may be in the archive. */
export function historyFolder(world: World, env: string): string | undefined {
  const folder = layoutOf(world.configuration.dataRoot, env).data.vault;
  const { aof } = readVaultFolder(folder);
  return aof === undefined || aof.missingFiles.length > 0 ? undefined : folder;
}

/**
 * Whether the place off this machine has to be asked first, for one environment: what was asked for is not here, or cannot be
 * believed. What is here and can be used is taken without asking, even where something newer may lie there.
 */
export async function isPullNeeded(
  world: World,
  from: string,
  { id, at }: Pick<Request, 'id' | 'at'>,
): Promise<boolean> {
  if (world.backups.target === undefined) return false;
  if (at !== undefined) return !(await isCovered(world, from, at));
  const believed = (await world.backups.list(from)).filter(({ manifest }) => manifest !== undefined);
  return id === undefined ? believed.length === 0 : !believed.some((backup) => backup.id === id);
}

async function isCovered(world: World, from: string, at: Date): Promise<boolean> {
  try {
    await world.backups.history.plan(from, historyFolder(world, from), at);
    return true;
  } catch (error) {
    if (error instanceof Nexus3Error && NOT_HERE.has(error.code)) return false;
    throw error;
  }
}

/** Where the same second may be had from the archive at the target. */
const NOT_HERE: ReadonlySet<string> = new Set(['TIME_NOT_COVERED', 'BACKUP_INVALID', 'BACKUP_DAMAGED']);

/** What the repository lacks of these, from the place off this machine. @throws RESTIC_NOT_FOUND, RESTIC_FAILED */
export async function pull(world: World, envs: readonly string[], progress: Progress): Promise<void> {
  const { target } = world.backups;
  if (target === undefined || envs.length === 0) return;
  const { files, damaged } = await target.pull(envs, (fraction) => {
    progress.step(`fetch backups from ${target.repository}: ${String(Math.round(100 * fraction))} %`);
  });
  for (const path of damaged) progress.note(`${path} can be used neither here nor as it lies at ${target.repository}`);
  progress.done(`${String(files)} files were fetched from ${target.repository}`);
}

/** Only the place off this machine knows what there is. */
export function planUnknown(world: World, env: string, from: string): PlannedRestore {
  return {
    env,
    from,
    way: 'begin',
    source: null,
    steps: [
      `fetch the backups of ${from} from ${world.backups.target?.repository ?? 'the place off this machine'}`,
      'then restore what was asked for, in the same way as from here',
    ],
    warnings: ['What is replaced is kept aside.'],
    keysNow: null,
    keysThen: null,
  };
}
