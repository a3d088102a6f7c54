/** Scratch servers of the embedded runtime, and the shells above them: by their name, and by the folder that they work in. */
import { readlinkSync, readdirSync } from 'node:fs';
import { layoutOf } from '../../src/protocol/layout.js';
import type { Nexus } from './nexus.js';
import { mentioning, processStart } from './processes.js';

export function scratchProcesses(nexus: Nexus): Promise<readonly string[]> {
  const folders = Object.keys(nexus.options.environments).map((env) => layoutOf(nexus.dataRoot, env).scratch);
  const pids = new Set(folders.flatMap((folder) => mentioning(folder)));
  for (const pid of readdirSync('/proc').map(Number)) {
    if (Number.isInteger(pid) && folders.some((folder) => cwdOf(pid).startsWith(folder))) pids.add(pid);
  }
  return Promise.resolve([...pids].filter((pid) => processStart(pid) !== undefined).map(String));
}

function cwdOf(pid: number): string {
  try {
    return readlinkSync(`/proc/${String(pid)}/cwd`);
  } catch {
    return '';
  }
}
