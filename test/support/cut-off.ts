/** A command killed at the instant that a restore has come to a phase, as its own journal says. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runCommand } from './command.js';
import type { Nexus } from './nexus.js';

const LOOK_AGAIN_MS = 1;

export function phaseOf(nexus: Nexus, env: string): string | undefined {
  return /"phase":"([a-z-]+)"/.exec(textOf(join(nexus.dataRoot, env, 'restore.json')))?.[1];
}

/** @returns the phase in which it is left */
export async function cutOff(
  nexus: Nexus,
  env: string,
  args: readonly string[],
  isNow: () => boolean,
): Promise<string | undefined> {
  const kill = new AbortController();
  const timer = setInterval(() => {
    if (isNow()) kill.abort();
  }, LOOK_AGAIN_MS);
  try {
    await runCommand(nexus, args, kill.signal);
  } finally {
    clearInterval(timer);
  }
  return phaseOf(nexus, env);
}

/** Empty where there is none. */
export function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
