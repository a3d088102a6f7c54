/** Where graphs are read, by what was written before and what became of the operational since. */
import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import type { EnvironmentClient, ReadsFrom } from '../../client/environment-client.js';
import type { LaneRun } from './graph-lanes.js';
import { OpenEnvironment } from './open-environment.js';

const RUN: LaneRun = { timeoutMs: 1_000, signal: new AbortController().signal };

function opened() {
  const state = { readsFrom: 'operational' as ReadsFrom, hasAll: true, synced: 0 };
  const client = Object.assign(new EventEmitter(), {
    kind: 'standard',
    state,
    vault: { ping: () => Promise.resolve('PONG') },
    synced: () => {
      state.synced += 1;
      return state.hasAll ? Promise.resolve() : Promise.reject(new Error('not synced'));
    },
  });
  const environment = new OpenEnvironment({
    client: client as unknown as EnvironmentClient,
    connect: (side) =>
      Promise.resolve({ isOpen: true, ask: () => Promise.resolve(Buffer.from(side)), close: () => undefined }),
  });
  const route = (readsFrom: ReadsFrom): void => {
    state.readsFrom = readsFrom;
    client.emit('route', { readsFrom });
  };
  const read = async (): Promise<string> =>
    String(await environment.readGraph((ask) => ask(['GRAPH.RO_QUERY', 'g', 'RETURN 1']), RUN));
  const write = (): Promise<unknown> => environment.writeGraph((ask) => ask(['GRAPH.QUERY', 'g', 'CREATE (:N)']), RUN);
  return { state, route, read, write };
}

describe('a graph is read', () => {
  it('on the operational, which is not asked what it has as long as nothing was written, nor once it was seen', async () => {
    const { state, read, write } = opened();
    expect([await read(), state.synced]).toEqual(['operational', 0]);
    await write();
    expect([await read(), await read(), state.synced]).toEqual(['operational', 'operational', 1]);
  });

  it('on the vault until the operational was seen to have what was written', async () => {
    const { state, read, write } = opened();
    state.hasAll = false;
    await write();
    expect(await read()).toBe('vault');
    state.hasAll = true;
    expect(await read()).toBe('operational');
  });

  it('on the vault where the operational was away, and may have come back without what it had', async () => {
    const { state, route, read, write } = opened();
    await write();
    expect(await read()).toBe('operational');
    state.hasAll = false;
    route('vault');
    expect(await read()).toBe('vault');
    route('operational');
    expect(await read()).toBe('vault');
    state.hasAll = true;
    expect(await read()).toBe('operational');
  });
});
