/**
 * One changing command at a time for one data root. The lock is the kernel's (flock), taken by flock(1) of util-linux on
 * a file that this process holds open: it is gone the moment the process is, also after SIGKILL, so there is no stale
 * lock to judge. Node has no flock of its own.
 */
import { spawn } from 'node:child_process';
import { mkdir, open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Nexus3Error, systemErrorCode, writeFailure } from './errors.js';

/** How long a command waits for another one before it gives up, in milliseconds. */
export const LOCK_WAIT_MS = 120_000;
const LOCK_POLL_MS = 150;
const HOLDER_BYTES_MAX = 1_024;
/** Of flock(1) --nonblock, when somebody else has it. */
const FLOCK_HELD_EXIT = 1;

export interface HeldLock extends AsyncDisposable {
  readonly path: string;
}

/** `{dataRoot}/.lock`: it stays when the command ends; only the lock on it goes. */
function lockPath(dataRoot: string): string {
  return join(dataRoot, '.lock');
}

export async function tryLock(dataRoot: string, command: string): Promise<HeldLock | undefined> {
  const path = lockPath(dataRoot);
  const file = await openLockFile(dataRoot, path);
  try {
    if (!(await flock(file.fd))) {
      await file.close();
      return undefined;
    }
    const holder = `\`nexus3 ${command}\` (process ${String(process.pid)}, since ${new Date().toISOString()})`;
    await file.truncate(0);
    await file.write(holder, 0);
    return {
      path,
      [Symbol.asyncDispose]: () => file.close(),
    };
  } catch (error) {
    await file.close().catch(() => undefined);
    throw writeFailure(path, error);
  }
}

/**
 * @param what that folder is, for a person: a repository of backups has a lock of its own
 * @throws Nexus3Error LOCK_HELD after `waitMs`.
 */
export async function lock(
  dataRoot: string,
  command: string,
  onWait: (holder: string) => void,
  waitMs = LOCK_WAIT_MS,
  what = 'data root',
): Promise<HeldLock> {
  const giveUpAt = Date.now() + waitMs;
  for (let waited = false; ; waited = true) {
    const held = await tryLock(dataRoot, command);
    if (held !== undefined) return held;
    const holder = await readHolder(lockPath(dataRoot));
    if (!waited) onWait(holder);
    if (Date.now() >= giveUpAt) {
      throw new Nexus3Error('LOCK_HELD', `Another command is changing this ${what}: ${holder}.`, {
        evidence: [`waited ${String(Math.round(waitMs / 1000))} s for ${lockPath(dataRoot)}`],
        hint: 'Wait until it has ended and run the command again; the lock goes when that process ends.',
      });
    }
    await sleep(LOCK_POLL_MS);
  }
}

async function openLockFile(dataRoot: string, path: string): Promise<FileHandle> {
  try {
    await mkdir(dataRoot, { recursive: true, mode: 0o755 });
    return await open(path, 'r+').catch((error: unknown) => {
      if (systemErrorCode(error) !== 'ENOENT') throw error;
      return open(path, 'a+', 0o644);
    });
  } catch (error) {
    throw writeFailure(path, error);
  }
}

/** Tries once to lock an open file for this process; false when another process holds it. */
export async function flock(fd: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const child = spawn('flock', ['--nonblock', '3'], { stdio: ['ignore', 'ignore', 'ignore', fd] });
    child.once('error', (error) => {
      reject(
        new Nexus3Error('FILE_NOT_WRITABLE', 'The lock cannot be taken, because flock(1) cannot be run.', {
          evidence: [error.message],
          hint: 'Install util-linux, which holds flock; every Debian has it.',
          cause: error,
        }),
      );
    });
    child.once('exit', (code, signal) => {
      if (code === 0 || code === FLOCK_HELD_EXIT) {
        resolve(code === 0);
        return;
      }
      reject(
        new Nexus3Error('FILE_NOT_WRITABLE', 'The lock cannot be taken: flock(1) failed.', {
          evidence: [`flock ended with ${String(code ?? signal)}`],
          hint: 'A file system that knows no locks cannot hold a data root; name another one with --data-root.',
        }),
      );
    });
  });
}

async function readHolder(path: string): Promise<string> {
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HOLDER_BYTES_MAX), 0, HOLDER_BYTES_MAX, 0);
    return buffer.subarray(0, bytesRead).toString('utf8') || 'a command that has just begun';
  } finally {
    await file.close();
  }
}
