/** What is not archived goes only where it must. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { configurationOf, TRACK } from '../../../test/support/facts.js';
import { stillWorld, type StillWorldParts } from '../../../test/support/still-world.js';
import { Nexus3Error } from '../../errors.js';
import { instanceKey } from '../../protocol/environment.js';
import type { Progress } from '../../progress.js';
import type { InstanceRuntimeState } from '../../runtime/runtime.js';
import type { World } from '../world.js';
import { boundedAnyway, boundHistory } from './bound-history.js';

const GONE = /^History beyond historyBytesMax is gone .* \(3 files, 5 B\)\.$/;
/** Twice that is more than any disk has free, or less. */
const [LARGE, SMALL] = [2 ** 60, 1_000];

let dataRoot: string;
beforeEach(async () => {
  dataRoot = await mkdtemp(join(tmpdir(), 'nexus3-bound-'));
  await mkdir(join(dataRoot, 'track', 'vault'), { recursive: true });
});
afterEach(() => rm(dataRoot, { recursive: true }));

interface Story {
  readonly bytes: number;
  readonly bytesMax?: number;
  readonly runtime?: StillWorldParts['runtime'];
}

function holding({ bytes, bytesMax = SMALL, runtime = {} }: Story): World {
  const plain = stillWorld(dataRoot, { runtime });
  const { backup, ...configuration } = configurationOf(dataRoot);
  const history = {
    ...plain.backups.history,
    bytesInVault: () => Promise.resolve(bytes),
    pruneVault: () => Promise.resolve({ files: 3, bytes: 5 }),
  };
  return {
    ...plain,
    configuration: { ...configuration, backup: { ...backup, configured: true, historyBytesMax: bytesMax } },
    backups: { ...plain.backups, history },
  };
}

const observed = (aspects: readonly string[]): StillWorldParts['runtime'] => ({
  observe: ([spec]) => {
    if (spec === undefined) throw new Error('one is asked for');
    const differences = aspects.map((aspect) => ({ aspect }));
    const state = { id: spec.id, state: 'running', differences } as unknown as InstanceRuntimeState;
    return Promise.resolve({ network: 'not-applicable', instances: new Map([[instanceKey(spec.id), state]]) });
  },
});

it.each([
  ['stays up to its bound', { bytes: SMALL }, undefined],
  ['stays up to twice its bound', { bytes: 2 * SMALL }, undefined],
  ['goes beyond twice its bound', { bytes: 2 * SMALL + 1 }, GONE],
  ['goes beyond its bound where the disk is nearly full', { bytes: LARGE + 1_024, bytesMax: LARGE }, GONE],
  ['goes from a vault that differs otherwise', { bytes: 9 * SMALL, runtime: observed(['image']) }, GONE],
  ['stays where the vault writes into another folder', { bytes: 9 * SMALL, runtime: observed(['mount']) }, undefined],
])('%s', async (_, story, said) => {
  const gone = await boundHistory(holding(story), TRACK);
  if (said === undefined) expect(gone).toBe(undefined);
  else expect(gone).toMatch(said);
});

it('is refused in our words where it cannot be looked at', async () => {
  const world = holding({ bytes: 0 });
  const bytesInVault = (): Promise<never> => Promise.reject(Object.assign(new Error('denied'), { code: 'EACCES' }));
  const history = { ...world.backups.history, bytesInVault };
  const refused = boundHistory({ ...world, backups: { ...world.backups, history } }, TRACK);
  await expect(refused).rejects.toMatchObject({ code: 'FILE_NOT_WRITABLE' });
});

it('stays while a restore is not finished', async () => {
  await writeFile(join(dataRoot, 'track', 'restore.json'), '');
  expect(await boundHistory(holding({ bytes: 9 * SMALL }), TRACK)).toBe(undefined);
});

it('goes, and is told, where all failed; stays where the runtime cannot be asked', async () => {
  const notes: string[] = [];
  const progress: Progress = { step: () => undefined, done: () => undefined, note: (text) => notes.push(text) };
  const full = new Nexus3Error('DISK_FULL', 'full', { hint: '' });
  const failed = (story: Story): Promise<unknown> =>
    boundedAnyway(holding(story), [TRACK], progress, () => Promise.reject(full));
  const observe = (): Promise<never> => Promise.reject(new Nexus3Error('DOCKER_UNREACHABLE', 'away', { hint: '' }));
  await expect(failed({ bytes: 9 * SMALL, runtime: { observe } })).rejects.toBe(full);
  await expect(failed({ bytes: 2 * SMALL })).rejects.toBe(full);
  expect(notes).toEqual([]);
  await expect(failed({ bytes: 9 * SMALL })).rejects.toBe(full);
  expect(notes).toEqual([expect.stringContaining('track: History beyond historyBytesMax is gone')]);
});
