/** What takes more than one environment to be restored: Locker itself, and a new machine. On both runtimes. */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RestoreReport } from '../../src/reconcile/restore/report.js';
import type { Hands } from './break.js';
import { until } from './break.js';
import type { NexusOptions } from './nexus.js';
import { Nexus } from './nexus.js';
import { takeBackup } from './take-backup.js';

/** @param options with the environments `track`, standard, and `user`, secure */
export function describeRestoreAll(options: NexusOptions, hands: Hands): void {
  let nexus: Nexus;

  beforeAll(async () => {
    nexus = await Nexus.make(options);
    await nexus.report(0, 'up');
    for (const env of ['track', 'user']) await nexus.admin(env, 'vault', 'SET', 'kept', env);
    await until(async () => (await nexus.anonymous('track', 'operational', 'GET', 'kept')) === 'track', 'replication');
  });
  afterAll(async () => {
    await nexus[Symbol.asyncDispose]();
  });

  async function restored(code: number, ...args: readonly string[]): Promise<RestoreReport> {
    const { code: actual, out, err } = await nexus.run('restore', ...args, '--yes', '--json');
    expect(actual, `${err}\n${out}`).toBe(code);
    return JSON.parse(out) as RestoreReport;
  }

  async function isWell(): Promise<void> {
    const { code, out } = await nexus.run('check', '--json');
    expect(code, out).toBe(0);
    for (const env of ['track', 'user']) expect(await nexus.admin(env, 'vault', 'GET', 'kept')).toBe(env);
    expect(await nexus.anonymous('track', 'operational', 'GET', 'kept')).toBe('track');
  }

  describe('Locker', () => {
    it('is restored like any other, and the root key opens it', async () => {
      const { id } = await takeBackup(nexus, 'locker');
      const before = await nexus.password('track');
      const { environments } = await restored(0, 'locker');
      expect(environments).toMatchObject([{ env: 'locker', source: { id }, outcome: 'restored' }]);
      expect(await nexus.password('track')).toBe(before);
      await isWell();
    });

    it('from before a rotation has older passwords: a start puts them in force, as `check --fix` says', async () => {
      const { id } = await takeBackup(nexus, 'locker');
      const before = await nexus.password('track');
      expect((await nexus.run('rotate', 'track', '--grace', '0')).code).toBe(0);
      expect(await nexus.password('track')).not.toBe(before);
      const { environments } = await restored(0, 'locker', '--id', id);
      expect(environments[0]?.warnings.join(' ')).toContain('nexus3 check --fix');
      expect(await nexus.password('track')).toBe(before);
      const { out } = await nexus.run('check', '--fix', '--json');
      expect(out).toContain('nexus3 down track, then nexus3 up track');
      expect((await nexus.run('down', 'track')).code).toBe(0);
      expect((await nexus.run('up', 'track')).code).toBe(0);
      await isWell();
    });

    it('from before a new root key: what it held would stay shut, so nothing is touched', async () => {
      const { id } = await takeBackup(nexus, 'locker');
      expect((await nexus.run('locker', 'rekey')).code).toBe(0);
      const { code, out } = await nexus.run('restore', 'locker', '--id', id, '--yes', '--json');
      expect(code, out).toBe(1);
      expect(out).toMatch(/BACKUP_KEY_UNKNOWN/);
      await isWell();
    });
  });

  describe('a new machine: the repository, nexus3.yaml and the root key', () => {
    async function newMachine(): Promise<void> {
      for (const [env, role] of [
        ['track', 'operational'],
        ['track', 'vault'],
        ['user', 'vault'],
        ['locker', 'vault'],
      ] as const) {
        await hands.takeAway(nexus, env, role);
      }
      await rm(nexus.dataRoot, { recursive: true });
    }

    it('--all brings everything back, Locker first', async () => {
      for (const env of ['locker', 'track', 'user']) await takeBackup(nexus, env);
      const before = await nexus.password('track');
      await newMachine();
      const report = await restored(0, '--all');
      expect(report.environments.map(({ env, outcome }) => [env, outcome])).toEqual(
        expect.arrayContaining([
          ['locker', 'restored'],
          ['track', 'restored'],
          ['user', 'restored'],
        ]),
      );
      expect(report.environments[0]?.env).toBe('locker');
      expect(await nexus.password('track')).toBe(before);
      await isWell();
    });

    it('one that cannot be restored does not stop the others, and is the only one left to do', async () => {
      const bad = await takeBackup(nexus, 'user', { change: () => Buffer.from('this is not a snapshot') });
      await newMachine();
      const report = await restored(1, '--all');
      expect(report.ok).toBe(false);
      expect(report.environments.find(({ env }) => env === 'user')).toMatchObject({
        outcome: 'failed',
        error: { code: 'RESTORE_FAILED' },
      });
      expect(report.environments.find(({ env }) => env === 'track')).toMatchObject({ outcome: 'restored' });
      await rm(join(`${nexus.dataRoot}-backups`, 'user', bad.id), { recursive: true });
      await restored(0, 'user');
      await isWell();
    });

    it('one of which there is no backup is left out, and said', async () => {
      await rm(join(`${nexus.dataRoot}-backups`, 'user'), { recursive: true });
      const report = await restored(0, '--all');
      expect(report.environments.find(({ env }) => env === 'user')).toMatchObject({ outcome: 'skipped' });
      await isWell();
    });

    it('without the root key nothing is begun', async () => {
      const path = nexus.env['NEXUS3_ROOT_KEY_FILE'] ?? '';
      const key = await readFile(path);
      await rm(path);
      const { code, out } = await nexus.run('restore', '--all', '--yes', '--json');
      await writeFile(path, key, { mode: 0o600 });
      expect(code).toBe(3);
      expect(out).toContain('ROOT_KEY_MISSING');
      await isWell();
    });
  });
}
