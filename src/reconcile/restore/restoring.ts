/** One environment that is being restored, and what all of its steps go by. */
import { join } from 'node:path';
import type { ConfiguredEnvironment } from '../../config/configuration.js';
import type { Progress } from '../../progress.js';
import type { Credentials } from '../../protocol/users.js';
import type { InstanceRuntimeState, InstanceSpec } from '../../runtime/runtime.js';
import { specOf } from '../desired.js';
import { readVaultFolder } from '../folder.js';
import { asideFolder } from '../vault-data/aside.js';
import type { World } from '../world.js';
import type { RestoreJournal } from './journal.js';

/** Below `aside/`, with the prefix of what is discarded in the end. */
const STAGED = 'vault-restored';
const UNDONE = 'vault-undone';

export interface Restoring {
  readonly world: World;
  readonly environment: ConfiguredEnvironment;
  readonly credentials: Credentials;
  readonly journal: RestoreJournal;
  readonly progress: Progress;
}

export function vaultSpecOf({ world, environment }: Pick<Restoring, 'world' | 'environment'>): InstanceSpec {
  return specOf(world.configuration, environment, 'vault');
}

/** The restored data, until they are in their place. */
export function stagedFolder(world: World, env: string): string {
  return join(asideFolder(world, env), STAGED);
}

/** The restored data, when they have been taken out of it again. */
export function undoneFolder(world: World, env: string): string {
  return join(asideFolder(world, env), UNDONE);
}

export function keptFolder({ world, environment, journal }: Restoring): string {
  return join(asideFolder(world, environment.name), journal.kept);
}

export function runs(state: InstanceRuntimeState | undefined): boolean {
  return state?.state === 'running' || state?.state === 'starting';
}

/** Whether the restored data lie in this folder, whole. */
export function holdsRestored(folder: string, { incarnation }: Pick<RestoreJournal, 'incarnation'>): boolean {
  return readVaultFolder(folder).birth?.incarnation === incarnation;
}
