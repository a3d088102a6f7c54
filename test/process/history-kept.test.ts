/** A vault keeps its history where nexus3.yaml has `backup:`, and starts also when some of it was taken away. */
import { randomBytes } from 'node:crypto';
import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Window } from '../../src/backup/backups.js';
import { until } from '../support/break.js';
import { failure } from '../support/history-harness.js';
import { findingOf, Nexus } from '../support/nexus.js';

/** More than twice the bound with what is written beside it, and no snapshot makes it smaller. */
const MUCH = randomBytes(1.5 * 1024 * 1024).toString('base64');

let nexus: Nexus;
beforeAll(async () => {
  nexus = await Nexus.make({ runtime: 'process', environments: { track: 'secure' } });
  await nexus.report(0, 'up');
});
afterAll(async () => {
  await nexus[Symbol.asyncDispose]();
});

const setting = async (): Promise<unknown> => nexus.admin('track', 'vault', 'CONFIG', 'GET', 'aof-disable-auto-gc');
const info = async (section: string): Promise<string> => String(await nexus.admin('track', 'vault', 'INFO', section));
const runId = async (): Promise<string | undefined> => /^run_id:(\w+)/m.exec(await info('server'))?.[1];
const dataDir = async (): Promise<string> => (await nexus.spec('track', 'vault')).dataDir;
const files = async (): Promise<readonly string[]> =>
  (await readdir(join(await dataDir(), 'appendonlydir'))).filter((name) => !name.endsWith('.manifest')).sort();

async function rewrite(): Promise<void> {
  await nexus.admin('track', 'vault', 'BGREWRITEAOF');
  await until(async () => !/aof_rewrite_(in_progress|scheduled):1/.test(await info('persistence')));
}

describe('history', () => {
  it('is not kept without backup:, because nothing would bound it', async () => {
    expect(await setting()).toEqual(['aof-disable-auto-gc', 'no']);
    await rewrite();
    expect(await files()).toHaveLength(2);
  });

  it('is kept from `check --fix` on, without a restart, once backup: is there', async () => {
    const before = await runId();
    await nexus.editYaml((text) => `${text}backup: { historyBytesMax: 1mb }\n`);
    const report = await nexus.report(1, 'check', 'track');
    expect(findingOf(report, 'track', 'config-drift').evidence['directives']).toBe('aof-disable-auto-gc');
    await nexus.run('check', '--fix');
    expect(await nexus.findings('track')).not.toContain('config-drift vault');
    expect(await setting()).toEqual(['aof-disable-auto-gc', 'yes']);
    expect(await runId()).toBe(before);
    await rewrite();
    await rewrite();
    expect((await files()).length).toBe(6);
  });

  it('is held to twice its bound also where no backup can be made: the oldest goes, and that is said', async () => {
    await using world = await nexus.world();
    const { root } = world.backups;
    await nexus.admin('track', 'vault', 'SET', 'much', MUCH);
    await rewrite();
    await rewrite();
    expect(await nexus.findings('track')).toContain('history-over-bound vault');
    const kept = (await files()).length;
    // As a disk that is not there: nothing can be written below it.
    await rename(root, `${root}-away`).catch(() => undefined);
    await writeFile(root, '');
    try {
      const { code, err } = await nexus.run('backup', 'create', 'track');
      expect(code, err).not.toBe(0);
      expect(err).toContain('cannot be written');
      expect(err).toContain('track: History beyond historyBytesMax is gone from the vault’s disk');
      expect((await files()).length).toBeLessThan(kept);
      expect(await nexus.findings('track')).not.toContain('history-over-bound vault');
      await rewrite();
      expect(await nexus.findings('track')).toContain('history-over-bound vault');
      const pruned = await nexus.run('backup', 'prune', '--all', '--yes');
      expect(pruned.code).not.toBe(0);
      expect(pruned.err).toContain('track: History beyond historyBytesMax is gone');
      expect(await nexus.findings('track')).not.toContain('history-over-bound vault');
    } finally {
      await rm(root);
      await rename(`${root}-away`, root).catch(() => undefined);
    }
    await nexus.admin('track', 'vault', 'DEL', 'much');
    await rewrite();
    await rewrite();
    // A vault that cannot be backed up, with a repository that can be written.
    await nexus.admin('track', 'vault', 'SET', 'much', MUCH);
    await rewrite();
    await rewrite();
    await nexus.admin('track', 'vault', 'ACL', 'SETUSER', 'backup', '-psync');
    try {
      const { code, out, err } = await nexus.run('backup', 'create', 'track');
      expect(code, err).toBe(1);
      expect(out).toContain('track: History beyond historyBytesMax is gone');
    } finally {
      await nexus.admin('track', 'vault', 'ACL', 'LOAD');
    }
    expect(await nexus.findings('track')).not.toContain('history-over-bound vault');
    await nexus.admin('track', 'vault', 'DEL', 'much');
    await rewrite();
    await rewrite();
  });

  it('that was pruned is not missed: the vault rewrites, stops, is let up by its guard, and starts', async () => {
    await using world = await nexus.world();
    const password = await nexus.password('track');
    await nexus.asApplication('track', password, 'SET', 'big', 'x'.repeat(2 * 1024 * 1024));
    await rewrite();
    const kept = await files();
    const removed = await world.backups.history.prune('track', await dataDir());
    // The era of 2 MB is not the oldest: all went that is older, and it too.
    expect(removed.files).toBeGreaterThan(2);
    expect((await files()).length).toBe(kept.length - removed.files);
    await rewrite();
    await nexus.report(0, 'down', 'track');
    const manifest = await readFile(join(await dataDir(), 'appendonlydir', 'appendonly.aof.manifest'), 'utf8');
    const there = await files();
    expect(
      manifest.split('\n').filter((line) => / type h/.test(line) && !there.some((file) => line.includes(file))),
    ).not.toEqual([]);
    await nexus.report(0, 'up', 'track');
    expect(await nexus.asApplication('track', password, 'STRLEN', 'big')).toBe(2 * 1024 * 1024);
    expect((await nexus.findings('track')).filter((code) => !/^(backup|history)-/.test(code))).toEqual([]);
    await rewrite();
    const windows = async (): Promise<readonly Window[]> => world.backups.history.windows('track', await dataDir());
    await until(async () => (await windows()).length > 0);
    expect(await windows()).toMatchObject([{ source: 'vault' }]);
    const early = await failure(world.backups.history.plan('track', await dataDir(), new Date('2020-01-01T00:00:00Z')));
    expect(early).toMatchObject({ code: 'TIME_NOT_COVERED' });
  });

  it('goes when backup: goes', async () => {
    await nexus.editYaml((text) => text.replace(/^backup:.*\n/m, ''));
    await nexus.run('check', '--fix');
    expect(await setting()).toEqual(['aof-disable-auto-gc', 'no']);
    await until(async () => (await files()).length === 2);
  });
});
