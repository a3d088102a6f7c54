/** What a run of `restore --all` takes for restored already, on a real file system. */
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Change } from '../../../test/support/facts.js';
import { changed, ended, instance } from '../../../test/support/facts.js';
import { stillWorld } from '../../../test/support/still-world.js';
import type { Backups } from '../../backup/backups.js';
import type { ConfiguredEnvironment } from '../../config/configuration.js';
import { Nexus3Error } from '../../errors.js';
import { specOf } from '../desired.js';
import { writeMark } from '../render.js';
import { fillFromSnapshot, stage } from '../vault-data/stage.js';
import type { World } from '../world.js';
import { planAll } from './all.js';
import { planBefore } from './plan.js';
import type { RestoreSource } from './source.js';
import { beginRun, endRunIfDone, noteRestored, restoredBefore } from './run.js';

const INCARNATION = '0123456789abcdef0123456789abcdef';
const SOURCE = {
  kind: 'backup',
  env: 'track',
  id: '20260108T120000Z-1a2b',
  createdAt: '2026-01-08T12:00:00Z',
} as const;
const HOUR_MS = 3_600_000;

let world: World;
let track: ConfiguredEnvironment;
beforeEach(async () => {
  world = stillWorld(await mkdtemp(join(tmpdir(), 'nexus3-run-')));
  const found = world.configuration.environments.find(({ name }) => name !== 'locker');
  if (found === undefined) throw new Error('there is one');
  track = found;
  const spec = specOf(world.configuration, track, 'vault');
  await mkdir(dirname(spec.dataDir), { recursive: true });
  await mkdir(spec.configDir, { recursive: true });
  await stage({ folder: spec.dataDir, incarnation: INCARNATION, owner: undefined }, (appendOnly) =>
    fillFromSnapshot(appendOnly, (path) => writeFile(path, 'a snapshot')),
  );
  await writeMark(spec, { incarnation: INCARNATION, seq: 0, bytes: 0 }, undefined);
});
afterEach(() => rm(world.configuration.dataRoot, { recursive: true }));

const EXPECTED = { databases: [{ db: 0, keys: 10, expiring: 1 }], graphs: [] };
const RESTORED = { env: 'track', by: 'all', source: SOURCE, incarnation: INCARNATION, expected: EXPECTED } as const;
const before = (newest: RestoreSource | undefined): ReturnType<typeof restoredBefore> =>
  restoredBefore(world, track, () => Promise.resolve(newest));
const restored = (): Promise<readonly string[]> => noteRestored(world, { ...RESTORED, env: track.name });

it('what it has noted, until that is too long ago', async () => {
  await beginRun(world, [track.name]);
  expect(await before(SOURCE)).toBeUndefined();
  await restored();
  expect(await before(SOURCE)).toEqual({
    by: 'all',
    source: SOURCE,
    keys: 10,
    restoredAt: world.clock.now().toISOString(),
  });
  await world.clock.sleep(24 * HOUR_MS);
  expect(await before(SOURCE)).toBeDefined();
  await world.clock.sleep(1);
  expect(await before(SOURCE)).toBeUndefined();
});

it('not where another backup would be taken by now, or what was restored is gone or another vault’s', async () => {
  await beginRun(world, [track.name]);
  await restored();
  expect(await before({ ...SOURCE, id: '20260109T120000Z-1a2b' })).toBeUndefined();
  const { dataDir } = specOf(world.configuration, track, 'vault');
  await rm(join(dataDir, 'appendonlydir'), { recursive: true });
  expect(await before(SOURCE), 'the guard holds it').toBeUndefined();
  await rm(dataDir, { recursive: true });
  expect(await before(SOURCE)).toBeUndefined();
});

it('what was written since is no reason: a backup made after it takes nothing from it', async () => {
  await beginRun(world, [track.name]);
  await restored();
  const since = { ...SOURCE, id: '20260108T120001Z-1a2b', createdAt: '2026-01-08T12:00:01Z' } as const;
  expect(await before(since)).toMatchObject({ source: SOURCE });
});

const folder = (): string => join(world.configuration.dataRoot, '.restore-all');

it('nothing where no run is unfinished; one ends with the last that it set out to restore, whatever backups there are now', async () => {
  await restored();
  expect(await before(SOURCE)).toBeUndefined();
  await beginRun(world, [track.name, 'locker', 'removed-since']);
  const noRepository = {
    ...world,
    backups: { ...world.backups, list: () => Promise.reject(new Error('nobody should have asked for this')) },
  };
  await restored();
  expect(await endRunIfDone(noRepository)).toEqual([]);
  expect(existsSync(folder()), 'Locker is left to do').toBe(true);
  await noteRestored(world, { ...RESTORED, env: 'locker' });
  expect(await endRunIfDone(noRepository)).toEqual([]);
  expect(existsSync(folder())).toBe(false);
  expect(await endRunIfDone(noRepository)).toEqual([]);
});

it('what an earlier run has restored is not what this one set out to do', async () => {
  await beginRun(world, [track.name, 'locker']);
  await restored();
  await world.clock.sleep(24 * HOUR_MS + 1);
  await noteRestored(world, { ...RESTORED, env: 'locker', by: 'name' });
  expect(await endRunIfDone(world)).toEqual([]);
  expect(existsSync(folder())).toBe(true);
});

it('that it cannot be forgotten is said, and is no failure of what was restored', async () => {
  await beginRun(world, [track.name]);
  await restored();
  await mkdir(join(world.configuration.dataRoot, '.restore-all.ended', 'full'), { recursive: true });
  const warning = `While ${folder()} is there, the next --all leaves what it restored as it is`;
  expect(await endRunIfDone(world)).toEqual([expect.stringContaining(warning)]);
  expect(existsSync(folder())).toBe(true);
});

it('a run of which nobody knows what it set out to do does not end by name', async () => {
  await beginRun(world, [track.name]);
  await restored();
  await rm(join(folder(), '.run.json'));
  expect(await endRunIfDone(world)).toEqual([]);
  expect(existsSync(folder())).toBe(true);
});

it('one that was restored by name since is never restored over, whatever it was restored from, and that is said', async () => {
  await beginRun(world, [track.name]);
  const past = { kind: 'history', env: track.name, at: '2026-01-07T12:00:00Z' } as const;
  await noteRestored(world, { ...RESTORED, env: track.name, by: 'name', source: past });
  expect(await before(SOURCE)).toMatchObject({ by: 'name', source: past });
  expect(await before(undefined)).toMatchObject({ by: 'name', source: past });
  // Nor does it fail for a backup that nobody needs.
  const problem = new Nexus3Error('BACKUP_INVALID', 'No.', { hint: '' });
  const list: Backups['list'] = (env) => Promise.resolve([{ id: SOURCE.id, env, problem }]);
  const environments = world.configuration.environments.filter(({ name }) => name === track.name);
  const planned = await planAll({
    ...world,
    configuration: { ...world.configuration, environments },
    backups: { ...world.backups, list, read: () => Promise.reject(problem) },
  });
  expect(planned).toMatchObject([{ way: 'skip', source: past }]);
  expect(planned[0]?.warnings).toEqual([
    `It was restored by name since, at 2026-01-08T12:00:00.000Z (what it held at ${past.at}), with 10 keys: it is not restored over. To do so: nexus3 restore ${track.name}`,
  ]);
});

it('the plan says how much one that was restored holds now, and warns where that is nothing', () => {
  const restoredAt = '2026-01-08T12:00:00.000Z';
  const warnings = (keys: number | null, ...changes: readonly Change[]): readonly string[] =>
    planBefore(changed(...changes), { by: 'all', source: SOURCE, restoredAt, keys }).warnings;
  const emptied = instance('vault', ({ view }) =>
    view?.state === 'open' ? { view: { ...view, server: { ...view.server, keyspace: [] } } } : {},
  );
  const how = `This run of --all, which was cut off, restored it at ${restoredAt}`;
  const again = 'it is not restored once more. To do so: nexus3 restore track';
  expect(warnings(10)).toEqual([`${how}, with 10 keys (it holds 12 keys now): ${again}`]);
  expect(warnings(10, ended('vault'))).toEqual([`${how}, with 10 keys: ${again}`]);
  expect(warnings(null)).toEqual([`${how} (it holds 12 keys now): ${again}`]);
  expect(warnings(0, emptied)).toEqual([`${how}, with 0 keys (it holds 0 keys now): ${again}`]);
  expect(warnings(10, emptied)).toEqual([
    `${how}, with 10 keys (it holds 0 keys now): ${again}`,
    'It holds nothing any more of what it was restored with. To restore it again: nexus3 restore track',
  ]);
});
