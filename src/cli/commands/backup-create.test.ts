/** `backup create` and `backup verify` as they are typed, and how they end. */
import { describe, expect, it } from 'vitest';
import { parsed, runCli, worlds } from '../../../test/support/cli-run.js';
import type { ErrorCode } from '../../errors.js';
import type { BackupCreateReport } from '../../reconcile/backup/create.js';
import type { BackupVerifyOptions } from '../../reconcile/backup/verify.js';
import type { Operations } from '../operations.js';

type CreateOptions = Parameters<Operations['createBackups']>[1];

/** Of environments that ended so; null: well. */
function reportOf(...codes: readonly (ErrorCode | null)[]): BackupCreateReport {
  return {
    ok: codes.every((code) => code === null),
    root: '/b',
    durationMs: 1,
    pushed: null,
    environments: codes.map((code, index) => ({
      name: `e${String(index)}`,
      ok: code === null,
      backup: null,
      durationMs: null,
      archived: null,
      comparedWithVault: false,
      warnings: [],
      error: code === null ? null : { code, message: 'no', evidence: [], hint: 'do' },
    })),
  };
}

describe('backup create', () => {
  it.each<[readonly string[], Partial<CreateOptions>]>([
    [['track'], { envs: ['track'], all: false, verify: true }],
    [['track', 'user', '--no-verify'], { envs: ['track', 'user'], all: false, verify: false }],
    [['--all'], { envs: [], all: true, verify: true }],
  ])('%j', async (args, expected) => {
    const asked: CreateOptions[] = [];
    const createBackups: Operations['createBackups'] = (_, options) => {
      asked.push(options);
      return Promise.resolve(reportOf(null));
    };
    const { exitCode, stdout } = await runCli(['backup', 'create', ...args, '--json'], {
      operations: { ...worlds('/'), createBackups },
    });
    expect(exitCode).toBe(0);
    expect(asked).toMatchObject([expected]);
    expect(parsed(stdout)).toMatchObject({ schema: 'nexus3.backup-create/1', ok: true, pushed: null });
  });

  it.each<[(ErrorCode | null)[], number]>([
    [[null, null], 0],
    [[null, 'BACKUP_FAILED'], 1],
    [[null, 'LOCKER_UNREACHABLE'], 1],
    [['LOCKER_UNREACHABLE', 'REDIS_UNREACHABLE'], 3],
    [['LOCKER_UNREACHABLE', 'BACKUP_FAILED'], 1],
  ])('that ends with %j', async (codes, expected) => {
    const createBackups = (): Promise<BackupCreateReport> => Promise.resolve(reportOf(...codes));
    const operations = { ...worlds('/'), createBackups };
    expect((await runCli(['backup', 'create', '--all'], { operations })).exitCode).toBe(expected);
  });

  it('of which only the copy off this machine failed', async () => {
    const error = { code: 'RESTIC_FAILED', message: 'no', evidence: [], hint: 'do' } as const;
    const pushed = { repository: 'r', ok: false, snapshot: null, bytesAdded: null, error };
    const createBackups = (): Promise<BackupCreateReport> => Promise.resolve({ ...reportOf(null), ok: false, pushed });
    const operations = { ...worlds('/'), createBackups };
    const { exitCode, stdout } = await runCli(['backup', 'create', '--all'], { operations });
    expect(exitCode).toBe(1);
    expect(stdout).toContain('✗ r: no');
  });
});

describe('backup verify', () => {
  it.each<[readonly string[], BackupVerifyOptions]>([
    [[], { envs: [], all: false, id: undefined }],
    [['--all'], { envs: [], all: true, id: undefined }],
    [['track', '--id', '20260108T120000Z-1a2b'], { envs: ['track'], all: false, id: '20260108T120000Z-1a2b' }],
  ])('%j', async (args, expected) => {
    const asked: BackupVerifyOptions[] = [];
    const verifyBackups: Operations['verifyBackups'] = (_, options) => {
      asked.push(options);
      return Promise.resolve({ ok: true, root: '/b', durationMs: 1, environments: [] });
    };
    const { exitCode, stdout } = await runCli(['backup', 'verify', ...args, '--json'], {
      operations: { ...worlds('/'), verifyBackups },
    });
    expect([exitCode, asked]).toEqual([0, [expected]]);
    expect(parsed(stdout)).toMatchObject({ schema: 'nexus3.backup-verify/1', ok: true });
  });
});

describe('what is typed of a backup', () => {
  it.each([
    ['backup', 'verify', 'track'],
    ['restore', 'track', '--yes'],
  ])('%s %s: what is no id is wrong usage', async (...words) => {
    const { exitCode, stdout } = await runCli([...words, '--id', '../../etc', '--json'], { operations: worlds('/') });
    expect(exitCode).toBe(2);
    expect(parsed(stdout)).toMatchObject({ error: { code: 'USAGE', message: '"../../etc" is no id of a backup.' } });
  });

  it('is --all or names, also where neither is needed', async () => {
    const asked: (readonly string[])[] = [];
    const listBackups: Operations['listBackups'] = (_, envs) => {
      asked.push(envs);
      return Promise.resolve({ ok: true, listedAt: '2026-01-08T12:00:00.000Z', root: '/b', environments: [] });
    };
    const operations = { ...worlds('/'), listBackups };
    expect((await runCli(['backup', 'list', '--all'], { operations })).exitCode).toBe(0);
    expect(asked).toEqual([[]]);
    expect((await runCli(['backup', 'list', 'track', '--all'], { operations })).exitCode).toBe(2);
    expect((await runCli(['backup', 'pull', 'track', '--all'], { operations })).exitCode).toBe(2);
  });
});
