/** Runs a program to its end, bounded in time and output. */
import { execFile } from 'node:child_process';

const OUTPUT_BYTES_MAX = 16 * 1024 * 1024;

export interface RunOptions {
  readonly timeoutMs: number;
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
}

/** What it wrote to stdout. Rejects with the end of what it wrote to stderr when it fails. */
export async function run(program: string, args: readonly string[], options: RunOptions): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(
      program,
      [...args],
      {
        timeout: options.timeoutMs,
        killSignal: 'SIGKILL',
        maxBuffer: OUTPUT_BYTES_MAX,
        env: options.env ?? process.env,
        ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      },
      (error, stdout, stderr) => {
        if (error === null) resolve(stdout);
        else
          reject(
            new Error(`${program} ${args[0] ?? ''}: ${error.killed === true ? 'timed out' : stderr.slice(-2000)}`),
          );
      },
    );
  });
}
