import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PROCESS_HANDS } from '../support/break.js';
import { huntProcesses } from '../support/secret-hunt.js';
import { describeSecrets } from '../support/secrets-scenarios.js';

describe('no secret leaves Locker, on the embedded runtime', () => {
  describeSecrets({ runtime: 'process', environments: { track: 'standard' } }, PROCESS_HANDS, (nexus, passwords) =>
    huntProcesses(nexus.dataRoot, passwords),
  );

  it('a password on a command line or in an environment would be seen', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'nexus3-planted-'));
    const planted = spawn('sleep', ['60'], { cwd: folder, env: { PLANTED: 'a-planted-password' } });
    await once(planted, 'spawn');
    const { found } = await huntProcesses(folder, new Map([['nobody', 'a-planted-password']]));
    planted.kill();
    await rm(folder, { recursive: true });
    expect(found).toEqual([`process ${String(planted.pid)}: environ: the password of nobody`]);
  });
});
