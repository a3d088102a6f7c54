/** What nexus3.yaml says of backups, followed from the command line: when, for how long, and where else. */
import { readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BackupListReport } from '../../src/reconcile/backup/list.js';
import type { BackupPruneReport } from '../../src/reconcile/backup/prune.js';
import { findOrInstall, RESTIC } from '../support/debian-program.js';
import { Nexus } from '../support/nexus.js';

const hasRestic = await findOrInstall(RESTIC);

describe('backups as nexus3.yaml wants them', () => {
  let nexus: Nexus;

  beforeAll(async () => {
    nexus = await Nexus.make({ runtime: 'process', environments: { track: 'standard' } });
    const target = hasRestic ? ', target: { repository: ./off }' : '';
    await nexus.editYaml(
      (text) =>
        `backup: { root: kept, schedule: "0 * * * *", encrypt: true, keep: { last: 1, daily: 0, weekly: 0, monthly: 0 }${target} }\n${text}`,
    );
    await nexus.report(0, 'up');
    await nexus.admin('track', 'vault', 'SET', 'kept', 'value');
  });
  afterAll(() => nexus[Symbol.asyncDispose]());

  async function json<T>(...words: readonly string[]): Promise<T> {
    const { code, out, err } = await nexus.run(...words, '--json');
    expect(code, err).toBe(0);
    return JSON.parse(out) as T;
  }
  const list = (): Promise<BackupListReport> => json<BackupListReport>('backup', 'list', 'track');
  const kept = async (): Promise<readonly string[]> =>
    (await list()).environments.flatMap(({ backups }) => backups.map(({ id }) => id));

  it('makes what is due, and nothing when it is run again', async () => {
    const first = await nexus.run('backup', 'create', '--all', '--due');
    expect(first.code, first.err).toBe(0);
    expect(await kept()).toHaveLength(1);
    const again = await nexus.run('backup', 'create', '--all', '--due');
    expect(again).toMatchObject({ code: 0, out: expect.stringContaining('Nothing is due') as string });
    expect(await kept()).toHaveLength(1);
  });

  it('lists them, with what they hold and why they are kept', async () => {
    const [track] = (await list()).environments;
    expect(track?.backups[0]).toMatchObject({
      encrypted: true,
      graphs: 0,
      keptFor: ['last', 'last-verified'],
      problem: null,
    });
    expect(track?.backups[0]?.keys).toBeGreaterThan(0);
    expect(track?.backups[0]?.loadMs).toBeGreaterThan(0);
    expect(track?.windows).toHaveLength(1);
    const { code, out } = await nexus.run('backup', 'list');
    expect(code).toBe(0);
    expect(out).toContain('any second: ');
    expect(out).toMatch(/\d{8}T\d{6}Z-[0-9a-f]{4} .*encrypted/);
  });

  it('shows what prune would remove, and removes it when told to', async () => {
    const [older] = await kept();
    expect((await nexus.run('backup', 'create', 'track')).code).toBe(0);
    const dry = await json<BackupPruneReport>('backup', 'prune', '--all');
    expect(dry.environments.flatMap(({ remove }) => remove.map(({ id }) => id))).toEqual([older]);
    expect(await kept()).toHaveLength(2);
    const spared = await json<BackupPruneReport>('backup', 'prune', '--all', '--keep-last', '2', '--yes');
    expect(spared.environments.flatMap(({ remove }) => remove)).toEqual([]);
    const shown = await nexus.run('backup', 'prune', 'track', '--yes');
    expect(shown.out).toContain('1 backup removed');
    expect(await kept()).not.toContain(older);
  });

  it('says how far back any second can be had', async () => {
    const report = await nexus.report(0, 'status', 'track');
    expect(report.environments[0]?.backup).toMatchObject({ newestAt: expect.any(String) as string });
    expect(report.environments[0]?.backup?.window?.from).toMatch(/^20.*Z$/);
    expect((await nexus.run('status')).out).toContain('WINDOW');
  });

  it.runIf(hasRestic)('brings everything back from the place off this machine', async () => {
    const before = await kept();
    const root = join(nexus.root, 'kept');
    await rename(root, `${root}.lost`);
    const { code, out, err } = await nexus.run('backup', 'pull');
    expect(code, err).toBe(0);
    expect(out).toContain('fetched from');
    // And what was pruned after it had been pushed.
    expect(await kept()).toEqual(expect.arrayContaining([...before]));
    const verified = await nexus.run('backup', 'verify', 'track');
    expect(verified.code, verified.err).toBe(0);
    expect(await readdir(root)).toEqual(expect.arrayContaining(['track', 'locker']));
    expect((await stat(root)).mode & 0o777).toBe(0o700);
    await rm(`${root}.lost`, { recursive: true });
    expect((await nexus.run('backup', 'push')).code).toBe(0);
  });

  it('says what is wrong with the wish', async () => {
    expect(await nexus.run('backup', 'prune')).toMatchObject({ code: 2 });
    expect(await nexus.run('backup', 'prune', 'track', '--keep-last', '0')).toMatchObject({ code: 2 });
    expect(await nexus.run('backup', 'list', 'nobody')).toMatchObject({ code: 2 });
    await nexus.editYaml((text) =>
      text.replace('schedule: "0 * * * *", ', '').replace(', target: { repository: ./off }', ''),
    );
    expect(await nexus.run('backup', 'create', '--all', '--due')).toMatchObject({
      code: 2,
      err: expect.stringContaining('--due needs a schedule') as string,
    });
    expect(await nexus.run('backup', 'push')).toMatchObject({
      code: 2,
      err: expect.stringContaining('No place off this machine') as string,
    });
  });
});
