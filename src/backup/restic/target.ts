/**
 * The place off this machine, kept by restic: all that lies in the repository here goes there, and comes back from there.
 * Paths in it are those below the backup root, so that another machine may have its root elsewhere.
 */
import type { BackupTarget } from '../../config/configuration.js';
import { Nexus3Error, systemErrorCode } from '../../errors.js';
import { stat } from 'node:fs/promises';
import type { Target } from '../backups.js';
import { resticEnvironment } from './environment.js';
import type { Judge } from './judge.js';
import { findRestic } from './program.js';
import type { MayChange, Passwords } from './session.js';
import { ResticSession } from './session.js';
import { pullMissing } from './pull.js';
import { push, TAG } from './push.js';

export interface TargetInit {
  readonly target: BackupTarget;
  /** Of the backups here; absolute. */
  readonly root: string;
  /** @throws ROOT_KEY_… */
  readonly passwords: () => Promise<Passwords>;
  readonly judge: Judge;
  readonly variables: NodeJS.ProcessEnv;
}

export function openResticTarget(init: TargetInit): Target {
  const open = async (mayChange: MayChange | undefined): Promise<ResticSession> => {
    const environment = resticEnvironment(init.variables, init.target.environmentFile);
    const program = await findRestic(init.variables);
    const place = { program, environment, repository: init.target.repository };
    return ResticSession.open(place, await init.passwords(), mayChange);
  };
  return {
    repository: init.target.repository,
    push: async (onProgress, onNote = () => undefined) => {
      await refuseNothing(init.root);
      return push(await open({ onNote }), init.root, onProgress);
    },
    pull: async (envs, onProgress, deep = false) =>
      pullMissing(await open(undefined), { root: init.root, envs, tag: TAG, judge: init.judge, deep, onProgress }),
  };
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
