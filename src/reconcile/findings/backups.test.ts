import { describe, expect, it } from 'vitest';
import { healthy } from '../../../test/support/facts.js';
import { diagnose } from '../diagnose.js';
import type { BackupFacts, BackupMoment } from '../facts.js';

const NOON = '2026-01-08T12:00:00.000Z';

/** Hours since then, of those that nexus3.yaml allows. */
function ago(hours: number, hoursMax: number): BackupMoment {
  return { at: NOON, hours, hoursMax, isOld: hours > hoursMax };
}

/** Five hours ago, and verified then; but for what is told. */
function codesOf(parts: Partial<BackupFacts>): readonly string[] {
  const fine = { newest: ago(5, 48), verified: ago(5, 168), newestIsVerified: true };
  const none = {
    failed: undefined,
    damaged: 0,
    inFuture: 0,
    unreadable: undefined,
    push: undefined,
    window: undefined,
  };
  return diagnose({ ...healthy(), backup: { ...fine, ...none, ...parts } })
    .map(({ finding }) => `${finding.code} ${finding.severity}${finding.fixable ? '' : ' !'} ${finding.remedy}`)
    .toSorted();
}

const MISSING = 'backup-missing warning ! nexus3 backup create track';
const STALE = 'backup-stale warning ! nexus3 backup create track';
const UNVERIFIED = 'backup-unverified warning ! nexus3 backup verify track';
const FAILED = { id: '20260108T120000Z-1a2b', at: NOON, code: 'BACKUP_DAMAGED' } as const;
const NEVER_VERIFIED = { verified: undefined, newestIsVerified: false };

describe('what is said of backups', () => {
  it('is nothing where nexus3.yaml does not expect any', () => {
    expect(diagnose({ ...healthy(), backup: undefined })).toEqual([]);
  });

  it.each<readonly [string, Partial<BackupFacts>, readonly string[]]>([
    ['backed up and verified', {}, []],
    ['a damaged backup, and a sound one before it', { damaged: 1 }, []],
    ['no backup', { newest: undefined, ...NEVER_VERIFIED }, [MISSING]],
    ['only damaged ones', { newest: undefined, ...NEVER_VERIFIED, damaged: 2 }, [MISSING]],
    ['an old backup', { newest: ago(49, 48), verified: ago(49, 168) }, [STALE]],
    ['an old one, verified as long ago: that is one fault', { newest: ago(200, 48), verified: ago(200, 168) }, [STALE]],
    [
      'a newer one that was found damaged',
      { failed: FAILED },
      ['backup-unverified warning ! nexus3 backup create track'],
    ],
    ['only such as are dated in the future', { newest: undefined, ...NEVER_VERIFIED, inFuture: 1 }, [MISSING]],
    [
      'a repository that cannot be read',
      { newest: undefined, ...NEVER_VERIFIED, unreadable: 'EIO' },
      ['backup-missing warning ! nexus3 backup list track'],
    ],
    ['a push under way', { push: { since: NOON, code: null, isLate: false } }, []],
    [
      'a push that failed',
      { push: { since: NOON, code: 'RESTIC_FAILED', isLate: true } },
      ['backup-not-pushed warning ! nexus3 backup push'],
    ],
    ['history as far as it may reach', { history: { bytes: 1_024, bytesMax: 1_024 } }, []],
    [
      'more history than may be kept',
      { history: { bytes: 1_025, bytesMax: 1_024 } },
      ['history-over-bound warning ! nexus3 backup create track'],
    ],
    ['never verified', NEVER_VERIFIED, [UNVERIFIED]],
    ['verified long ago, and made since', { verified: ago(169, 168), newestIsVerified: false }, [UNVERIFIED]],
    ['verified lately, and made since', { verified: ago(29, 168), newestIsVerified: false }, []],
    ['an old one that was never verified', { newest: ago(49, 48), ...NEVER_VERIFIED }, [STALE, UNVERIFIED]],
  ])('%s', (_, parts, expected) => {
    expect(codesOf(parts)).toEqual(expected);
  });

  it('is told with what was measured', () => {
    const [diagnosis] = diagnose({
      ...healthy(),
      backup: {
        newest: undefined,
        ...NEVER_VERIFIED,
        failed: undefined,
        damaged: 2,
        inFuture: 0,
        unreadable: undefined,
        push: undefined,
        window: undefined,
      },
    });
    expect(diagnosis?.finding.message).toBe('it has no backup that can be used: none can be read or believed');
    expect(diagnosis?.finding.evidence).toEqual({ damaged: 2, inFuture: 0 });
  });
});
