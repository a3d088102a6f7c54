/** Who asks, as far as this process can say it of itself. It goes into the audit; it proves nothing. */
import { readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import type { Who } from './audit.js';

export type { Who } from './audit.js';

export function whoAsks(token: string | null = null): Who {
  return { user: userName(), pid: process.pid, parent: commandOf(process.ppid), token };
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    // A container may run as a user that no passwd file knows: the number says as much.
    return String(process.getuid?.() ?? '');
  }
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${String(pid)}/comm`, 'utf8').trim();
  } catch {
    // It has ended, or /proc is closed: then nobody can say who it was.
    return '';
  }
}
