/** A scratch server as a local process: in a session of its own, and gone with the one who started it. */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Nexus3Error, systemErrorCode, writeFailure } from '../../errors.js';
import { identify, readProcessStat, signalProcess } from '../../process-identity.js';
import { processIds } from '../port-holder.js';
import type { Scratch, ScratchSpec } from '../runtime.js';
import { SCRATCH_FILE } from '../runtime.js';
import { wayToSocket } from '../scratch-socket.js';
import { NAME_WORD, watchCommand } from '../scratch-watch.js';
import { readTail } from './log-file.js';
import { exitCodeOf, ownerOf, serverEnvironment } from './start-server.js';

/** In the scratch folder. */
const LOG_FILE = 'log';
/** A killed process goes at once, unless it has much memory to give back. */
const KILL_WAIT_MS = 10_000;
const KILL_POLL_MS = 15;

/** @throws Nexus3Error START_FAILED, STOP_FAILED, DISK_FULL, FILE_NOT_WRITABLE */
export async function startScratchProcess(spec: ScratchSpec): Promise<Scratch> {
  await endLeftovers(spec.name);
  const logPath = join(spec.dir, LOG_FILE);
  const log = await newFile(logPath);
  try {
    const [program, ...args] = watchCommand(spec.name, join(spec.dir, SCRATCH_FILE.start));
    const child = spawn(program, args, {
      detached: true,
      cwd: '/',
      env: serverEnvironment(),
      stdio: ['pipe', log.fd, log.fd],
      ...(await ownerOf(spec.dir)),
    });
    const ended = watchEnd(child);
    const way = await wayToSocket(spec.dir);
    return {
      socket: way.path,
      exitCode: () => Promise.resolve(ended.code),
      logs: async (lines) => (await readTail(logPath, 0)).slice(-lines),
      async [Symbol.asyncDispose]() {
        await way[Symbol.asyncDispose]();
        await end(spec, child, ended);
      },
    };
  } finally {
    await log.close();
  }
}

interface Ended {
  code: number | undefined;
}

function watchEnd(child: ChildProcess): Ended {
  const ended: Ended = { code: undefined };
  child.once('exit', (code, signal) => {
    ended.code = exitCodeOf(code, signal);
  });
  // It could not be started at all, e.g. because there is no memory for a process; its end is then the only news.
  child.once('error', () => {
    ended.code ??= 1;
  });
  child.stdin?.on('error', () => undefined);
  return ended;
}

/**
 * Where the shell above the server has ended, it has taken its group with it; where it was killed, the end of the pipe
 * tells those that are left. Only a group whose leader is still there is signalled from here.
 */
async function end(spec: ScratchSpec, child: ChildProcess, ended: Ended): Promise<void> {
  if (child.pid === undefined) return;
  if (ended.code === undefined) killGroup(child.pid);
  child.stdin?.destroy();
  await waitForSession(spec, child.pid);
}

/** What a nexus3 that was killed has left: it is about to end by itself, and is not waited for. */
async function endLeftovers(name: string): Promise<void> {
  for (const pid of processIds()) {
    if (pid === process.pid || nameOf(pid) !== name || readProcessStat(pid)?.sessionId !== pid) continue;
    const identity = identify(pid);
    if (identity === undefined || !signalProcess(identity, 'SIGCONT')) continue;
    killGroup(pid);
    await waitForSession({ name }, pid);
  }
}

function nameOf(pid: number): string | undefined {
  try {
    return readFileSync(`/proc/${String(pid)}/cmdline`, 'utf8').split('\0')[NAME_WORD];
  } catch (error) {
    if (['ENOENT', 'ESRCH', 'EACCES'].includes(systemErrorCode(error) ?? '')) return undefined;
    throw error;
  }
}

function killGroup(leader: number): void {
  try {
    process.kill(-leader, 'SIGKILL');
  } catch (error) {
    if (systemErrorCode(error) !== 'ESRCH') throw error;
  }
}

async function waitForSession({ name }: Pick<ScratchSpec, 'name'>, leader: number): Promise<void> {
  for (const giveUpAt = Date.now() + KILL_WAIT_MS; hasMembers(leader);) {
    if (Date.now() >= giveUpAt) {
      throw new Nexus3Error('STOP_FAILED', `The scratch server ${name} outlives SIGKILL.`, {
        evidence: [`session ${String(leader)}`],
        hint: 'The kernel waits on its behalf, mostly for a disk: look at dmesg.',
      });
    }
    await sleep(KILL_POLL_MS);
  }
}

function hasMembers(session: number): boolean {
  return processIds().some((pid) => {
    const stat = readProcessStat(pid);
    return stat?.sessionId === session && !['Z', 'X', 'x'].includes(stat.state);
  });
}

/** Never through a link: the folder may belong to another user than the one who runs nexus3. */
async function newFile(path: string): Promise<FileHandle> {
  try {
    await rm(path, { force: true });
    return await open(path, 'wx', 0o600);
  } catch (error) {
    throw writeFailure(path, error);
  }
}
