/** A vault keeps its history where nexus3.yaml has `backup:`, and starts also when some of it was taken away. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Window } from '../../src/backup/backups.js';
import { until } from '../support/break.js';
import { failure } from '../support/history-harness.js';
import { findingOf, Nexus } from '../support/nexus.js';

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
    expect((await nexus.findings('track')).filter((code) => !code.startsWith('backup-'))).toEqual([]);
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
