/** A disk of backups that is full, read-only, or under another key keeps nobody from restoring what lies there. As root, which alone can mount. */
import { existsSync } from 'node:fs';
import { chmod, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RestoreReport } from '../../src/reconcile/restore/report.js';
import { until } from '../support/break.js';
import { Nexus } from '../support/nexus.js';
import { run as runProgram } from '../support/run.js';

const MOUNT_TIMEOUT_MS = 10_000;
const SECOND_MS = 1_000;

describe.skipIf(process.getuid?.() !== 0)('a restore, where the disk of the backups', () => {
  let nexus: Nexus;
  let root: string;
  beforeEach(async () => {
    nexus = await Nexus.make({ runtime: 'process', environments: { track: 'standard' }, yaml: 'backup: {}' });
    root = `${nexus.dataRoot}-backups`;
    await mkdir(root);
    await mount('-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', root);
    await nexus.report(0, 'up');
    await ask('SET', 'kept', 'then');
    const { code, out } = await nexus.run('backup', 'create', 'track', '--json');
    expect(code, out).toBe(0);
  });
  afterEach(async () => {
    await runProgram('umount', [root], { timeoutMs: MOUNT_TIMEOUT_MS });
    await nexus[Symbol.asyncDispose]();
  });

  const mount = (...args: readonly string[]): Promise<unknown> =>
    runProgram('mount', [...args], { timeoutMs: MOUNT_TIMEOUT_MS });
  const ask = (...args: readonly string[]): Promise<unknown> => nexus.admin('track', 'vault', ...args);

  async function restored(...args: readonly string[]): Promise<readonly string[]> {
    const { code, out, err } = await nexus.run('restore', 'track', ...args, '--yes', '--json');
    expect(code, `${err}\n${out}`).toBe(0);
    const [track] = (JSON.parse(out) as RestoreReport).environments;
    expect(await ask('EXISTS', 'kept')).toBe(1);
    expect(await nexus.anonymous('track', 'operational', 'GET', 'kept')).toBe('then');
    const warnings = track?.warnings ?? [];
    // What is in no archive is not discarded with the rest.
    const isMarked = existsSync(join(track?.keptAside ?? 'none', 'nexus3.unarchived'));
    expect(isMarked).toBe(warnings.join('\n').includes('The history of what was replaced is not in the archive'));
    expect(track?.keptAside).not.toBeNull();
    return warnings;
  }

  async function writeJunk(): Promise<void> {
    await ask('SET', 'junk', 'x'.repeat(3_000_000));
    await ask('DEL', 'kept');
  }

  it('is full, and the vault has more than fits there', async () => {
    await writeJunk();
    await writeFile(join(root, 'ballast'), Buffer.alloc(4_000_000)).catch(() => undefined);
    expect((await restored()).join('\n')).toContain('The history of what was replaced is not in the archive');
  });

  it('is read-only: also for a second that only the archive has', async () => {
    const now = Number(((await ask('TIME')) as readonly string[])[0]);
    await until(async () => Number(((await ask('TIME')) as readonly string[])[0]) > now + 4, 'a few seconds');
    expect((await nexus.run('backup', 'create', 'track', '--no-verify')).code).toBe(0);
    await writeJunk();
    await mount('-o', 'remount,ro', root);
    const verified = await nexus.run('backup', 'verify', 'track', '--json');
    expect(verified.code, verified.out).toBe(0);
    expect(JSON.parse(verified.out)).toMatchObject({
      environments: [
        {
          ok: true,
          backup: { loadMs: expect.any(Number) as number },
          notRecorded: { code: 'FILE_NOT_WRITABLE' },
          error: null,
        },
      ],
    });
    expect((await restored()).join('\n')).toContain('The history of what was replaced is not in the archive');
    await writeJunk();
    const at = new Date(now * SECOND_MS).toISOString().replace('.000Z', 'Z');
    await restored('--at', at);
  });

  it('holds a history that cannot be read or written', async () => {
    await writeJunk();
    const history = join(root, 'track', 'history');
    for (const name of await readdir(history)) await writeFile(join(history, name, 'index.json'), 'no index');
    expect(await restored()).toBeInstanceOf(Array);
    await rm(history, { recursive: true });
    await writeFile(history, '');
    await writeJunk();
    expect((await restored()).join('\n')).toContain('is not in the archive');
    await chmod(history, 0o600);
  });
});
