/** One program from its start to its end, as a person at a terminal waits for it. */
import { spawn } from 'node:child_process';

const OUTPUT_CHARS_MAX = 4_000_000;

export interface Program {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly timeoutMs: number;
}

export interface Ran {
  readonly ms: number;
  readonly code: number;
  readonly stdout: string;
}

/** Rejects when it could not be started or was out of time; an exit code is the caller's to judge. */
export async function runWhole({ command, args, env, timeoutMs }: Program): Promise<Ran> {
  return new Promise((resolve, reject) => {
    let [stdout, stderr] = ['', ''];
    const began = performance.now();
    const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'], timeout: timeoutMs });
    child.stdout.on('data', (chunk: Buffer) => (stdout = (stdout + chunk.toString()).slice(-OUTPUT_CHARS_MAX)));
    child.stderr.on('data', (chunk: Buffer) => (stderr = (stderr + chunk.toString()).slice(-OUTPUT_CHARS_MAX)));
    child.once('error', reject);
    child.once('close', (code, signal) => {
      const ms = performance.now() - began;
      if (code === null) reject(new Error(`${command} was ended by ${String(signal)}: ${stderr.slice(-2000)}`));
      else if (code !== 0)
        reject(
          new Error(
            `${command} ${args.join(' ')}: exit code ${String(code)}\n${stdout.slice(-2000)}\n${stderr.slice(-2000)}`,
          ),
        );
      else resolve({ ms, code, stdout });
    });
  });
}
