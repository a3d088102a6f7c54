/** What has become of restored data that were proven, but not opened to everybody yet. */
import type { ConfiguredEnvironment } from '../../config/configuration.js';
import { judgeVault } from '../../protocol/guard.js';
import { readFolders } from '../folder.js';
import { stateOf } from '../vault-data/stop.js';
import type { World } from '../world.js';
import type { RestoreJournal } from './journal.js';
import { holdsRestored, vaultSpecOf } from './restoring.js';

/**
 * `lost`: they are not there, or the guard holds them. `failing`: their server ends by itself, so they may be damaged.
 */
export type Opened = 'well' | 'failing' | 'lost';

/** A server that was stopped, or ended with its machine, did not end because of its data. */
const ENDED_FROM_OUTSIDE: ReadonlySet<number> = new Set([0, 129, 130, 137, 143, 255]);

/** Locker is not asked. */
export async function openedOf(
  world: World,
  environment: ConfiguredEnvironment,
  journal: RestoreJournal | undefined,
): Promise<Opened> {
  if (journal?.phase !== 'opening') return 'well';
  const spec = vaultSpecOf({ world, environment });
  const { mark, vault } = readFolders(spec, undefined);
  if (!holdsRestored(spec.dataDir, journal) || judgeVault(mark, vault).state === 'held') return 'lost';
  const state = await stateOf(world, spec);
  if (state?.state === 'restarting') return 'failing';
  const { exitCode } = state ?? {};
  const hasFailed = state?.state === 'stopped' && exitCode !== undefined && !ENDED_FROM_OUTSIDE.has(exitCode);
  return hasFailed ? 'failing' : 'well';
}
