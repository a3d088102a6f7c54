import { describe, expect, it } from 'vitest';
import { believable } from '../../../test/support/manifests.js';
import { Nexus3Error } from '../../errors.js';
import { formatTime, isSameSource, newestBelieved, parseTime } from './source.js';

describe('--at', () => {
  it.each([
    ['2026-01-08T12:00:07Z', '2026-01-08T12:00:07Z'],
    ['2026-01-08T13:00:07+01:00', '2026-01-08T12:00:07Z'],
    ['2026-01-08T06:30:07-05:30', '2026-01-08T12:00:07Z'],
    ['2024-02-29T00:00:00Z', '2024-02-29T00:00:00Z'],
  ])('%s is %s', (text, time) => {
    expect(formatTime(parseTime(text))).toBe(time);
  });

  it.each([
    ['2026-01-08T12:00:07.5Z', /not rounded/],
    ['2026-01-08T12:00:07.000Z', /not rounded/],
    ['2026-01-08T12:00:07', /time zone/],
    ['2026-01-08 12:00:07Z', /ISO 8601/],
    ['2026-01-08T12:00Z', /ISO 8601/],
    ['2026-01-08', /ISO 8601/],
    ['2026-02-30T12:00:07Z', /ISO 8601/],
    ['2025-02-29T12:00:07Z', /ISO 8601/],
    ['2026-01-08T24:00:00Z', /ISO 8601/],
    ['2026-01-08T12:60:00Z', /ISO 8601/],
    ['2026-01-08T12:00:07+25:00', /ISO 8601/],
    ['2026-01-08T12:00:07+0100', /ISO 8601/],
    ['yesterday', /ISO 8601/],
    ['1767873607', /ISO 8601/],
    ['', /ISO 8601/],
    ['x'.repeat(4_000), /ISO 8601/],
  ])('%s is refused', (text, why) => {
    const parse = (): Date => parseTime(text);
    expect(parse).toThrow(Nexus3Error);
    try {
      parse();
    } catch (error) {
      if (!(error instanceof Nexus3Error)) throw error;
      expect(error.code).toBe('USAGE');
      expect(error.evidence.join(' ')).toMatch(why);
      expect(error.message.length).toBeLessThan(200);
    }
  });
});

describe('the newest that can be believed', () => {
  const [oldest, middle, newest] = ['20260106T120000Z-aaaa', '20260107T120000Z-bbbb', '20260108T120000Z-cccc'] as const;
  const createdAt = (id: string) => `${id.slice(0, 4)}-01-${id.slice(6, 8)}T12:00:00.250Z`;
  const verified = (id: string) => believable({ id, createdAt: createdAt(id) });
  const unverified = (id: string) => believable({ id, createdAt: createdAt(id), verification: null, content: null });
  const bad = (id: string) => ({
    id,
    env: 'track',
    problem: new Nexus3Error('BACKUP_INVALID', 'It lies.', { hint: 'Another one.' }),
  });

  it.each([
    ['the newest', [verified(newest), verified(oldest)], newest, 0],
    [
      'a verified one before a newer one that was not, which is said',
      [unverified(newest), verified(oldest)],
      oldest,
      1,
    ],
    ['not one that lies, which is said', [bad(newest), verified(middle), verified(oldest)], middle, 1],
    ['an unverified one, where there is no better', [bad(newest), unverified(middle), unverified(oldest)], middle, 1],
    ['not one dated in the future, which is said', [verified('20270101T120000Z-dddd'), verified(newest)], newest, 1],
    [
      'one dated in the future, with a warning, where there is no other',
      [verified('20270101T120000Z-dddd'), bad(newest)],
      '20270101T120000Z-dddd',
      2,
    ],
    ['none', [bad(newest)], undefined, 0],
    ['nothing', [], undefined, 0],
  ])('%s', (_, backups, id, warnings) => {
    const chosen = newestBelieved(backups, new Date('2026-01-08T13:00:00Z'));
    expect(chosen?.manifest.id).toBe(id);
    expect(chosen?.warnings ?? []).toHaveLength(warnings);
  });
});

describe('two sources', () => {
  const backup = (id: string, env = 'track') => ({ kind: 'backup', env, id, createdAt: '' }) as const;
  const history = (at: string) => ({ kind: 'history', env: 'track', at }) as const;
  it('are the same where they are of one environment, and name one thing', () => {
    expect(isSameSource(backup('a'), { ...backup('a'), createdAt: 'then' })).toBe(true);
    expect(isSameSource(backup('a'), backup('b'))).toBe(false);
    expect(isSameSource(backup('a'), backup('a', 'user'))).toBe(false);
    expect(isSameSource(history('a'), history('a'))).toBe(true);
    expect(isSameSource(history('a'), history('b'))).toBe(false);
    expect(isSameSource(history('a'), backup('a'))).toBe(false);
    expect(isSameSource(backup('a'), history('a'))).toBe(false);
  });
});
