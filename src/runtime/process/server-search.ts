/**
 * Finds a server whose pid nobody wrote down: the command that started it was killed in the moment between, or its record
 * was deleted. Every server holds a file of its own open as descriptor 3 (its *tether*, passed on through `exec`) from
 * the instant it exists, and leads a session of its own. The processes that it forks to save hold the tether as well, but
 * lead no session; the command that starts it leads perhaps a session, but does not hold the tether as descriptor 3.
 */
import { readlinkSync, realpathSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { systemErrorCode } from '../../errors.js';
import type { ProcessIdentity } from '../../process-identity.js';
import { identify, readProcessStat } from '../../process-identity.js';
import { processIds } from '../port-holder.js';

export const TETHER_FD = 3;
/** What the kernel appends to the path of an open file whose name is gone (proc(5)). */
const DELETED = ' (deleted)';

/** The server that holds this tether, as far as this user may see. */
export function findServer(tether: string): ProcessIdentity | undefined {
  const wanted = resolveFolder(tether);
  for (const pid of processIds()) {
    if (tetherOf(pid) !== wanted || readProcessStat(pid)?.sessionId !== pid) continue;
    const identity = identify(pid);
    if (identity !== undefined) return identity;
  }
  return undefined;
}

/** The file that a process holds open as descriptor 3; undefined for none, and where this user may not look. */
export function tetherOf(pid: number): string | undefined {
  if (pid === process.pid) return undefined;
  try {
    const path = readlinkSync(`/proc/${String(pid)}/fd/${String(TETHER_FD)}`);
    return path.endsWith(DELETED) ? path.slice(0, -DELETED.length) : path;
  } catch (error) {
    if (['ENOENT', 'ESRCH', 'EACCES', 'EPERM'].includes(systemErrorCode(error) ?? '')) return undefined;
    throw error;
  }
}

/** The kernel names open files by their real paths; a folder that is gone has none, but the one above it has. */
function resolveFolder(path: string): string {
  const folder = dirname(path);
  if (folder === path) return path;
  try {
    return join(realpathSync(folder), basename(path));
  } catch (error) {
    if (!['ENOENT', 'ENOTDIR'].includes(systemErrorCode(error) ?? '')) throw error;
    return join(resolveFolder(folder), basename(path));
  }
}
