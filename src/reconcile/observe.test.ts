import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { healthy, USER } from '../../test/support/facts.js';
import { stillWorld, type StillWorld } from '../../test/support/still-world.js';
import { HELD_EXIT } from '../protocol/start-script.js';
import type { InstanceView } from '../redis/observation.js';
import type { InstanceRuntimeState } from '../runtime/runtime.js';
import type { InstanceFacts } from './facts.js';
import { observe } from './observe.js';

const REFUSED: InstanceView = { state: 'unreachable', cause: 'refused', detail: 'nothing listens there' };
const LOADING: InstanceView = { state: 'loading', anonymous: { pingAnswered: false, masterauthShown: false } };

describe('a look at one that was started a moment ago', () => {
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'nexus3-observe-'));
  });
  afterAll(async () => {
    await rm(folder, { recursive: true });
  });

  /** Each look finds the next state, each question the next answer; the last of them again and again. */
  async function see(
    states: readonly Partial<InstanceRuntimeState>[],
    views: readonly InstanceView[],
  ): Promise<{ readonly vault: InstanceFacts | undefined; readonly world: StillWorld; readonly asked: number }> {
    let looks = 0;
    let asked = 0;
    const world: StillWorld = stillWorld(folder, {
      states: () => [state(world, nth(states, looks++))],
      servers: { ...stillWorld(folder).servers, probe: () => Promise.resolve(nth(views, asked++)) },
    });
    const { environments } = await observe(world, [USER]);
    return { vault: environments[0]?.vault, world, asked };
  }

  function state(world: StillWorld, change: Partial<InstanceRuntimeState>): InstanceRuntimeState {
    const { runtime } = healthy(USER).vault;
    if (runtime === undefined) throw new Error('the healthy one runs');
    return { ...runtime, startedAt: world.clock.now().toISOString(), ...change };
  }

  it('asks again until it answers', async () => {
    const { vault, asked } = await see([{}], [REFUSED, REFUSED, LOADING]);
    expect(vault?.view).toEqual(LOADING);
    expect(asked).toBe(3);
  });

  it('sees that its start script has refused meanwhile: Docker only looked as if it ran', async () => {
    const { vault, asked } = await see([{ restartCount: 3 }, { state: 'restarting', exitCode: HELD_EXIT }], [REFUSED]);
    expect(vault?.runtime).toMatchObject({ state: 'restarting', exitCode: HELD_EXIT });
    expect(vault?.view).toBeUndefined();
    expect(asked).toBe(1);
  });

  it('gives up after a while', async () => {
    const { vault, world } = await see([{}], [REFUSED]);
    expect(vault?.view).toEqual(REFUSED);
    expect(world.slept()).toBeGreaterThan(1_000);
    expect(world.slept()).toBeLessThan(5_000);
  });

  it('does not wait for one that has been running for long, is paused, or is not published', async () => {
    for (const change of [
      { startedAt: '2020-01-01T00:00:00Z' },
      { state: 'paused' },
      { address: undefined },
    ] as const) {
      const { vault, world } = await see([change], [REFUSED]);
      expect(vault?.view?.state).toBe('unreachable');
      expect(world.slept()).toBe(0);
    }
  });
});

function nth<T>(items: readonly T[], index: number): T {
  const item = items[Math.min(index, items.length - 1)];
  if (item === undefined) throw new Error('nothing to choose from');
  return item;
}
