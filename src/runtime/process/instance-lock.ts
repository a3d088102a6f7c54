/**
 * One command at a time changes an instance, also where two runs use the runtime without the data root's own lock. As
 * there, the lock is the kernel's and ends with the process that holds it.
 */
import { open, stat } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { Nexus3Error, systemErrorCode, writeFailure } from '../../errors.js';
import { makeFolder } from '../../files.js';
import { flock } from '../../lock.js';
import { instanceKey } from '../../protocol/environment.js';
import { STOP_GRACE_MS } from '../runtime.js';
import type { InstanceSpec } from '../runtime.js';
import { runFiles } from './run-record.js';
import { LISTEN_WAIT_MS } from './start-server.js';

/** The longest that one start and one stop may take, and a little more. */
const LOCK_WAIT_MS = STOP_GRACE_MS + LISTEN_WAIT_MS + 20_000;
const LOCK_POLL_MS = 50;

/** @throws Nexus3Error LOCK_HELD, FILE_NOT_WRITABLE, DISK_FULL */
export async function withInstanceLock<T>(spec: InstanceSpec, work: () => Promise<T>): Promise<T> {
  const file = await acquire(spec);
  try {
    return await work();
  } finally {
    await file.close();
  }
}

async function acquire(spec: InstanceSpec): Promise<FileHandle> {
  const path = runFiles(spec).lock;
  const giveUpAt = Date.now() + LOCK_WAIT_MS;
  for (;;) {
    const file = await openLockFile(spec);
    try {
      // A lock on a file that `remove` has deleted meanwhile would exclude nobody.
      if (file !== undefined && (await flock(file.fd)) && (await isStillThere(file, path))) return file;
    } catch (error) {
      await file?.close();
      throw error;
    }
    await file?.close();
    if (Date.now() >= giveUpAt) throw held(spec, path);
    await sleep(LOCK_POLL_MS);
  }
}

/** Undefined when `remove` took the folder away in this moment. */
async function openLockFile(spec: InstanceSpec): Promise<FileHandle | undefined> {
  const { folder, lock: path } = runFiles(spec);
  await makeFolder(folder, { mode: 0o700 });
  try {
    return await open(path, 'a', 0o600);
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    // For reading it locks as well, and a server must be stoppable on a disk that has turned read-only.
    const readable = await open(path, 'r').catch(() => undefined);
    if (readable === undefined) throw writeFailure(path, error);
    return readable;
  }
}

async function isStillThere(file: FileHandle, path: string): Promise<boolean> {
  const [mine, there] = await Promise.all([file.stat(), stat(path).catch(() => undefined)]);
  return there !== undefined && mine.ino === there.ino && mine.dev === there.dev;
}

function held(spec: InstanceSpec, path: string): Nexus3Error {
  return new Nexus3Error('LOCK_HELD', `Another command is changing ${instanceKey(spec.id)}.`, {
    evidence: [`waited ${String(Math.round(LOCK_WAIT_MS / 1000))} s for ${path}`],
    hint: 'Wait until it has ended and run the command again; the lock goes when that process ends.',
  });
}
