/** As whom a container runs. */
import { stat } from 'node:fs/promises';
import { systemErrorCode } from '../../errors.js';
import type { ContainerUser } from './definition.js';
import type { Engine } from './engine.js';

/**
 * An existing folder keeps its owner, and the container that has it mounted runs as that; undefined when the folder is not
 * there. In a rootless engine the user who runs it is root in the container.
 */
export async function userOf(engine: Engine, folder: string): Promise<ContainerUser | undefined> {
  try {
    const { uid, gid } = await stat(folder);
    return engine.rootless && uid === process.getuid?.() ? { uid: 0, gid: 0 } : { uid, gid };
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT' || systemErrorCode(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}
