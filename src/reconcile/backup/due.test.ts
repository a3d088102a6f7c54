import { describe, expect, it } from 'vitest';
import { manifestOf } from '../../../test/support/listed-backups.js';
import { stillWorld } from '../../../test/support/still-world.js';
import type { LatestBackups } from '../../backup/backups.js';
import { SILENT } from '../../progress.js';
import type { World } from '../world.js';
import { createBackups } from './create.js';
import { dueAmong } from './due.js';

/** It is noon of 8 January there. @param newest ISO 8601, by environment */
function world(schedule: string | undefined, newest: Readonly<Record<string, string>> = {}): World {
  const still = stillWorld('/nowhere');
  const backup = { ...still.configuration.backup, schedule };
  const latest = (env: string): Promise<LatestBackups> => {
    const at = newest[env];
    return Promise.resolve({
      newest: at && manifestOf(at, { env }),
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
