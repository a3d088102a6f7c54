/** A shell script of `rivals/`, as something that can be timed. */
import { join } from 'node:path';
import type { Contestant } from './comparison.js';
import { runWhole } from './whole-process.js';

export function script(name: string, args: readonly string[], env: NodeJS.ProcessEnv, timeoutMs: number): Contestant {
  return async () => (await runScript(name, args, env, timeoutMs)).ms;
}

export async function runScript(
  name: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  timeoutMs: number,
): Promise<{ readonly ms: number; readonly stdout: string }> {
  const file = join(process.cwd(), 'bench', 'rivals', name);
  return runWhole({ command: '/bin/sh', args: [file, ...args], env, timeoutMs });
}
