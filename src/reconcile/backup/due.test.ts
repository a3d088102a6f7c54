import { describe, expect, it } from 'vitest';
import { manifestOf } from '../../../test/support/listed-backups.js';
import { stillWorld } from '../../../test/support/still-world.js';
import type { LatestBackups } from '../../backup/backups.js';
import { Nexus3Error } from '../../errors.js';
import { SILENT } from '../../progress.js';
import type { World } from '../world.js';
import { createBackups } from './create.js';
import { dueAmong, unverifiedAmong } from './due.js';

/** It is noon of 8 January there. @param newest ISO 8601, by environment */
function world(schedule: string | undefined, newest: Readonly<Record<string, string>> = {}): World {
  const still = stillWorld('/nowhere');
  const backup = { ...still.configuration.backup, schedule };
  const latest = (env: string): Promise<LatestBackups> => {
    const at = newest[env];
    return Promise.resolve({
      newest: at && manifestOf(at, { env, verifiedAt: at }),
      verified: undefined,
      damaged: 0,
    } as unknown as LatestBackups);
  };
  const acquire = (): Promise<AsyncDisposable> => Promise.resolve({ [Symbol.asyncDispose]: () => Promise.resolve() });
  const parts = { latest, acquire };
  return { ...still, configuration: { ...still.configuration, backup }, backups: { ...still.backups, ...parts } };
}

async function due(of: World): Promise<readonly string[]> {
  return (await dueAmong(of, of.configuration.environments)).map(({ name }) => name);
}

describe('backup create --due', () => {
  it('is for those whose newest backup is older than the latest time of the schedule, or who have none', async () => {
    const newest = { user: '2026-01-08T11:59:00Z', track: '2026-01-08T09:59:59Z' };
    expect(await due(world('30 * * * *', newest))).toEqual(['track', 'locker']);
    expect(await due(world('*/15 * * * *', newest))).toEqual(['user', 'track', 'locker']);
  });

  it('takes one that was found damaged for made: not each run makes another one', async () => {
    const of = world('0 * * * *', {});
    const failed = manifestOf('2026-01-08T12:00:00Z');
    const latest = (): Promise<LatestBackups> =>
      Promise.resolve({ newest: undefined, verified: undefined, failed, damaged: 0, inFuture: 0 });
    expect(await due({ ...of, backups: { ...of.backups, latest } })).toEqual([]);
  });

  it('makes up for a verification that could not be made, and not for one that failed', async () => {
    const newest = manifestOf('2026-01-08T12:00:00Z');
    const verified = manifestOf('2026-01-08T12:00:00Z', { verifiedAt: '2026-01-08T12:00:01.000Z' });
    const failed = manifestOf('2026-01-08T12:00:10Z');
    const nothing = { newest: undefined, verified: undefined, failed: undefined, damaged: 0, inFuture: 0 };
    const latest: Record<string, LatestBackups> = {
      track: { ...nothing, newest },
      user: { ...nothing, newest: verified, verified },
      locker: { ...nothing, newest, failed },
    };
    const of = world('0 * * * *');
    const backups = { ...of.backups, latest: (env: string) => Promise.resolve(latest[env] ?? nothing) };
    const found = await unverifiedAmong({ ...of, backups }, of.configuration.environments);
    expect(found.map(({ environment }) => environment.name)).toEqual(['track']);
  });

  it('pushes what an earlier run could not, though nothing is due', async () => {
    const at = '2026-01-08T12:00:00Z';
    const of = world('0 * * * *', { user: at, track: at, locker: at });
    const noted: string[] = [];
    const pushes = {
      owed: () => Promise.resolve({ since: at, code: null }),
      owe: (code: string | null) => Promise.resolve(void noted.push(`owed ${String(code)}`)),
      done: () => Promise.resolve(void noted.push('done')),
    };
    const push = (): Promise<never> => Promise.reject(new Nexus3Error('RESTIC_FAILED', 'It failed.', { hint: '-' }));
    const target = { repository: 'sftp:host:/x', push, pull: push };
    const options = { envs: [], all: true, verify: false, due: true, version: '0.1.0' };
    const failing = { ...of, backups: { ...of.backups, target, pushes } };
    expect(await createBackups(failing, options, SILENT)).toMatchObject({ ok: false, pushed: { ok: false } });
    const good = { ...target, push: () => Promise.resolve({ snapshot: 'ab', bytesAdded: 1 }) };
    const working = { ...failing, backups: { ...failing.backups, target: good } };
    expect(await createBackups(working, options, SILENT)).toMatchObject({ ok: true, pushed: { ok: true } });
    expect(noted).toEqual(['owed RESTIC_FAILED', 'done']);
  });

  it('does nothing, and asks no server, where nothing is due', async () => {
    const at = '2026-01-08T12:00:00Z';
    const of = world('0 * * * *', { user: at, track: at, locker: at });
    const options = { envs: [], all: true, verify: true, due: true, version: '0.1.0' };
    expect(await createBackups(of, options, SILENT)).toMatchObject({ ok: true, environments: [], pushed: null });
  });

  it('needs a schedule', async () => {
    await expect(due(world(undefined))).rejects.toMatchObject({ code: 'USAGE' });
  });
});
