/**
 * One child that is handed a secret through a pipe which it inherits: not by its environment, which everybody of that user
 * can read in /proc, nor by its arguments, which everybody can. A real pipe, made by mkfifo(1) and unlinked at once,
 * because what Node calls a pipe is a socket, and `/dev/fd/3` cannot be opened where 3 is a socket.
 */
import { execFile, spawn } from 'node:child_process';
import { closeSync, constants as fsConstants, openSync, writeSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { constants as osConstants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Nexus3Error, systemErrorCode } from '../errors.js';
import type { PassedOnCode } from './command.js';
import type { Io } from './io.js';

export const CREDENTIALS_FD = 3;
export const CREDENTIALS_FD_VARIABLE = 'NEXUS3_CREDENTIALS_FD';
/** Added to a signal's number, as shells do. */
const ENDED_BY_SIGNAL = 128;
/** How often a pipe that is full is looked at, in milliseconds: only what is larger than the kernel keeps has to wait. */
const FULL_PIPE_POLL_MS = 20;
const MKFIFO_TIMEOUT_MS = 10_000;

const FORWARDED = ['SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2', 'SIGINT', 'SIGQUIT'] as const;
/** A terminal sends these to all of its foreground group: the child has got them already. */
const FROM_TERMINAL: ReadonlySet<string> = new Set(['SIGINT', 'SIGQUIT']);

/** Resolves when the child has ended, also when it never reads. @throws Nexus3Error USAGE where it cannot be started */
export async function execWithSecret(
  secret: string,
  program: string,
  args: readonly string[],
  io: Io,
): Promise<PassedOnCode> {
  const pipe = await openPipe();
  const ended = new AbortController();
  try {
    const rest = fill(pipe, Buffer.from(secret, 'utf8'), ended.signal);
    const code = await run(program, args, io, pipe);
    ended.abort();
    await rest;
    return code;
  } finally {
    ended.abort();
    pipe.closeReader();
    pipe.closeWriter();
  }
}

class Pipe {
  #writer: number | undefined;
  #reader: number | undefined;

  constructor(writer: number, reader: number) {
    this.#writer = writer;
    this.#reader = reader;
  }

  get reader(): number {
    return this.#reader ?? -1;
  }

  /** How many bytes went in; 0: it is full. */
  write(bytes: Buffer): number {
    try {
      return this.#writer === undefined ? bytes.length : writeSync(this.#writer, bytes);
    } catch (error) {
      if (systemErrorCode(error) === 'EAGAIN') return 0;
      throw error;
    }
  }

  closeWriter(): void {
    if (this.#writer !== undefined) closeSync(this.#writer);
    this.#writer = undefined;
  }

  closeReader(): void {
    if (this.#reader !== undefined) closeSync(this.#reader);
    this.#reader = undefined;
  }
}

async function openPipe(): Promise<Pipe> {
  const folder = await mkdtemp(join(tmpdir(), 'nexus3-exec-'));
  const path = join(folder, 'pipe');
  try {
    await promisify(execFile)('mkfifo', ['-m', '600', path], { timeout: MKFIFO_TIMEOUT_MS });
    // For reading too, so that neither this nor the next one waits for the other end.
    const writer = openSync(path, fsConstants.O_RDWR | fsConstants.O_NONBLOCK);
    try {
      return new Pipe(writer, openSync(path, fsConstants.O_RDONLY));
    } catch (error) {
      closeSync(writer);
      throw error;
    }
  } catch (error) {
    throw new Nexus3Error('FILE_NOT_WRITABLE', 'The pipe for the password cannot be made.', {
      evidence: [error instanceof Error ? error.message : String(error)],
      hint: 'mkfifo(1) of coreutils makes it below $TMPDIR, or /tmp: see that both are there.',
      cause: error,
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** All of it and then the end, as a rule at once; the kernel keeps it until somebody reads. */
async function fill(pipe: Pipe, bytes: Buffer, ended: AbortSignal): Promise<void> {
  let done = 0;
  while (done < bytes.length && !ended.aborted) {
    const written = pipe.write(bytes.subarray(done));
    done += written;
    if (written === 0) await sleep(FULL_PIPE_POLL_MS);
  }
  pipe.closeWriter();
}

async function run(program: string, args: readonly string[], io: Io, pipe: Pipe): Promise<PassedOnCode> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, [...args], {
      cwd: io.cwd,
      env: { ...io.env, [CREDENTIALS_FD_VARIABLE]: String(CREDENTIALS_FD) },
      stdio: ['inherit', 'inherit', 'inherit', pipe.reader],
    });
    // The child's own end is the only one that counts.
    pipe.closeReader();
    const release = forwardSignals((signal) => child.kill(signal));
    child.once('error', (error) => {
      release();
      reject(notStarted(program, error));
    });
    child.once('exit', (code, signal) => {
      release();
      const number = signal === null ? (code ?? 0) : ENDED_BY_SIGNAL + osConstants.signals[signal];
      resolve(number as PassedOnCode);
    });
  });
}

/** Instead of whoever else listens: this program now ends when the child does, and not before. */
function forwardSignals(pass: (signal: NodeJS.Signals) => void): () => void {
  const releases = FORWARDED.map((signal) => {
    const others = process.listeners(signal);
    const forward = (): void => {
      if (!FROM_TERMINAL.has(signal) || !process.stdin.isTTY) pass(signal);
    };
    process.removeAllListeners(signal);
    process.on(signal, forward);
    return () => {
      process.off(signal, forward);
      for (const other of others) process.on(signal, other);
    };
  });
  return () => {
    for (const release of releases) release();
  };
}

function notStarted(program: string, error: Error): Nexus3Error {
  return new Nexus3Error('USAGE', `${JSON.stringify(program)} cannot be run.`, {
    evidence: [systemErrorCode(error) ?? error.message],
    hint: 'Write the command behind the two dashes as in a shell, or name its path.',
    cause: error,
  });
}
