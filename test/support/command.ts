/** The built command line as a process of its own, to be killed at any instant. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Nexus } from './nexus.js';

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

export interface CommandResult {
  /** Null: ended by a signal. */
  readonly code: number | null;
  readonly output: string;
  readonly ms: number;
}

/**
 * @param kill SIGKILL after so many milliseconds, or at this signal; undefined: let it end.
 * @param stdin piped in; undefined: there is none
 */
export async function runCommand(
  nexus: Nexus,
  args: readonly string[],
  kill?: number | AbortSignal,
  stdin?: string,
): Promise<CommandResult> {
  const startedAt = performance.now();
  const child = spawn(process.execPath, [MAIN, '--config', nexus.configFile, ...args], {
    cwd: nexus.root,
    env: { ...nexus.env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  // It may have ended, or never asked.
  child.stdin.on('error', () => undefined);
  child.stdin.end(stdin);
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString('utf8')));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString('utf8')));
  // Who was killed reads no more.
  child.stdin.on('error', () => undefined);
  child.stdin.end(stdin);
  const timer = typeof kill === 'number' ? setTimeout(() => child.kill('SIGKILL'), kill) : undefined;
  if (typeof kill === 'object') kill.addEventListener('abort', () => child.kill('SIGKILL'));
  await once(child, 'exit');
  clearTimeout(timer);
  child.stdout.destroy();
  child.stderr.destroy();
  return { code: child.exitCode, output, ms: performance.now() - startedAt };
}
