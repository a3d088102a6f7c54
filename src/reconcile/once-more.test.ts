/** A server that waits for itself for good as it starts (FalkorDB, now and then) is ended, and started once more. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { healthy, TRACK } from '../../test/support/facts.js';
import { stillWorld } from '../../test/support/still-world.js';
import { SILENT } from '../progress.js';
import type { InstanceView } from '../redis/observation.js';
import { perform } from './perform.js';
import { SCRATCH_LOAD_TIMEOUT_MS, withScratch } from './scratch.js';
import type { World } from './world.js';

const SILENCE: InstanceView = { state: 'unreachable', cause: 'timeout', detail: 'no whole answer within 5000 ms' };

let root: string;
let done: string[];

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'nexus3-once-more-'));
  done = [];
});
afterEach(() => rmSync(root, { recursive: true }));

/** @param silentStarts so many of its starts are followed by nothing */
function worldWith(silentStarts: number): World {
  const open = healthy(TRACK, root).vault.view ?? SILENCE;
  const note = (text: string) => (): Promise<void> => {
    done.push(text);
    return Promise.resolve();
  };
  const starts = (): number => done.filter((text) => text === 'started').length;
  const still = stillWorld(root, {
    runtime: {
      ready: () => Promise.resolve(),
      newFolderOwner: () => undefined,
      start: note('started'),
      stop: note('ended'),
      logs: () => Promise.resolve(['its last words']),
      scratchPlacement: (dir) => ({ engineCommand: ['redis-server'], modulePath: undefined, dir }),
      startScratch: async () => {
        await note('started')();
        return {
          socket: join(root, 's'),
          exitCode: () => Promise.resolve(undefined),
          logs: () => Promise.resolve([]),
          [Symbol.asyncDispose]: note('ended'),
        };
      },
    },
  });
  return {
    ...still,
    servers: {
      ...still.servers,
      probe: () => Promise.resolve(starts() > silentStarts ? open : SILENCE),
      admin: () => Promise.resolve({ [Symbol.asyncDispose]: () => Promise.resolve() } as never),
    },
  };
}

describe('a scratch server', () => {
  const load = (world: World): Promise<string> =>
    withScratch(world, 'track', { prepare: () => Promise.resolve(), appendOnly: false }, () =>
      Promise.resolve('loaded'),
    );

  it('that is silent is started once more', async () => {
    await expect(load(worldWith(1))).resolves.toBe('loaded');
    expect(done).toEqual(['started', 'ended', 'started', 'ended']);
  });

  it('that is silent again is waited for as long as a large graph may take', async () => {
    const world = worldWith(2);
    const began = world.clock.now().getTime();
    await expect(load(world)).rejects.toMatchObject({ code: 'START_FAILED' });
    expect(world.clock.now().getTime() - began).toBeGreaterThan(SCRATCH_LOAD_TIMEOUT_MS);
    expect(done).toEqual(['started', 'ended', 'started', 'ended']);
  });
});

describe('an instance', () => {
  const start = (world: World): Promise<void> =>
    perform(world, { kind: 'start', on: { env: 'track', role: 'operational' } }, SILENT);

  it('that is silent is started once more', async () => {
    await start(worldWith(1));
    expect(done).toEqual(['started', 'ended', 'started']);
  });

  it('that is silent again is told', async () => {
    await expect(start(worldWith(2))).rejects.toMatchObject({ code: 'START_FAILED' });
    expect(done).toEqual(['started', 'ended', 'started']);
  });
});
