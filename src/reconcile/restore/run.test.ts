/** What a run of `restore --all` takes for restored already, on a real file system. */
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { stillWorld } from '../../../test/support/still-world.js';
import type { ConfiguredEnvironment } from '../../config/configuration.js';
import { specOf } from '../desired.js';
import { writeMark } from '../render.js';
import { fillFromSnapshot, stage } from '../vault-data/stage.js';
import type { World } from '../world.js';
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

const RESTORED = { env: 'track', source: SOURCE, incarnation: INCARNATION };
const restored = (): Promise<readonly string[]> => noteRestored(world, { ...RESTORED, env: track.name });

it('what it has noted, until that is too long ago', async () => {
  await beginRun(world, [track.name]);
  expect(await restoredBefore(world, track, SOURCE)).toBeUndefined();
  await restored();
  expect(await restoredBefore(world, track, SOURCE)).toEqual({
    source: SOURCE,
    restoredAt: world.clock.now().toISOString(),
  });
  await world.clock.sleep(24 * HOUR_MS);
  expect(await restoredBefore(world, track, SOURCE)).toBeDefined();
  await world.clock.sleep(1);
  expect(await restoredBefore(world, track, SOURCE)).toBeUndefined();
});

it('not where another backup would be taken by now, or what was restored is gone or another vault’s', async () => {
  await beginRun(world, [track.name]);
  await restored();
  expect(await restoredBefore(world, track, { ...SOURCE, id: '20260109T120000Z-1a2b' })).toBeUndefined();
  const { dataDir } = specOf(world.configuration, track, 'vault');
  await rm(join(dataDir, 'appendonlydir'), { recursive: true });
  expect(await restoredBefore(world, track, SOURCE), 'the guard holds it').toBeUndefined();
  await rm(dataDir, { recursive: true });
  expect(await restoredBefore(world, track, SOURCE)).toBeUndefined();
});

it('what was written since is no reason: a backup made after it takes nothing from it', async () => {
  await beginRun(world, [track.name]);
  await restored();
  const since = { ...SOURCE, id: '20260108T120001Z-1a2b', createdAt: '2026-01-08T12:00:01Z' } as const;
  expect(await restoredBefore(world, track, since)).toMatchObject({ source: SOURCE });
});

const folder = (): string => join(world.configuration.dataRoot, '.restore-all');

it('nothing where no run is unfinished; one ends with the last that it set out to restore, whatever backups there are now', async () => {
  await restored();
  expect(await restoredBefore(world, track, SOURCE)).toBeUndefined();
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
