/** One run of restic: in a process group of its own, with a time-out, with bounded output, and with a password by a file. */
import { spawn } from 'node:child_process';
import type { ChildProcess, StdioOptions } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Secret } from '../../protocol/secret.js';
import { resticFailed } from './faults.js';
import { openPassword } from './open-password.js';
import { watchedCommand } from './watch.js';

/** How long restic may take to take its lock away when it is told to end. */
const END_GRACE_MS = 10_000;
const STDOUT_CHARS_MAX = 64 * 1024 * 1024;
const ERROR_LINES_MAX = 40;
const ERROR_LINE_CHARS_MAX = 2_000;
const PASSWORD_FD = 3;
const NEW_PASSWORD_FD = 4;

export interface ResticCall {
  readonly args: readonly string[];
  /** All of it. */
  readonly environment: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly cwd?: string;
  readonly password?: Secret;
  /** For `key add`. */
  readonly newPassword?: Secret;
  /** Each line of its output; it is then not kept. */
  readonly onLine?: (line: string) => void;
}

export interface ResticEnd {
  /** Null: a signal ended it. */
  readonly code: number | null;
  /** Empty where `onLine` has had it. */
  readonly stdout: string;
  /** The last lines of what it complained of. */
  readonly errors: readonly string[];
}

/**
 * Resolves however it ends, but for a time-out and too much output.
 * @throws Nexus3Error RESTIC_FAILED; DISK_FULL, FILE_NOT_WRITABLE where the password cannot be handed over
 */
export async function runRestic(program: string, call: ResticCall): Promise<ResticEnd> {
  const password = call.password === undefined ? undefined : await openPassword(call.password);
  try {
    const newPassword = call.newPassword === undefined ? undefined : await openPassword(call.newPassword);
    try {
      return await runWith(program, call, [password?.fd, newPassword?.fd]);
    } finally {
      await newPassword?.close();
    }
  } finally {
    await password?.close();
  }
}

async function runWith(
  program: string,
  call: ResticCall,
  [password, newPassword]: readonly [number | undefined, number | undefined],
): Promise<ResticEnd> {
  const args = [
    ...(password === undefined ? [] : ['--password-file', `/proc/self/fd/${String(PASSWORD_FD)}`]),
    ...call.args,
    ...(newPassword === undefined ? [] : ['--new-password-file', `/proc/self/fd/${String(NEW_PASSWORD_FD)}`]),
  ];
  const stdio: StdioOptions = ['pipe', 'pipe', 'pipe', password ?? 'ignore', newPassword ?? 'ignore'];
  // A group of its own: a Ctrl-C at the terminal must not reach it before nexus3 has seen it, and ssh or rclone, which it
  // starts, end with it.
  const [shell, ...words] = watchedCommand(program, args);
  const child = spawn(shell, words, { cwd: call.cwd, env: call.environment, stdio, detached: true });
  // Whoever watches it may be gone before they are told.
  child.stdin?.on('error', () => undefined);
  child.once('exit', () => child.stdin?.end('over\n'));
  const onExit = (): void => signalGroup(child, 'SIGINT');
  process.once('exit', onExit);
  try {
    return await watched(child, call);
  } finally {
    process.off('exit', onExit);
  }
}

async function watched(child: ChildProcess, { timeoutMs, onLine, args }: ResticCall): Promise<ResticEnd> {
  let ended: string | undefined;
  let killing: NodeJS.Timeout | undefined;
  const end = (why: string): void => {
    if (ended !== undefined) return;
    ended = why;
    signalGroup(child, 'SIGINT');
    killing = setTimeout(() => signalGroup(child, 'SIGKILL'), END_GRACE_MS);
  };
  const timer = setTimeout(() => end(`it had not ended after ${String(Math.round(timeoutMs / 1_000))} s`), timeoutMs);
  const output = readOutput(child, onLine, () => end('it printed too much'));
  const errors = readErrors(child);
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    if (ended === undefined) return { code, stdout: output(), errors: errors() };
    throw resticFailed({
      message: `restic was ended: ${ended}.`,
      said: [`restic ${args[0] ?? ''}`, ...errors()],
      hint: 'See whether the place of the backups can be reached, then run the command again.',
    });
  } finally {
    clearTimeout(timer);
    clearTimeout(killing);
  }
}

function readOutput(child: ChildProcess, onLine: ((line: string) => void) | undefined, tooMuch: () => void) {
  let text = '';
  let seen = 0;
  const count = (chunk: string): boolean => {
    seen += chunk.length;
    if (seen > STDOUT_CHARS_MAX) tooMuch();
    return seen <= STDOUT_CHARS_MAX;
  };
  if (child.stdout === null) return () => text;
  child.stdout.setEncoding('utf8');
  if (onLine === undefined) {
    child.stdout.on('data', (chunk: string) => {
      if (count(chunk)) text += chunk;
    });
  } else {
    createInterface({ input: child.stdout, crlfDelay: Infinity }).on('line', onLine);
  }
  return () => text;
}

function readErrors(child: ChildProcess): () => readonly string[] {
  const lines: string[] = [];
  if (child.stderr !== null) {
    createInterface({ input: child.stderr, crlfDelay: Infinity }).on('line', (line) => {
      lines.push(line.slice(0, ERROR_LINE_CHARS_MAX));
      if (lines.length > ERROR_LINES_MAX) lines.shift();
    });
  }
  return () => lines;
}

function signalGroup({ pid, exitCode, signalCode }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined || exitCode !== null || signalCode !== null) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // It has ended meanwhile.
  }
}
