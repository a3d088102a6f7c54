import { describe, expect, it } from 'vitest';
import {
  changed,
  EMPTIED,
  ended,
  folder,
  foreign,
  missing,
  server,
  unreachable,
  view,
} from '../../../test/support/facts.js';
import { whyNotBackUp } from './refuse.js';

const QUIET = { pingAnswered: false, masterauthShown: false };

describe('whether a vault is backed up now', () => {
  it.each([
    ['is well', changed(), undefined],
    ['has an operational that is stopped', changed(ended('operational')), undefined],
    ['has a stranger for an operational', changed(foreign('operational')), undefined],
    ['is a stranger', changed(foreign('vault')), 'FOREIGN_INSTANCE'],
    ['is stopped', changed(ended('vault')), 'BACKUP_FAILED'],
    ['is not there', changed(missing('vault')), 'BACKUP_FAILED'],
    ['is held by the guard', changed(EMPTIED), 'LAST_COPY'],
    ['is fenced', changed(folder('vault', { fenced: true })), 'LAST_COPY'],
    ['is suspiciously empty', changed(server('vault', { keyspace: [], configFile: '' })), 'LAST_COPY'],
    ['does not answer', changed(unreachable('vault')), 'REDIS_UNREACHABLE'],
    ['loads', changed(view('vault', { state: 'loading', anonymous: QUIET })), 'BACKUP_FAILED'],
    [
      'refuses its administrator',
      changed(view('vault', { state: 'locked', anonymous: QUIET, detail: 'WRONGPASS' })),
      'BACKUP_FAILED',
    ],
    ['is a replica', changed(server('vault', { role: 'replica' })), 'BACKUP_FAILED'],
    ['has no backup password', { ...changed(), missingCredentials: ['backup'] as const }, 'LOCKER_CREDENTIAL_MISSING'],
    ['has a Locker that was not asked', { ...changed(), missingCredentials: undefined }, 'LOCKER_CREDENTIAL_MISSING'],
  ])('that %s', (_, facts, code) => {
    const refusal = whyNotBackUp(facts);
    expect(refusal?.code).toBe(code);
    expect(refusal?.hint).not.toBe('');
  });
});
