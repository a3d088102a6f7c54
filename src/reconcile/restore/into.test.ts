/** What a run of `restore ENV --into NAME` goes on with, by what nexus3.yaml and the folders say. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { believable } from '../../../test/support/manifests.js';
import { stillWorld } from '../../../test/support/still-world.js';
import { planInto } from './into.js';

let dataRoot: string;
beforeAll(async () => {
  dataRoot = await mkdtemp(join(tmpdir(), 'nexus3-into-'));
});
afterAll(() => rm(dataRoot, { recursive: true }));

function plannedOn(vaultPort: number | undefined): ReturnType<typeof planInto> {
  const world = stillWorld(dataRoot);
  const backups = { ...world.backups, list: () => Promise.resolve([believable()]) };
  const options = { env: 'track', into: 'user', id: undefined, at: undefined, vaultPort, abort: false };
  return planInto({ ...world, backups }, { from: 'track', into: 'user' }, options);
}

it('goes on with the name that a run before has added, on the port that this was added with', async () => {
  expect(await plannedOn(undefined)).toMatchObject({ env: 'user', way: 'begin' });
  expect(await plannedOn(6610)).toMatchObject({ env: 'user', way: 'begin' });
});

it('another port is refused, not passed over, with both and the way out', async () => {
  await expect(plannedOn(7000)).rejects.toMatchObject({
    code: 'ENVIRONMENT_EXISTS',
    message: 'There is an environment user already, with the vault port 6610, not 7000.',
    hint: 'Go on with that: leave --vault-port out. Or take it away first: nexus3 remove user',
  });
});
