import { describe, expect, it } from 'vitest';
import { TRACK } from '../../../test/support/facts.js';
import { manifestOf } from '../../../test/support/listed-backups.js';
import { stillWorld } from '../../../test/support/still-world.js';
import type { Backups, LatestBackups } from '../../backup/backups.js';
import { Nexus3Error } from '../../errors.js';
import type { World } from '../world.js';
import { backupFacts, lookAtBackups } from './look.js';

const BOUNDS = { staleAfterHours: 48, unverifiedAfterHours: 168 };
const NOW = new Date('2026-01-08T12:00:00Z');
const WINDOW = { from: '2026-01-07T00:00:00Z', to: '2026-01-08T12:00:00Z', source: 'vault' } as const;

describe('what a look at backups tells', () => {
  const of = (latest: Partial<LatestBackups>): ReturnType<typeof backupFacts> =>
    backupFacts(
      { newest: undefined, verified: undefined, failed: undefined, damaged: 0, inFuture: 0, ...latest },
      [],
      BOUNDS,
      NOW,
    );

  it('is nothing where there is none', () => {
    expect(of({})).toEqual({
      ...{ newest: undefined, verified: undefined, newestIsVerified: false, failed: undefined },
      ...{ damaged: 0, inFuture: 0, unreadable: undefined, push: undefined },
      ...{ window: undefined },
    });
  });

  it.each([
    ['2026-01-06T12:00:00Z', 48, false],
    ['2026-01-06T11:59:59Z', 48, true],
    ['2026-01-08T11:30:00Z', 0, false],
    ['2026-01-09T00:00:00Z', 0, false],
  ])('of %s that it is %d hours old, and old: %s', (at, hours, isOld) => {
    const newest = manifestOf(at);
    expect(of({ newest }).newest).toEqual({ at: newest.createdAt, hours, hoursMax: 48, isOld });
  });

  it('is when it was verified, not when it was made', () => {
    const verified = manifestOf('2025-12-01T00:00:00Z', { verifiedAt: '2026-01-01T11:00:00.000Z' });
    const newest = manifestOf('2026-01-08T00:00:00Z');
    expect(of({ newest, verified })).toMatchObject({
      verified: { at: '2026-01-01T11:00:00.000Z', hours: 169, hoursMax: 168, isOld: true },
      newestIsVerified: false,
    });
    expect(of({ newest: verified, verified }).newestIsVerified).toBe(true);
  });

  it('is the window that reaches furthest into the present', () => {
    const archived = { from: '2026-01-01T00:00:00Z', to: '2026-01-02T00:00:00Z', source: 'archive' } as const;
    const latest = { newest: undefined, verified: undefined, failed: undefined, damaged: 0, inFuture: 0 };
    expect(backupFacts(latest, [archived, WINDOW], BOUNDS, NOW).window).toEqual(WINDOW);
  });
});

describe('a look', () => {
  const boom = (error: Error) => (): Promise<never> => Promise.reject(error);
  const rootKeyMissing = new Nexus3Error('ROOT_KEY_MISSING', 'There is no root key.', { hint: '…' });

  function world(configured: boolean, parts: Partial<Backups> = {}): World {
    const still = stillWorld('/nowhere');
    const backup = { ...still.configuration.backup, configured };
    return { ...still, configuration: { ...still.configuration, backup }, backups: { ...still.backups, ...parts } };
  }

  it('asks nothing where nothing is expected', async () => {
    const asked = boom(new Error('nobody should have asked'));
    expect(await lookAtBackups(world(false, { latest: asked }), TRACK)).toBeUndefined();
  });

  it('says that there is none', async () => {
    expect(await lookAtBackups(world(true), TRACK)).toMatchObject({ newest: undefined, window: undefined });
  });

  it('is not known where there is no root key', async () => {
    expect(await lookAtBackups(world(true, { latest: boom(rootKeyMissing) }), TRACK)).toBeUndefined();
  });

  it.each([
    [Object.assign(new Error('not allowed'), { code: 'EACCES' }), 'EACCES on /nowhere'],
    [
      new Nexus3Error('FILE_NOT_WRITABLE', 'It cannot be read.', { evidence: ['EIO on /x'], hint: '…' }),
      'It cannot be read. EIO on /x',
    ],
  ])('says that the repository cannot be read: %s', async (error, unreadable) => {
    expect(await lookAtBackups(world(true, { latest: boom(error) }), TRACK)).toMatchObject({
      newest: undefined,
      unreadable,
    });
  });

  it('is told without its window where that cannot be had', async () => {
    const history = { ...stillWorld('/nowhere').backups.history, windows: boom(rootKeyMissing) };
    expect(await lookAtBackups(world(true, { history }), TRACK)).toMatchObject({ damaged: 0, window: undefined });
  });

  it.each([
    ['2026-01-08T11:00:00.000Z', null, false],
    ['2026-01-08T11:00:00.000Z', 'RESTIC_FAILED', true],
    ['2026-01-07T11:59:59.000Z', null, true],
  ] as const)('tells since when a push is owed: %s, %s', async (since, code, isLate) => {
    const { backups } = stillWorld('/nowhere');
    const pushes = { ...backups.pushes, owed: () => Promise.resolve({ since, code }) };
    const target = { repository: 'sftp:host:/x', push: boom(new Error('-')), pull: boom(new Error('-')) };
    expect(await lookAtBackups(world(true, { pushes, target }), TRACK)).toMatchObject({
      push: { since, code, isLate },
    });
    expect((await lookAtBackups(world(true, { pushes }), TRACK))?.push).toBeUndefined();
  });

  it('does not hide a defect', async () => {
    await expect(lookAtBackups(world(true, { latest: boom(new TypeError('x')) }), TRACK)).rejects.toThrow(TypeError);
  });
});
