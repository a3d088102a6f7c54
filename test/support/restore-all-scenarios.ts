/** What takes more than one environment to be restored: Locker itself, and a new machine. On both runtimes. */
import { existsSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RestoreReport } from '../../src/reconcile/restore/report.js';
import type { Hands } from './break.js';
import { until } from './break.js';
import { runCommand } from './command.js';
import type { NexusOptions } from './nexus.js';
import { Nexus } from './nexus.js';
import { chance, rounds, SEED } from './random.js';
import { takeBackup } from './take-backup.js';

const KILLS_IN_CI = 1;
const KILLS_IN_SOAK = 50;
const MINUTES = 60_000;

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

    const ALL = ['restore', '--all', '--yes'];
    const begun = (): string => join(nexus.dataRoot, '.restore-all');
    const outcomes = (text: string): readonly unknown[] =>
      (JSON.parse(text) as RestoreReport).environments.map(({ env, outcome }) => [env, outcome]);

    it('cut off between two environments: the plan says what is left to do, and run again it goes on with that', async () => {
      expect(existsSync(begun()), 'a run that has ended well is forgotten').toBe(false);
      const kill = new AbortController();
      const killed = runCommand(nexus, ALL, kill.signal);
      await until(() => existsSync(join(begun(), 'locker.json')), 'Locker restored');
      kill.abort();
      // All are restored again, also Locker, which the run before had restored.
      expect((await killed).code).toBeNull();
      const [locker] = (JSON.parse((await nexus.run('restore', '--all', '--dry-run', '--json')).out) as RestoreReport)
        .environments;
      expect(locker).toMatchObject({ env: 'locker', outcome: 'skipped', source: { kind: 'backup' }, steps: [] });
      expect(locker?.warnings.join('')).toMatch(/cut off.*nexus3 restore locker$/);
      const again = await nexus.run(...ALL, '--json');
      expect(again.code, again.out).toBe(0);
      expect(outcomes(again.out)).toEqual([
        ['locker', 'skipped'],
        ['track', 'restored'],
        ['user', 'restored'],
      ]);
      expect(existsSync(begun())).toBe(false);
      await isWell();
    });

    it(
      'killed anywhere: run again, all of it is there',
      async () => {
        const usual = await runCommand(nexus, ALL);
        expect(usual.code, usual.output).toBe(0);
        const random = chance(SEED);
        for (let kill = 0; kill < rounds(KILLS_IN_CI, KILLS_IN_SOAK); kill += 1) {
          const afterMs = Math.floor(random() * usual.ms);
          const where = `seed ${String(SEED)}, kill ${String(kill)}, after ${String(afterMs)} of ${usual.ms.toFixed(0)} ms`;
          await runCommand(nexus, ALL, afterMs);
          const again = await runCommand(nexus, ALL);
          expect(again.code, `${where}\n${again.output}`).toBe(0);
          expect(existsSync(begun()), where).toBe(false);
          await isWell();
        }
      },
      rounds(KILLS_IN_CI, KILLS_IN_SOAK) * MINUTES,
    );

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
      await restored(0, 'track');
      const { out } = await nexus.run('restore', '--all', '--dry-run', '--json');
      expect(outcomes(out)).toEqual([
        ['locker', 'skipped'],
        ['track', 'skipped'],
        ['user', 'planned'],
      ]);
      const [locker, track] = (JSON.parse(out) as RestoreReport).environments;
      expect(locker?.warnings.join('')).toMatch(/This run of --all.* with \d+ keys \(it holds \d+ keys now\)/);
      expect(track?.warnings.join('')).toMatch(/restored by name since.* with 1 key \(it holds 1 key now\)/);
      await restored(0, 'user');
      expect(existsSync(begun()), 'nothing is left to do of that run').toBe(false);
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
