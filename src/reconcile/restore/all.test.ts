/** What `restore` does when there is a place off this machine: whom it asks, and what it does when nobody answers. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { believable } from '../../../test/support/manifests.js';
import { stillWorld } from '../../../test/support/still-world.js';
import type { Backups, ListedBackup, Target } from '../../backup/backups.js';
import { Nexus3Error } from '../../errors.js';
import { SILENT } from '../../progress.js';
import type { World } from '../world.js';
import { planAll, restoreAll } from './all.js';
import { plannedReport } from './report.js';
import { isPullNeeded } from './request.js';

let dataRoot: string;
beforeAll(async () => {
  dataRoot = await mkdtemp(join(tmpdir(), 'nexus3-restore-'));
});
afterAll(() => rm(dataRoot, { recursive: true }));

const UNREACHABLE = new Nexus3Error('RESTIC_FAILED', 'Nobody answers.', { hint: 'Wait.' });
const REFUSED = new Nexus3Error('DOCKER_UNREACHABLE', 'It got as far as to be restored.', { hint: '' });
const BAD: ListedBackup = {
  id: '20260108T120000Z-1a2b',
  env: 'track',
  problem: new Nexus3Error('BACKUP_INVALID', 'No.', { hint: '' }),
};

function worldWith(backups: Partial<Backups>, pull: Target['pull'] = () => Promise.reject(UNREACHABLE)): World {
  const world = stillWorld(dataRoot);
  const target: Target = { repository: 'sftp:there', push: () => Promise.reject(UNREACHABLE), pull };
  return {
    ...world,
    runtime: { ...world.runtime, observe: () => Promise.reject(REFUSED) },
    backups: { ...world.backups, target, ...backups },
  };
}

describe('whether the target is asked for one environment', () => {
  const NEWEST = { id: undefined, at: undefined };

  it.each([
    ['there is no backup here', [], true],
    ['none here can be believed', [BAD], true],
    ['one here can be believed', [believable()], false],
  ])('%s', async (_, listed, expected) => {
    const world = worldWith({ list: () => Promise.resolve(listed) });
    expect(await isPullNeeded(world, 'track', NEWEST)).toBe(expected);
    expect(await isPullNeeded(world, 'track', { ...NEWEST, id: BAD.id })).toBe(expected);
  });

  it('a second that nothing here covers', async () => {
    const { history } = stillWorld(dataRoot).backups;
    const at = new Date('2026-01-08T12:00:00Z');
    const plan = { at: '', source: 'archive', description: '', bytes: 0 } as const;
    const list = (): Promise<readonly ListedBackup[]> => Promise.resolve([believable()]);
    const covered = worldWith({ list, history: { ...history, plan: () => Promise.resolve(plan) } });
    expect(await isPullNeeded(covered, 'track', { id: undefined, at })).toBe(false);
    const error = new Nexus3Error('TIME_NOT_COVERED', 'No.', { hint: '' });
    const lost = worldWith({ list, history: { ...history, plan: () => Promise.reject(error) } });
    expect(await isPullNeeded(lost, 'track', { id: undefined, at })).toBe(true);
  });
});

describe('restore --all', () => {
  const NONE_BELIEVED = new Nexus3Error('BACKUP_INVALID', 'None can be believed.', { hint: 'Look at them.' });
  const planned = (...good: readonly string[]): ReturnType<typeof planAll> => {
    const world = stillWorld(dataRoot);
    const list = (env: string): Promise<readonly ListedBackup[]> =>
      Promise.resolve(good.includes(env) ? [believable({ env })] : [{ ...BAD, env }]);
    return planAll({ ...world, backups: { ...world.backups, list, read: () => Promise.reject(NONE_BELIEVED) } });
  };

  it('one without a backup that can be believed is planned to fail, and stops no other; only where none is left', async () => {
    const plan = await planned('track', 'locker');
    expect(plan.map(({ env, way }) => [env, way])).toEqual([
      ['user', 'fail'],
      ['track', 'begin'],
      ['locker', 'begin'],
    ]);
    expect(plan[0]?.warnings).toEqual(['It will fail: None can be believed. Look at them.']);
    expect(plannedReport('p_0', plan, 0)).toMatchObject({
      ok: false,
      environments: [
        { env: 'user', outcome: 'failed', error: { code: 'BACKUP_INVALID' } },
        { outcome: 'planned', error: null },
        { outcome: 'planned', error: null },
      ],
    });
    await expect(planned()).rejects.toBe(NONE_BELIEVED);
  });

  const setOut = async (): Promise<unknown> =>
    (JSON.parse(await readFile(join(dataRoot, '.restore-all', '.run.json'), 'utf8')) as Record<string, unknown>)[
      'environments'
    ];

  it('writes down what it sets out to restore', async () => {
    const list = (env: string): Promise<readonly ListedBackup[]> =>
      Promise.resolve(env === 'track' ? [believable({ env })] : []);
    const world = worldWith({ list, target: undefined });
    const environments = world.configuration.environments.filter(({ name }) => name !== 'locker');
    const done = await restoreAll({ ...world, configuration: { ...world.configuration, environments } }, SILENT);
    expect(done.map(({ env, outcome }) => [env, outcome])).toEqual([
      ['user', 'skipped'],
      ['track', 'failed'],
    ]);
    expect(await setOut()).toEqual(['track']);
  });

  it('that its end cannot be noted is a warning, and what it did is still told', async () => {
    const list = async (): Promise<readonly ListedBackup[]> => {
      await mkdir(join(dataRoot, '.restore-all.ended', 'in-the-way'), { recursive: true });
      return [];
    };
    const world = worldWith({ list, target: undefined });
    const environments = world.configuration.environments.filter(({ name }) => name !== 'locker');
    const done = await restoreAll({ ...world, configuration: { ...world.configuration, environments } }, SILENT);
    expect(done.map(({ outcome, warnings }) => [outcome, warnings.length])).toEqual([
      ['skipped', 1],
      ['skipped', 2],
    ]);
  });

  it('a journal that cannot be read fails its own environment only', async () => {
    await mkdir(join(dataRoot, 'user'), { recursive: true });
    await writeFile(join(dataRoot, 'user', 'restore.json'), 'no journal');
    const world = worldWith({ list: (env) => Promise.resolve([believable({ env })]) });
    const environments = world.configuration.environments.filter(({ name }) => name !== 'locker');
    const done = await restoreAll({ ...world, configuration: { ...world.configuration, environments } }, SILENT);
    await rm(join(dataRoot, 'user'), { recursive: true });
    expect(done.map(({ env, error }) => [env, error?.code])).toEqual([
      ['user', 'RESTORE_REFUSED'],
      ['track', 'DOCKER_UNREACHABLE'],
    ]);
  });

  it('asks the target for every environment, also for those that have a backup here', async () => {
    const asked: string[] = [];
    const world = worldWith({ list: () => Promise.resolve([]) }, (envs) => {
      asked.push(...envs);
      return Promise.resolve({ files: 0, damaged: [] });
    });
    const others = world.configuration.environments.filter(({ name }) => name !== 'locker');
    await restoreAll({ ...world, configuration: { ...world.configuration, environments: others } }, SILENT);
    expect(asked).toEqual(others.map(({ name }) => name));
  });

  it('goes on with what is here where the target cannot be reached, and fails what is not', async () => {
    const world = worldWith({});
    const [first, ...rest] = world.configuration.environments.filter(({ name }) => name !== 'locker');
    if (first === undefined) throw new Error('there is one');
    const fresh = { ...first, name: 'fresh' };
    const environments = [fresh, first, ...rest];
    const list = (env: string): Promise<readonly ListedBackup[]> =>
      Promise.resolve(env === 'fresh' ? [] : [believable({ env })]);
    const done = await restoreAll(
      { ...world, configuration: { ...world.configuration, environments }, backups: { ...world.backups, list } },
      SILENT,
    );
    expect(done.map(({ env, error }) => [env, error?.code])).toEqual([
      ['fresh', 'RESTIC_FAILED'],
      ...[first, ...rest].map(({ name }) => [name, 'DOCKER_UNREACHABLE']),
    ]);
    expect(await setOut(), 'what may be fetched later is left to do').toEqual(environments.map(({ name }) => name));
  });
});
