import { describe, expect, it } from 'vitest';
import type { CreatedBackup } from '../../reconcile/backup/report.js';
import { renderBackupCreate, renderBackupVerify } from './backup.js';
import { makePaint } from './paint.js';

const BACKUP: NonNullable<CreatedBackup['backup']> = {
  id: '20260108T120000Z-1a2b',
  createdAt: '2026-01-08T12:00:00.000Z',
  bytes: 104_857_600,
  sha256: 'ab'.repeat(32),
  encrypted: true,
  keys: 4_711,
  graphs: 2,
  verifiedAt: '2026-01-08T12:00:02.000Z',
  loadMs: 1_340,
};
const MADE: CreatedBackup = {
  name: 'track',
  ok: true,
  backup: BACKUP,
  durationMs: 1_100,
  archived: { files: 2, bytes: 2_048 },
  comparedWithVault: true,
  warnings: [],
  error: null,
};
const ERROR = {
  code: 'BACKUP_UNTRUE',
  message: 'The backup 20260108T120000Z-1a2b of kb does not hold what its manifest says.',
  evidence: ['database 0: 5 lasting keys expected, 4 found'],
  hint: 'Do not rely on it. Make another one now: nexus3 backup create kb',
} as const;
const UNVERIFIED = { ...BACKUP, encrypted: false, keys: null, graphs: null, verifiedAt: null, loadMs: null };

const page = (quiet = false) => ({ width: 100, paint: makePaint(false), quiet });

describe('what backup create says', () => {
  const report = {
    ok: false,
    root: '/data/nexus3-backups',
    durationMs: 4_200,
    environments: [
      MADE,
      { ...MADE, name: 'web', backup: UNVERIFIED, archived: { files: 0, bytes: 0 }, comparedWithVault: false },
      { ...MADE, name: 'kb', ok: false, archived: null, warnings: ['A constraint is not in it.'], error: ERROR },
      {
        ...MADE,
        name: 'user',
        ok: false,
        backup: null,
        durationMs: null,
        archived: null,
        error: {
          code: 'BACKUP_FAILED',
          message: 'No backup of user can be taken.',
          evidence: ['it is stopped'],
          hint: 'Start it: nexus3 up user',
        } as const,
      },
    ],
    pushed: { repository: 'sftp:host:/b', ok: true, snapshot: 'c0ffee', bytesAdded: 4_096, error: null },
  };

  it('for each environment', () => {
    expect(renderBackupCreate(report, page()).join('\n')).toMatchInlineSnapshot(`
      "✓ track: 20260108T120000Z-1a2b, 100 MiB, encrypted in 1.1 s
        history: 2.0 KiB in 2 files archived
        verified: loaded in 1.3 s, 4711 keys and 2 graphs, the same as its vault, which has written
        nothing since
      ✓ web: 20260108T120000Z-1a2b, 100 MiB in 1.1 s
        history: nothing new
        not verified: nexus3 backup verify does that
      ✓ kb: 20260108T120000Z-1a2b, 100 MiB, encrypted in 1.1 s
      ! kb: A constraint is not in it.
      ✗ kb: The backup 20260108T120000Z-1a2b of kb does not hold what its manifest says.
          database 0: 5 lasting keys expected, 4 found
        → Do not rely on it. Make another one now: nexus3 backup create kb
      ✗ user: No backup of user can be taken.
          it is stopped
        → Start it: nexus3 up user
      ✓ sftp:host:/b: 4.0 KiB added

      3 backups made in 4.2 s, below /data/nexus3-backups"
    `);
  });

  it('only of what went wrong, quietly', () => {
    expect(renderBackupCreate(report, page(true)).filter((line) => /^[✓✗]/.test(line))).toHaveLength(2);
    expect(renderBackupCreate({ ...report, environments: [MADE] }, page(true))).toEqual([]);
    const warned = { ...MADE, warnings: ['A constraint is not in it.'] };
    expect(renderBackupCreate({ ...report, environments: [warned] }, page(true))).toEqual([
      '! track: A constraint is not in it.',
    ]);
  });

  it('of a target that cannot be reached', () => {
    const pushed = { repository: 'sftp:host:/b', ok: false, snapshot: null, bytesAdded: null, error: ERROR };
    expect(renderBackupCreate({ ...report, environments: [MADE], pushed }, page()).join('\n')).toContain(
      '✗ sftp:host:/b:',
    );
  });
});

describe('what backup verify says', () => {
  const report = {
    ok: false,
    root: '/data/nexus3-backups',
    durationMs: 2_000,
    environments: [
      { name: 'track', ok: true, backup: BACKUP, comparedWithVault: false, notRecorded: ERROR, error: null },
      { name: 'kb', ok: false, backup: BACKUP, comparedWithVault: false, notRecorded: null, error: ERROR },
      { name: 'user', ok: false, backup: null, comparedWithVault: false, notRecorded: null, error: ERROR },
    ],
  };

  it('for each environment', () => {
    expect(renderBackupVerify(report, page()).join('\n')).toMatchInlineSnapshot(`
      "✓ track: 20260108T120000Z-1a2b, 100 MiB
        verified: loaded in 1.3 s, 4711 keys and 2 graphs
        ! This could not be written into its manifest: The backup 20260108T120000Z-1a2b of kb does not
          hold what its manifest says.
      ✗ kb: 20260108T120000Z-1a2b: The backup 20260108T120000Z-1a2b of kb does not hold what its manifest
        says.
          database 0: 5 lasting keys expected, 4 found
        → Do not rely on it. Make another one now: nexus3 backup create kb
      ✗ user: The backup 20260108T120000Z-1a2b of kb does not hold what its manifest says.
          database 0: 5 lasting keys expected, 4 found
        → Do not rely on it. Make another one now: nexus3 backup create kb

      1 backup verified in 2.0 s."
    `);
  });

  it('only of what went wrong, quietly', () => {
    expect(renderBackupVerify(report, page(true)).filter((line) => /^[✓✗]/.test(line))).toHaveLength(2);
  });
});
