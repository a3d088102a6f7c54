import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { healthy, USER } from '../../test/support/facts.js';
import { TEST_CREDENTIALS } from '../../test/support/redis-server.js';
import { CUSTODY, type StillWorld, stillWorld } from '../../test/support/still-world.js';
import { Nexus3Error } from '../errors.js';
import { SILENT } from '../progress.js';
import type { InstanceView } from '../redis/observation.js';
import type { InstanceRuntimeState } from '../runtime/runtime.js';
import { specOf } from './desired.js';
import type { LoopResult } from './loop.js';
import { repair } from './loop.js';
import { renderInstance } from './render.js';

const AN_AGE_MS = 10_000;

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'nexus3-loop-'));
});
afterEach(() => rmSync(root, { recursive: true }));

interface Story {
  /** The vault of `user`, as the runtime shows it after so many connections to the network. */
  readonly differences: (connected: number) => InstanceRuntimeState['differences'];
  readonly failing?: boolean;
  readonly lockerError?: Nexus3Error;
}

async function told({
  differences,
  failing,
  lockerError,
}: Story): Promise<{ world: StillWorld; connected: () => number }> {
  let connected = 0;
  const { vault } = healthy(USER, root);
  const world = stillWorld(root, {
    states: () => (vault.runtime === undefined ? [] : [{ ...vault.runtime, differences: differences(connected) }]),
    runtime: {
      connectNetwork: () => {
        connected += 1;
        return Promise.resolve();
      },
    },
    servers: {
      probe: () => Promise.resolve(viewOf(vault.view, failing === true)),
      admin: () => Promise.reject(new Error('nobody asked')),
      accepts: () => Promise.reject(new Error('nobody asked')),
      snapshot: () => Promise.reject(new Error('not asked')),
      writeAndRead: () => Promise.resolve(1),
    },
    ...(lockerError === undefined
      ? {}
      : {
          locker: {
            ownCredentials: () => Promise.reject(lockerError),
            ownRotation: () => Promise.reject(lockerError),
            rotateOwn: () => Promise.reject(lockerError),
            open: () => Promise.reject(lockerError),
            getCredential: () => Promise.reject(lockerError),
            note: () => Promise.reject(lockerError),
            audit: () => Promise.reject(lockerError),
            tokens: () => Promise.reject(lockerError),
            lockers: () => Promise.reject(lockerError),
            custody: CUSTODY,
          },
        }),
  });
  await renderInstance(world, USER, specOf(world.configuration, USER, 'vault'), TEST_CREDENTIALS);
  return { world, connected: () => connected };
}

function viewOf(view: InstanceView | undefined, failing: boolean): InstanceView {
  if (view?.state !== 'open') throw new Error('not healthy');
  return { ...view, server: { ...view.server, persistenceFailures: failing ? ['snapshot'] : [] } };
}

const detached = [{ aspect: 'network', expected: 'right', actual: 'wrong' }] as const;
const codes = ({ after }: LoopResult): readonly string[] =>
  after.diagnosed.flatMap(({ diagnoses }) => diagnoses.map(({ finding }) => finding.code));

describe('after the repairs', () => {
  it('nothing is waited for when all is well', async () => {
    const { world, connected } = await told({ differences: (count) => (count === 0 ? detached : []) });
    const result = await repair(world, [USER], {}, SILENT);
    expect([codes(result), result.failures, connected(), world.slept()]).toEqual([[], [], 1, 0]);
  });

  it('nor for what no repair can help', async () => {
    const { world } = await told({ differences: (count) => (count === 0 ? detached : []), failing: true });
    const result = await repair(world, [USER], {}, SILENT);
    expect([codes(result), world.slept()]).toEqual([['persistence-failing'], 0]);
  });

  it('what a repair may still help is waited for, bounded, and the same is not tried again', async () => {
    const { world, connected } = await told({ differences: () => detached });
    const result = await repair(world, [USER], {}, SILENT);
    expect([codes(result), connected()]).toEqual([['network-detached'], 1]);
    expect(world.slept()).toBeGreaterThan(AN_AGE_MS);
    expect(world.slept()).toBeLessThan(2 * AN_AGE_MS);
  });

  it('what the licence leaves out is not waited for', async () => {
    const { world, connected } = await told({ differences: () => detached });
    const result = await repair(world, [USER], { licence: new Set(['instance-stopped']) }, SILENT);
    expect([codes(result), connected(), world.slept()]).toEqual([['network-detached'], 0, 0]);
  });

  it('a root key that is not there does not appear by waiting', async () => {
    const lockerError = new Nexus3Error('ROOT_KEY_MISSING', 'There is no root key.', { hint: 'nexus3 up' });
    const { world, connected } = await told({ differences: (count) => (count === 0 ? detached : []), lockerError });
    const result = await repair(world, [USER], {}, SILENT);
    expect([result.after.lockerError, connected(), world.slept()]).toEqual([lockerError, 1, 0]);
  });
});

describe('a plan that is asked for by its id', () => {
  it('is carried out, or nothing is', async () => {
    const { world, connected } = await told({ differences: (count) => (count === 0 ? detached : []) });
    await expect(repair(world, [USER], { planId: 'p_000000000000' }, SILENT)).rejects.toMatchObject({
      code: 'PLAN_CHANGED',
    });
    expect(connected()).toBe(0);
    const other = await told({ differences: (count) => (count === 0 ? detached : []) });
    const { plan } = await repair(other.world, [USER], {}, SILENT);
    expect(plan.id).toBeDefined();
    await repair(world, [USER], { planId: plan.id }, SILENT);
    expect(connected()).toBe(1);
  });
});
