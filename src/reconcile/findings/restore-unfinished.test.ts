import { describe, expect, it } from 'vitest';
import type { Change } from '../../../test/support/facts.js';
import { changed, EMPTIED, ended, folder, missing, replicaLink } from '../../../test/support/facts.js';
import { diagnose } from '../diagnose.js';
import type { RestoreFacts } from '../facts.js';

const FENCED = folder('vault', { fenced: true, drifted: ['users.acl'] });
const restoring =
  (phase: RestoreFacts['phase']): Change =>
  (facts) => ({ ...facts, restore: { phase, source: '20260108T120000Z-1a2b', startedAt: '2026-01-08T12:00:00.000Z' } });

describe('a restore that was cut off: one fault, named once (! is not repaired by --fix)', () => {
  it.each<[string, readonly Change[], readonly string[]]>([
    ['a restore cut off', [restoring('replacing')], ['restore-unfinished vault !']],
    [
      'while the vault was stopped for it, its data moved away',
      [restoring('replacing'), EMPTIED, ended('vault', { exitCode: 78 }), replicaLink({ link: 'down' })],
      ['restore-unfinished vault !'],
    ],
    [
      'while it loaded what was restored, fenced',
      [restoring('proving'), FENCED, replicaLink({ link: 'down' })],
      ['restore-unfinished vault !'],
    ],
    [
      'when there was no vault before',
      [restoring('replacing'), missing('vault'), EMPTIED],
      ['restore-unfinished vault !'],
    ],
    ['while the old data were put back', [restoring('taking-back'), FENCED], ['restore-unfinished vault !']],
    ['by somebody who writes other files', [restoring('unreadable')], ['restore-unfinished vault !']],
    [
      'but its operational may be started, to answer reads',
      [restoring('proving'), ended('operational')],
      ['instance-stopped operational', 'restore-unfinished vault !'],
    ],
    [
      'when all was proven: what is left any repair may do',
      [restoring('opening'), ended('vault')],
      ['instance-stopped vault', 'restore-unfinished vault !'],
    ],
  ])('%s', (_, changes, expected) => {
    const codes = diagnose(changed(...changes)).map(
      ({ finding: { code, instance, fixable } }) => `${code} ${instance}${fixable ? '' : ' !'}`,
    );
    expect(codes.toSorted()).toEqual([...expected].toSorted());
  });

  it.each<[RestoreFacts['phase'], string]>([
    ['replacing', 'Finish it: nexus3 restore track; or put the old data back: nexus3 restore track --abort'],
    ['proving', 'Finish it: nexus3 restore track; or put the old data back: nexus3 restore track --abort'],
    ['opening', 'Finish it: nexus3 restore track'],
    ['taking-back', 'Put the old data back: nexus3 restore track --abort; or try again: nexus3 restore track'],
  ])('%s: the way out is said', (phase, remedy) => {
    const [found] = diagnose(changed(restoring(phase)));
    expect(found?.finding).toMatchObject({ severity: 'error', instance: 'vault', remedy, evidence: { phase } });
  });
});
