/**
 * One child that is handed a secret through a pipe which it inherits: not by its environment, which everybody of that user
 * can read in /proc, nor by its arguments, which everybody can. What was read from a pipe is gone from it.
 */
import { spawn } from 'node:child_process';
import { Writable } from 'node:stream';
import { constants } from 'node:os';
import { Nexus3Error, systemErrorCode } from '../errors.js';
import type { PassedOnCode } from './command.js';
import type { Io } from './io.js';

export const CREDENTIALS_FD = 3;
export const CREDENTIALS_FD_VARIABLE = 'NEXUS3_CREDENTIALS_FD';
/** Added to a signal's number, as shells do. */
const ENDED_BY_SIGNAL = 128;

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
  return new Promise((resolve, reject) => {
    // A signal that comes while the child is being started is kept for it.
    const early: NodeJS.Signals[] = [];
    let pass = (signal: NodeJS.Signals): void => void early.push(signal);
    const release = forwardSignals((signal) => pass(signal));
    const child = spawn(program, [...args], {
      cwd: io.cwd,
      env: { ...io.env, [CREDENTIALS_FD_VARIABLE]: String(CREDENTIALS_FD) },
      stdio: ['inherit', 'inherit', 'inherit', 'pipe'],
    });
    child.once('error', (error) => {
      release();
      reject(notStarted(program, error));
    });
    child.once('exit', (code, signal) => {
      release();
      const number = signal === null ? (code ?? 0) : ENDED_BY_SIGNAL + constants.signals[signal];
      resolve(number as PassedOnCode);
    });
    pass = (signal) => void child.kill(signal);
    for (const signal of early) pass(signal);
    const pipe = child.stdio[CREDENTIALS_FD];
    if (!(pipe instanceof Writable)) return;
    // A child that closes its end without reading does not want it.
    pipe.on('error', () => undefined);
    pipe.end(secret, 'utf8');
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
