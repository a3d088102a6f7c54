/** What is kept aside, on a real file system. */
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { stillWorld } from '../../test/support/still-world.js';
import { INCARNATION } from '../../test/support/facts.js';
import { BIRTH_FILE, CONFIG_FILE, layoutOf } from '../protocol/layout.js';
import { SILENT } from '../progress.js';
import { discardKept, listAside } from './aside.js';
import { UNARCHIVED_FILE } from './vault-data/aside.js';
import type { World } from './world.js';

const OLD = 'kept-vault-2025-12-01T00-00-00-000Z';
const NEW = 'kept-undone-2026-01-08T11-00-00-000Z';
const FOUND = 'kept-vault-2026-01-08T11-00-00-001Z-found';
const STRANGE = 'kept-by-hand';
const ALL = { envs: [], all: true, olderThanDays: undefined, yes: true } as const;

let world: World;
let env: string;
let aside: string;
beforeEach(async () => {
  const dataRoot = await mkdtemp(join(tmpdir(), 'nexus3-aside-'));
  world = stillWorld(dataRoot);
  env = world.configuration.environments.find(({ name }) => name !== 'locker')?.name ?? '';
  aside = join(dataRoot, env, 'aside');
  await serves();
  for (const name of [OLD, NEW, FOUND, STRANGE]) {
    await mkdir(join(aside, name, 'appendonlydir'), { recursive: true });
    await writeFile(join(aside, name, 'appendonlydir', 'base'), Buffer.alloc(100_000, 'x'));
  }
});
afterEach(() => rm(world.configuration.dataRoot, { recursive: true }));

/** A vault that its guard lets up. */
async function serves(): Promise<void> {
  const { vault } = layoutOf(world.configuration.dataRoot, env).config;
  const data = layoutOf(world.configuration.dataRoot, env).data.vault;
  for (const folder of [vault, data]) await mkdir(folder, { recursive: true });
  await writeFile(join(vault, CONFIG_FILE.mark), `${INCARNATION} 0 0\n`);
  await writeFile(join(data, BIRTH_FILE), `unborn ${INCARNATION}\n`);
}

async function outcomes(days?: number, yes = false): Promise<readonly unknown[]> {
  const { environments } = await discardKept(world, { ...ALL, olderThanDays: days, yes }, SILENT);
  return environments.flatMap(({ kept }) => kept.map(({ reason, outcome }) => `${reason} ${outcome}`));
}

it('is listed with when, why and how much', async () => {
  const { environments } = await listAside(world, [env]);
  expect(environments).toMatchObject([
    {
      name: env,
      neededBy: null,
      kept: [
        { path: join(aside, STRANGE), keptAt: null, reason: 'other', outcome: 'stays' },
        { path: join(aside, OLD), keptAt: '2025-12-01T00:00:00.000Z', reason: 'vault' },
        { path: join(aside, NEW), keptAt: '2026-01-08T11:00:00.000Z', reason: 'undone' },
        { path: join(aside, FOUND), reason: 'found' },
      ],
    },
  ]);
  for (const { bytes } of environments[0]?.kept ?? []) {
    expect(bytes).toBeGreaterThanOrEqual(100_000);
    expect(bytes).toBeLessThan(200_000);
  }
});

it('goes only with a yes, and only what is old enough', async () => {
  expect(await outcomes()).toEqual(['other goes', 'vault goes', 'undone goes', 'found goes']);
  expect(await outcomes(30)).toEqual(['other stays', 'vault goes', 'undone stays', 'found stays']);
  expect(existsSync(join(aside, OLD))).toBe(true);
  expect(await outcomes(30, true)).toEqual(['other stays', 'vault discarded', 'undone stays', 'found stays']);
  expect([OLD, NEW, FOUND, STRANGE].map((name) => existsSync(join(aside, name)))).toEqual([false, true, true, true]);
  // What a run that was killed has left goes with the rest.
  await mkdir(join(aside, 'discarded-7', 'appendonlydir'), { recursive: true });
  await outcomes(undefined, true);
  expect(existsSync(aside)).toBe(false);
});

it.each([
  ['a restore', 'restore.json', 'restore'],
  ['a recovery of the vault', 'aside/vault-attempt', 'recover'],
  ['a recovery of the operational', 'aside/operational-2026-01-08T11-00-00-000Z', 'recover'],
])('stays as long as %s is not finished', async (_, path, neededBy) => {
  await writeFile(join(aside, '..', path), '');
  const { environments } = await discardKept(world, ALL, SILENT);
  expect(environments.find(({ name }) => name === env)).toMatchObject({ neededBy });
  for (const name of [OLD, NEW, FOUND, STRANGE]) expect(existsSync(join(aside, name)), name).toBe(true);
});

it('is not needed by a restore that was killed before it changed anything', async () => {
  await mkdir(join(aside, 'vault-restored'));
  await discardKept(world, ALL, SILENT);
  expect(existsSync(join(aside, OLD))).toBe(false);
  expect(existsSync(join(aside, 'vault-restored'))).toBe(true);
});

it.each([
  ['holds', 'the data folder was emptied', [BIRTH_FILE]],
  // As where `recover --accept-loss` was cut off after it had kept what the operational held.
  ['knows nothing of', 'neither data nor a mark is there', [BIRTH_FILE, CONFIG_FILE.mark]],
])('stays as long as the guard %s the vault: %s', async (_, __, lost) => {
  const { config, data } = layoutOf(world.configuration.dataRoot, env);
  for (const name of lost)
    for (const folder of [config.vault, data.vault]) await rm(join(folder, name), { force: true });
  const { environments } = await discardKept(world, ALL, SILENT);
  expect(environments.find(({ name }) => name === env)).toMatchObject({ neededBy: 'guard' });
  for (const name of [OLD, NEW, FOUND, STRANGE]) expect(existsSync(join(aside, name)), name).toBe(true);
});

it('stays where its history is in no archive, until that is taken back', async () => {
  await writeFile(join(aside, OLD, UNARCHIVED_FILE), '');
  expect(await outcomes(undefined, true)).toEqual([
    'other discarded',
    'vault stays',
    'undone discarded',
    'found discarded',
  ]);
  expect((await listAside(world, [env])).environments[0]?.kept).toMatchObject([{ unarchived: true }]);
  await rm(join(aside, OLD, UNARCHIVED_FILE));
  expect(await outcomes(undefined, true)).toEqual(['vault discarded']);
});

it('is refused in our words where it cannot be looked at', async () => {
  await rm(aside, { recursive: true });
  await symlink(aside, aside);
  await expect(listAside(world, [env])).rejects.toMatchObject({
    code: 'FILE_NOT_WRITABLE',
    evidence: [`ELOOP on ${aside}`],
  });
});
