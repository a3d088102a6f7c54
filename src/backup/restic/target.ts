/**
 * The place off this machine, kept by restic: all that lies in the repository here goes there, and comes back from there.
 * Paths in it are those below the backup root, so that another machine may have its root elsewhere.
 */
import { hostname } from 'node:os';
import type { BackupTarget } from '../../config/configuration.js';
import { Nexus3Error, systemErrorCode } from '../../errors.js';
import { stat } from 'node:fs/promises';
import type { Target } from '../backups.js';
import { resticEnvironment } from './environment.js';
import { resticFailed } from './faults.js';
import { findRestic } from './program.js';
import type { Passwords } from './session.js';
import { ResticSession } from './session.js';
import { parseStatus, parseSummary } from './messages.js';
import { DATA_TIMEOUT_MS, pullMissing } from './pull.js';

export const TAG = 'nexus3';
/** What is being made or removed, and what belongs to this host alone. */
const EXCLUDED = ['.lock', '.*.new', '.*.gone', '*.new'];

export interface TargetInit {
  readonly target: BackupTarget;
  /** Of the backups here; absolute. */
  readonly root: string;
  /** @throws ROOT_KEY_… */
  readonly passwords: () => Promise<Passwords>;
  readonly variables: NodeJS.ProcessEnv;
}

export function openResticTarget(init: TargetInit): Target {
  const open = async (mayInit: boolean): Promise<ResticSession> => {
    const environment = resticEnvironment(init.variables, init.target.environmentFile);
    const program = await findRestic(init.variables);
    const place = { program, environment, repository: init.target.repository };
    return ResticSession.open(place, await init.passwords(), mayInit);
  };
  return {
    repository: init.target.repository,
    push: async (onProgress) => {
      await refuseNothing(init.root);
      return push(await open(true), init.root, onProgress);
    },
    pull: async (envs, onProgress) => pullMissing(await open(false), { root: init.root, envs, tag: TAG, onProgress }),
  };
}

async function push(
  session: ResticSession,
  root: string,
  onProgress: ((fraction: number) => void) | undefined,
): Promise<{ readonly snapshot: string; readonly bytesAdded: number }> {
  let summary: ReturnType<typeof parseSummary>;
  await session.run({
    args: [
      ...['backup', '.', '--json', '--tag', TAG, '--host', hostname()],
      ...EXCLUDED.flatMap((pattern) => ['--exclude', pattern]),
    ],
    // From within, so that the paths are those below it.
    cwd: root,
    timeoutMs: DATA_TIMEOUT_MS,
    onLine: (line) => {
      const fraction = parseStatus(line);
      if (fraction !== undefined) onProgress?.(fraction);
      summary = parseSummary(line) ?? summary;
    },
  });
  if (summary !== undefined) return summary;
  throw resticFailed({
    message: 'restic backup ended well, but did not say what it has stored.',
    hint: 'Look at the repository with `restic snapshots`, then run the command again.',
  });
}

async function refuseNothing(root: string): Promise<void> {
  try {
    await stat(root);
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT') throw error;
    throw new Nexus3Error('BACKUP_NOT_FOUND', 'There is no backup to be pushed.', {
      evidence: [`${root} is not there`],
      hint: 'Make one: nexus3 backup create --all',
    });
  }
}
