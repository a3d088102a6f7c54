/** Backups of Locker itself across `locker rekey`: what cannot be restored any more says so, and one that can be is made. */
import { existsSync } from 'node:fs';
import { readdir, rename, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BackupListReport } from '../../src/reconcile/backup/list.js';
import type { RekeyReport } from '../../src/reconcile/locker/rekey.js';
import { until } from '../support/break.js';
import { runCommand } from '../support/command.js';
import { Nexus } from '../support/nexus.js';
import { rounds } from '../support/random.js';

describe('backups of Locker across locker rekey', () => {
  let nexus: Nexus;
  beforeAll(async () => {
    nexus = await Nexus.make({ runtime: 'process', environments: { track: 'standard' }, yaml: 'backup: {}' });
    await nexus.report(0, 'up');
  });
  afterAll(async () => {
    await nexus[Symbol.asyncDispose]();
  });

  async function json<T>(expected: number, ...args: readonly string[]): Promise<T> {
    const { code, out, err } = await nexus.run(...args, '--json');
    expect(code, `${err}\n${out}`).toBe(expected);
    return JSON.parse(out) as T;
  }
  const namesOfLocker = (): Promise<readonly string[]> =>
    readdir(join(`${nexus.dataRoot}-backups`, 'locker')).catch(() => []);
  const listed = async (): Promise<BackupListReport['environments'][number]['backups']> =>
    (await json<BackupListReport>(0, 'backup', 'list', 'locker')).environments[0]?.backups ?? [];
  const kept = (): Promise<readonly string[]> => readdir(join(nexus.dataRoot, 'locker', 'aside')).catch(() => []);
  const refused = async (...args: readonly string[]): Promise<void> => {
    const before = await kept();
    const { error } = await json<{ error: { code: string; hint: string } }>(1, 'restore', 'locker', ...args, '--yes');
    expect(error).toMatchObject({
      code: 'BACKUP_KEY_UNKNOWN',
      hint: expect.stringContaining('locker import') as string,
    });
    expect(existsSync(join(nexus.dataRoot, 'locker', 'restore.json'))).toBe(false);
    expect(await kept()).toEqual(before);
    expect((await nexus.run('credentials', 'get', 'track')).code).toBe(0);
  };

  it('one is made under the new key, and restored; those from before are refused before anything is touched', async () => {
    await json(0, 'backup', 'create', 'locker');
    const [before] = await listed();
    expect(before).toMatchObject({ ofEarlierKey: false });
    const second = String(before?.createdAt).replace(/\.\d{3}Z$/, 'Z');
    const at = Date.parse(second);
    await until(() => Promise.resolve(Date.now() > at + 5_000), 'five seconds');
    const { backup, remarks } = await json<RekeyReport>(0, 'locker', 'rekey');
    expect(remarks).toEqual([]);
    const [now, earlier] = await listed();
    expect(now).toMatchObject({ id: backup, ofEarlierKey: false, problem: null });
    expect(now?.verifiedAt).not.toBeNull();
    expect(earlier).toMatchObject({ id: before?.id, ofEarlierKey: true, problem: null });
    expect((await nexus.run('backup', 'list', 'locker')).out).toContain('before locker rekey');
    await refused('--id', String(before?.id));
    await refused('--at', second);
    // No backup is of this one: Locker's audit says when the key was changed.
    await refused('--at', new Date(at + 2_000).toISOString().replace('.000Z', 'Z'));
    expect(await nexus.findings('locker')).not.toContain('backup-missing vault');
    await json(0, 'restore', 'locker', '--yes');
    expect((await nexus.run('credentials', 'get', 'track')).code).toBe(0);
  });

  const steps: readonly (readonly [string, () => Promise<boolean>])[] = [
    ['being sent', async () => (await namesOfLocker()).some((name) => name.endsWith('.new'))],
    ['being loaded', async () => (await readdir(join(nexus.dataRoot, 'locker', 'scratch')).catch(() => [])).length > 0],
  ];
  it.each(steps.slice(0, rounds(1, steps.length)))(
    'killed while it is %s: the old key is not given up yet, and run again it is made',
    async (_, isThere) => {
      const before = new Set(await namesOfLocker());
      // So that there is time to kill.
      await nexus.admin('locker', 'vault', 'CONFIG', 'SET', 'rdb-key-save-delay', '50000');
      const stop = new AbortController();
      const killed = runCommand(nexus, ['locker', 'rekey'], stop.signal);
      await until(isThere, 'the step');
      stop.abort();
      expect((await killed).code).toBeNull();
      expect(existsSync(join(nexus.root, 'root.key.previous'))).toBe(true);
      await nexus.admin('locker', 'vault', 'CONFIG', 'SET', 'rdb-key-save-delay', '0');
      expect((await nexus.run('credentials', 'get', 'track')).code).toBe(0);
      const { resumed, backup, remarks } = await json<RekeyReport>(0, 'locker', 'rekey');
      expect({ resumed, remarks }).toEqual({ resumed: true, remarks: [] });
      expect(before.has(String(backup))).toBe(false);
      expect(existsSync(join(nexus.root, 'root.key.previous'))).toBe(false);
      expect((await namesOfLocker()).filter((name) => name.startsWith('.'))).toEqual([]);
      const [now] = await listed();
      expect(now).toMatchObject({ id: backup, ofEarlierKey: false, problem: null });
      expect(now?.verifiedAt).not.toBeNull();
    },
  );

  it('where none can be made, the old key is given up all the same, and check says that there is none', async () => {
    const folder = join(`${nexus.dataRoot}-backups`, 'locker');
    await rename(folder, `${folder}.moved`);
    await symlink('/proc/sys', folder);
    const { backup, remarks } = await json<RekeyReport>(0, 'locker', 'rekey');
    expect(backup).toBeNull();
    expect(remarks.join()).toContain('nexus3 backup create locker');
    await nexus.run('check', 'locker');
    await rm(folder);
    await rename(`${folder}.moved`, folder);
    expect(await nexus.findings('locker')).toContain('backup-missing vault');
    await refused();
    await json(0, 'backup', 'create', 'locker');
    await json(0, 'restore', 'locker', '--yes');
  });
});
