import { describe, expect, it } from 'vitest';
import type { Change } from '../../../test/support/facts.js';
import { changed, differing, ended, foreign, healthy, missing } from '../../../test/support/facts.js';
import { Nexus3Error } from '../../errors.js';
import type { RestorePhase } from '../facts.js';
import type { RestoreJournal } from './journal.js';
import { admit, wayOf } from './one.js';
import type { Opened } from './opened.js';
import type { RestoreSource } from './source.js';

const backup = (id: string): RestoreSource => ({ kind: 'backup', env: 'track', id, createdAt: '' });
const BEGUN = backup('20260108T120000Z-1a2b');
const OTHER = backup('20260107T120000Z-aaaa');

function journalIn(phase: RestorePhase): RestoreJournal {
  return {
    env: 'track',
    by: 'name',
    phase,
    startedAt: '2026-01-08T12:00:00.000Z',
    source: BEGUN,
    incarnation: 'a'.repeat(32),
    engine: { kind: 'redis', version: '8.2.3', graphModule: 41_603 },
    expected: { databases: [], graphs: [] },
    kept: 'kept-vault-then',
    keptOperational: null,
    before: { mark: null, engine: null, fenced: false, existed: true, ran: true },
  };
}

function codeOf(work: () => string): string {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof Nexus3Error)) throw error;
    expect(error.hint).not.toBe('');
    return error.code;
  }
}

const REFUSED = 'RESTORE_REFUSED';

describe('what a run does about what an earlier one has begun', () => {
  it.each<[RestorePhase | undefined, [plain: string, same: string, other: string, abort: string]]>([
    [undefined, ['begin', 'begin', 'begin', REFUSED]],
    ['replacing', ['go-on', 'go-on', REFUSED, 'put-back']],
    ['proving', ['go-on', 'go-on', REFUSED, 'put-back']],
    ['opening', ['finish', 'finish', REFUSED, REFUSED]],
    ['taking-back', ['put-back-then-begin', 'put-back-then-begin', 'put-back-then-begin', 'put-back']],
  ])('%s', (phase, expected) => {
    const journal = phase === undefined ? undefined : journalIn(phase);
    const way = (source: RestoreSource | undefined, abort = false): string =>
      codeOf(() => wayOf('track', journal, { by: 'name', abort, source }, 'well'));
    expect([way(undefined), way(BEGUN), way(OTHER), way(undefined, true)]).toEqual(expected);
  });

  it.each<[Opened, [plain: string, same: string, other: string, abort: string]]>([
    ['lost', ['begin', 'begin', 'begin', REFUSED]],
    ['failing', ['finish', 'begin', 'begin', REFUSED]],
  ])('opening, and what was proven is %s since', (opened, expected) => {
    const way = (source: RestoreSource | undefined, abort = false): string =>
      codeOf(() => wayOf('track', journalIn('opening'), { by: 'name', abort, source }, opened));
    expect([way(undefined), way(BEGUN), way(OTHER), way(undefined, true)]).toEqual(expected);
  });
});

describe('what may be restored over', () => {
  const decide = (...changes: readonly Change[]): string =>
    codeOf(() => {
      admit(changed(...changes));
      return 'admitted';
    });

  it('anything of ours, in whatever state', () => {
    expect([decide(), decide(ended('vault')), decide(missing('vault'), missing('operational'))]).toEqual(
      Array.from({ length: 3 }, () => 'admitted'),
    );
    expect(() => {
      admit(healthy());
    }).not.toThrow();
  });

  it('nothing of a stranger’s, and nothing that keeps its data elsewhere', () => {
    expect([decide(foreign('vault')), decide(foreign('operational'))]).toEqual([
      'FOREIGN_INSTANCE',
      'FOREIGN_INSTANCE',
    ]);
    expect([decide(differing('vault', 'mount')), decide(differing('operational', 'mount'))]).toEqual([
      REFUSED,
      REFUSED,
    ]);
  });
});
