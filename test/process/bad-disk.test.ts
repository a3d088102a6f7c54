/**
 * A data root that is full, or cannot be written: said clearly, nothing lost, and healthy again once there is room. Needs
 * root, because only root can mount; without it the tests are skipped, loudly.
 */
import { mkdir, mkdtemp, readFile, rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tmpdir } from 'node:os';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { until } from '../support/break.js';
import type { Report } from '../../src/reconcile/report.js';
import { Nexus } from '../support/nexus.js';
import { bounded, hasNoStackTrace, refused } from '../support/refusal.js';
import { run as runProgram } from '../support/run.js';

const MOUNT_TIMEOUT_MS = 10_000;
const DISK_MIB = 24;
const MIB = 1024 * 1024;
/** Without Locker nothing else is waited for. */
const SHORT_OF_ROOM_MS_MAX = 20_000;
/** Two repairs with their bounded waits. */
const FIX_MS_MAX = 60_000;

const isRoot = process.getuid?.() === 0;
if (!isRoot) console.warn('NOT ROOT: the tests of a full and a read-only disk are skipped.');

describe.skipIf(!isRoot)('a disk', () => {
  let nexus: Nexus;
  let parent: string;
  const filler = (): string => join(nexus.dataRoot, 'filler');

  beforeAll(async () => {
    parent = await mkdtemp(join(tmpdir(), 'nexus3-disk-'));
  });
  afterAll(async () => {
    await rm(parent, { recursive: true, force: true });
  });
  beforeEach(async () => {
    nexus = await Nexus.make({ runtime: 'process', environments: { track: 'standard' }, parent });
    await mkdir(nexus.dataRoot);
    await mount('-t', 'tmpfs', '-o', `size=${String(DISK_MIB)}m`, 'tmpfs', nexus.dataRoot);
  });
  afterEach(async () => {
    await mount('-o', 'remount,rw', nexus.dataRoot);
    await rm(filler(), { force: true });
    await nexus.run('down');
    await runProgram('umount', [nexus.dataRoot], { timeoutMs: MOUNT_TIMEOUT_MS });
    await nexus[Symbol.asyncDispose]();
  });

  async function mount(...args: readonly string[]): Promise<void> {
    await runProgram('mount', args, { timeoutMs: MOUNT_TIMEOUT_MS });
  }

  /** Every byte but the named ones. */
  async function fill(leaveBytes = 0): Promise<void> {
    const { bavail, bsize } = await statfs(nexus.dataRoot);
    const bytes = Buffer.alloc(Math.max(0, bavail * bsize - leaveBytes));
    // The last block may not fit: what matters is that nothing more does.
    await writeFile(filler(), bytes).catch(() => undefined);
  }

  async function makeRoom(): Promise<void> {
    await rm(filler());
  }

  async function withData(): Promise<void> {
    await nexus.report(0, 'up');
    await nexus.admin('track', 'vault', 'SET', 'kept', 'value');
    await until(async () => (await nexus.anonymous('track', 'operational', 'GET', 'kept')) === 'value', 'replication');
  }

  async function isHealthyWithItsData(): Promise<void> {
    expect(await nexus.findings('track')).toEqual([]);
    expect(await nexus.anonymous('track', 'operational', 'GET', 'kept')).toBe('value');
  }

  const run = (...args: readonly string[]): ReturnType<Nexus['run']> => nexus.run(...args);

  /** A command that does not get through: exit code 1, the disk named, a way out, no stack trace. */
  async function fails(args: readonly string[], says: RegExp): Promise<Report> {
    const what = args.join(' ');
    const { code, out, err } = await bounded(what, () => run(...args, '--json'), FIX_MS_MAX);
    expect(code, `${what}\n${out}\n${err}`).toBe(1);
    expect(out, what).toMatch(says);
    hasNoStackTrace(out + err, what);
    return JSON.parse(out) as Report;
  }

  it('that is full from the start: `up` and `create` say so, and after making room go on', async () => {
    await fill();
    await fails(['up'], /DISK_FULL/);
    await fails(['create', 'notes'], /DISK_FULL/);
    await makeRoom();
    await nexus.report(0, 'up');
    await nexus.report(0, 'check');
  });

  it('that has room for some of it only: `up` says what did not fit, and after making room goes on', async () => {
    for (const kib of [4, 12, 24, 40, 64]) {
      const what = `up with ${String(kib)} KiB`;
      await fill(kib * 1024);
      const { code, out, err } = await bounded(what, () => run('up', '--json'), SHORT_OF_ROOM_MS_MAX);
      expect([1, 3], `${what}\n${out}`).toContain(code);
      expect(out, `${what}\n${err}`).toMatch(/DISK_FULL|disk nearly full/);
      hasNoStackTrace(out + err, what);
      await makeRoom();
    }
    await nexus.report(0, 'up');
    await nexus.report(0, 'check');
  });

  it('that fills up under running instances: `check` says so and loses nothing, and room is all that it takes', async () => {
    await withData();
    await fill();
    const value = 'x'.repeat(MIB);
    await until(async () => {
      await nexus.admin('track', 'vault', 'SET', 'more', value).catch(() => undefined);
      return String(await nexus.admin('track', 'vault', 'INFO', 'persistence')).includes('aof_last_write_status:err');
    }, 'a failed write');
    const seen = await bounded('check', () => nexus.report(1, 'check', 'track'));
    expect(JSON.stringify(seen.environments)).toContain('persistence-failing');
    await fails(['check', 'track', '--fix'], /persistence-failing/);
    expect(await nexus.anonymous('track', 'operational', 'GET', 'kept')).toBe('value');

    await makeRoom();
    await until(async () => (await nexus.findings('track')).length === 0, 'recovery without anybody’s help');
    await isHealthyWithItsData();
  });

  it('that is full when an instance has to be repaired: `--fix` and `create` say so, and the next run repairs', async () => {
    await withData();
    const yaml = await readFile(nexus.configFile, 'utf8');
    await nexus.run('down', 'track');
    await fill();
    const report = await fails(['check', 'track', '--fix'], /DISK_FULL|START_FAILED|LOCKER_UNREACHABLE/);
    expect(JSON.stringify(report)).not.toMatch(/"hint":""/);
    await fails(['create', 'notes'], /DISK_FULL/);
    await makeRoom();
    await writeFile(nexus.configFile, yaml);
    await nexus.report(0, 'check', '--fix');
    await isHealthyWithItsData();
  });

  it('that is read-only: what has to write says so, `check` goes on looking', async () => {
    await withData();
    await mount('-o', 'remount,ro', nexus.dataRoot).catch(async () => {
      // Servers hold files open for writing: the mount point itself is made read-only instead.
      await mount('--bind', nexus.dataRoot, nexus.dataRoot);
      await mount('-o', 'remount,bind,ro', nexus.dataRoot);
    });
    await nexus.report(0, 'check');
    await refused(run, ['up'], 'FILE_NOT_WRITABLE');
    await refused(run, ['check', '--fix'], 'FILE_NOT_WRITABLE');
    await refused(run, ['create', 'notes'], 'FILE_NOT_WRITABLE');
    await refused(run, ['recover', 'track', '--yes'], 'FILE_NOT_WRITABLE');
    await refused(run, ['remove', 'track', '--yes'], 'FILE_NOT_WRITABLE');
    await runProgram('umount', [nexus.dataRoot], { timeoutMs: MOUNT_TIMEOUT_MS }).catch(() => undefined);
    await isHealthyWithItsData();
  });
});

describe('a file in the place of the data root', () => {
  it('is said, and left as it is', async () => {
    const root = await mkdtemp(join(tmpdir(), 'nexus3-disk-'));
    const nexus = await Nexus.make({ runtime: 'process', environments: { track: 'standard' }, parent: root });
    await writeFile(nexus.dataRoot, 'somebody’s');
    const run = (...args: readonly string[]): ReturnType<Nexus['run']> => nexus.run(...args);
    await refused(run, ['up'], 'FILE_NOT_WRITABLE');
    await refused(run, ['create', 'notes'], 'FILE_NOT_WRITABLE');
    const { code, out } = await run('check', '--json');
    expect(code, out).toBe(3);
    expect(await readFile(nexus.dataRoot, 'utf8')).toBe('somebody’s');
    await rm(root, { recursive: true });
  });
});
