/** The repository's lock for whoever reads from it and needs to write nothing there: a restore, and `backup verify`. */
import { Nexus3Error } from '../../errors.js';
import type { ErrorCode } from '../../errors.js';
import type { Progress } from '../../progress.js';
import type { World } from '../world.js';

/** Whoever fills the disk of the backups, or mounts it read-only, must not be able to keep anybody from restoring. */
export const NOT_WRITABLE: ReadonlySet<ErrorCode> = new Set(['DISK_FULL', 'FILE_NOT_WRITABLE']);

export interface HeldRepository extends AsyncDisposable {
  /** Why it is not held. */
  readonly warnings: readonly string[];
}

/**
 * Where nothing can be written into the repository, nobody else can take anything away from it either: then it is read
 * without its lock.
 * @throws Nexus3Error LOCK_HELD, …
 */
export async function holdRepository(world: World, command: string, progress: Progress): Promise<HeldRepository> {
  try {
    const onWait = (holder: string): void => {
      progress.note(`waiting for ${holder}`);
    };
    const held = await world.backups.acquire(command, onWait);
    return { warnings: [], [Symbol.asyncDispose]: () => held[Symbol.asyncDispose]() };
  } catch (error) {
    if (!(error instanceof Nexus3Error) || !NOT_WRITABLE.has(error.code)) throw error;
    const warning = `Nothing can be written into the backups, so they are only read: ${error.message}`;
    progress.note(warning);
    return { warnings: [warning], [Symbol.asyncDispose]: () => Promise.resolve() };
  }
}
