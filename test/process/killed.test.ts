import { readdir, readFile, readlink } from 'node:fs/promises';
import { describe } from 'vitest';
import { PROCESS_HANDS } from '../support/break.js';
import { describeKilled } from '../support/killed-scenarios.js';
import type { Nexus } from '../support/nexus.js';

/** Every server of this host that works in this nexus3's data folder. */
async function serversOf(nexus: Nexus): Promise<number> {
  let count = 0;
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const folder = await readlink(`/proc/${pid}/cwd`).catch(() => '');
    const title = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    // A fork that saves a snapshot or rewrites the append-only file works there too, under another title.
    if (folder.startsWith(nexus.dataRoot) && !/redis-(rdb|aof)/.test(title)) count += 1;
  }
  return count;
}

describe('killed anywhere, on the embedded runtime', () => {
  describeKilled({ runtime: 'process', environments: { track: 'standard', user: 'secure' } }, PROCESS_HANDS, serversOf);
});
