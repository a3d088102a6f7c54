/** What `check` says of backups, once nexus3.yaml expects any: warnings, which fail nothing and which `--fix` leaves. */
import { expect, it } from 'vitest';
import type { FindingCode } from '../../src/reconcile/finding.js';
import { chunksOf, newBackup } from './backup-repository.js';
import { findingOf } from './nexus.js';
import type { Nexus } from './nexus.js';

const EXPECTED = 'backup: { staleAfterHours: 1 }\n';

export function describeBackupFindings(the: () => Nexus): void {
  it('backup-missing, backup-unverified and backup-stale: once there is backup: in nexus3.yaml', async () => {
    const nexus = the();
    await nexus.editYaml((text) => `${EXPECTED}${text}`);
    try {
      // History is kept from now on.
      await nexus.report(0, 'check', '--fix');
      await isWarnedOf(nexus, 'backup-missing', 'nexus3 backup create track');
      await succeeds(nexus, 'backup', 'create', 'track', '--no-verify');
      await isWarnedOf(nexus, 'backup-unverified', 'nexus3 backup verify track');
      await succeeds(nexus, 'backup', 'verify', 'track');
      expect(await nexus.findings('track')).toEqual([]);
      const report = await nexus.report(0, 'status', 'track');
      expect(report.environments[0]?.backup?.verifiedAt).toMatch(/^20/);
      await makeTheNewestAnOldOne(nexus);
      expect(await nexus.findings('track')).toEqual(['backup-stale vault', 'backup-unverified vault']);
      await succeeds(nexus, 'backup', 'create', 'track');
      expect(await nexus.findings('track')).toEqual([]);
    } finally {
      await nexus.editYaml((text) => text.replace(EXPECTED, ''));
      await nexus.report(0, 'check', '--fix');
    }
  });
}

async function isWarnedOf(nexus: Nexus, code: FindingCode, remedy: string): Promise<void> {
  expect(await nexus.findings('track')).toEqual([`${code} vault`]);
  const left = await nexus.report(0, 'check', 'track', '--fix');
  expect(left.applied).toBe(0);
  expect(findingOf(left, 'track', code)).toMatchObject({ severity: 'warning', fixable: false, remedy });
}

async function makeTheNewestAnOldOne(nexus: Nexus): Promise<void> {
  await using world = await nexus.world();
  await using _lock = await world.backups.acquire('test', () => undefined);
  for (const { id } of await world.backups.list('track')) await world.backups.remove('track', id);
  await world.backups.write(newBackup({ createdAt: new Date('2026-01-08T12:00:00Z') }), chunksOf(Buffer.from('old')));
}

async function succeeds(nexus: Nexus, ...words: readonly string[]): Promise<void> {
  const { code, err } = await nexus.run(...words);
  expect(code, err).toBe(0);
}
