/** A restore whose vault does not come up, or that has no room: the old data are in their place, and serve when they can. */
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readFile, rm, statfs, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { PROCESS_HANDS, until } from '../support/break.js';
import { end, listen, SILENT } from '../support/impostors.js';
import { Nexus } from '../support/nexus.js';
import { run as runProgram } from '../support/run.js';
import { takeBackup } from '../support/take-backup.js';

const MOUNT_TIMEOUT_MS = 10_000;
const DISK_MIB = 64;

async function prepared(nexus: Nexus): Promise<void> {
  await nexus.report(0, 'up');
  await nexus.admin('track', 'vault', 'SET', 'kept', 'then');
  await takeBackup(nexus, 'track');
  await nexus.admin('track', 'vault', 'SET', 'kept', 'now');
  await until(async () => (await nexus.anonymous('track', 'operational', 'GET', 'kept')) === 'now', 'replication');
}

async function fails(nexus: Nexus, code: string): Promise<string> {
  const { code: exit, out } = await nexus.run('restore', 'track', '--yes', '--json');
  expect(exit, out).toBe(1);
  expect((JSON.parse(out) as { error: { code: string } }).error.code, out).toBe(code);
  return out;
}

async function servesNow(nexus: Nexus): Promise<void> {
  expect(await nexus.findings('track')).toEqual([]);
  expect(await nexus.admin('track', 'vault', 'GET', 'kept')).toBe('now');
  expect(await nexus.anonymous('track', 'operational', 'GET', 'kept')).toBe('now');
}

async function restoresThen(nexus: Nexus): Promise<void> {
  const { code, out } = await nexus.run('restore', 'track', '--yes', '--json');
  expect(code, out).toBe(0);
  expect(await nexus.anonymous('track', 'operational', 'GET', 'kept')).toBe('then');
}

describe('a vault that does not come up', () => {
  let nexus: Nexus;
  let broken: string;

  beforeAll(async () => {
    nexus = await Nexus.make({ runtime: 'process', environments: { track: 'standard' } });
    const { engine } = JSON.parse((await nexus.run('engine', 'find', '--json')).out) as {
      engine: { command: readonly string[]; modulePath: string };
    };
    broken = join(nexus.root, 'broken');
    const wrapper = join(nexus.root, 'redis-server');
    const command = engine.command.map((word) => `'${word}'`).join(' ');
    await writeFile(
      wrapper,
      `#!/bin/sh\ncase "$*" in *track*) [ -e '${broken}' ] && { echo 'out of order' >&2; exit 3; } ;; esac\nexec ${command} "$@"\n`,
    );
    await chmod(wrapper, 0o755);
    await nexus.editYaml((text) =>
      text.replace('# what we run', `engine: ${wrapper}\nmodule: ${engine.modulePath}\n# what we run`),
    );
    await prepared(nexus);
  });
  afterAll(async () => {
    await rm(broken, { force: true });
    await nexus[Symbol.asyncDispose]();
  });

  it('because its engine ends: neither with the restored data nor with the old ones, which `up` starts later', async () => {
    await writeFile(broken, '');
    expect(await fails(nexus, 'RESTORE_FAILED')).toMatch(/START_FAILED[^]*out of order[^]*nexus3 up track/);
    expect(await nexus.findings('track')).toEqual(['instance-stopped vault']);
    expect(await nexus.anonymous('track', 'operational', 'GET', 'kept')).toBe('now');
    await rm(broken);
    await nexus.report(0, 'up');
    await servesNow(nexus);
  });

  it('because somebody has its port: what it held is in its place', async () => {
    await PROCESS_HANDS.stop(nexus, 'track', 'vault');
    const { port } = await nexus.spec('track', 'vault');
    const [, behave] = SILENT;
    const impostor = await listen(port, behave);
    try {
      expect(await fails(nexus, 'RESTORE_FAILED')).toContain('PORT_TAKEN');
    } finally {
      await end(impostor);
    }
    expect(await nexus.findings('track')).toEqual(['instance-stopped vault']);
    await nexus.report(0, 'up');
    await servesNow(nexus);
    await restoresThen(nexus);
  });
});

const isRoot = process.getuid?.() === 0;
if (!isRoot) console.warn('NOT ROOT: the test of a full disk is skipped.');

describe.skipIf(!isRoot)('a full disk', () => {
  let nexus: Nexus;
  let parent: string;

  beforeEach(async () => {
    parent = await mkdtemp(join(tmpdir(), 'nexus3-disk-'));
    nexus = await Nexus.make({ runtime: 'process', environments: { track: 'standard' }, parent });
    await mkdir(nexus.dataRoot);
    await mount('-t', 'tmpfs', '-o', `size=${String(DISK_MIB)}m`, 'tmpfs', nexus.dataRoot);
    await prepared(nexus);
  });
  afterEach(async () => {
    await nexus.run('down');
    await runProgram('umount', [nexus.dataRoot], { timeoutMs: MOUNT_TIMEOUT_MS });
    await nexus[Symbol.asyncDispose]();
    await rm(parent, { recursive: true, force: true });
  });

  async function mount(...args: readonly string[]): Promise<void> {
    await runProgram('mount', args, { timeoutMs: MOUNT_TIMEOUT_MS });
  }

  it('is said before anything is touched, and after making room it goes through', async () => {
    const filler = join(nexus.dataRoot, 'filler');
    const { bavail, bsize } = await statfs(nexus.dataRoot);
    await writeFile(filler, Buffer.alloc(bavail * bsize)).catch(() => undefined);
    const before = await readFile(join((await nexus.spec('track', 'vault')).configDir, 'mark'));
    expect(await fails(nexus, 'DISK_FULL')).toContain('Nothing was changed');
    expect(await readFile(join((await nexus.spec('track', 'vault')).configDir, 'mark'))).toEqual(before);
    expect(existsSync(join(nexus.dataRoot, 'track', 'restore.json'))).toBe(false);
    await rm(filler);
    await servesNow(nexus);
    await restoresThen(nexus);
  });
});
