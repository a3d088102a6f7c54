/** A world in which nothing happens but what a test says: real folders, and otherwise only answers. No time passes. */
import type { Backups } from '../../src/backup/backups.js';
import type { Custody } from '../../src/locker/custody.js';
import type { Locker } from '../../src/locker/locker.js';
import { instanceKey } from '../../src/protocol/environment.js';
import { NOTHING_STORED } from '../../src/reconcile/observe.js';
import type { World } from '../../src/reconcile/world.js';
import type { InstanceRuntimeState, Runtime } from '../../src/runtime/runtime.js';
import { configurationOf, placementOf } from './facts.js';
import { TEST_CREDENTIALS } from './redis-server.js';

export interface StillWorld extends World {
  /** What was slept in all, in milliseconds. */
  readonly slept: () => number;
}

export interface StillWorldParts extends Partial<Omit<World, 'runtime'>> {
  readonly runtime?: Partial<Runtime>;
  readonly states?: () => readonly InstanceRuntimeState[];
}

export function stillWorld(dataRoot: string, parts: StillWorldParts = {}): StillWorld {
  let slept = 0;
  const start = Date.parse('2026-01-08T12:00:00Z');
  const { runtime, states, ...rest } = parts;
  return {
    configuration: { ...configurationOf(dataRoot), runtime: 'process' },
    runtime: { ...RUNTIME, observe: observing(states ?? (() => [])), ...runtime },
    servers: {
      probe: unexpected,
      admin: unexpected,
      accepts: unexpected,
      snapshot: unexpected,
      writeAndRead: () => Promise.resolve(1),
    },
    locker: {
      ownCredentials: () => Promise.resolve(TEST_CREDENTIALS),
      ownRotation: () => Promise.resolve(undefined),
      rotateOwn: unexpected,
      open: () => Promise.resolve(LOCKER),
      getCredential: unexpected,
      note: nothing,
      audit: unexpected,
      tokens: unexpected,
      lockers: unexpected,
      custody: CUSTODY,
    },
    backups: NO_BACKUPS,
    locks: { acquire: () => Promise.resolve(LOCK), tryAcquire: () => Promise.resolve(LOCK) },
    clock: {
      now: () => new Date(start + slept),
      sleep: (ms) => {
        slept += ms;
        return Promise.resolve();
      },
    },
    portHolder: () => Promise.resolve(undefined),
    addEnvironment: unexpected,
    removeEnvironment: unexpected,
    [Symbol.asyncDispose]: nothing,
    ...rest,
    slept: () => slept,
  };
}

const nothing = (): Promise<void> => Promise.resolve();
const unexpected = (): Promise<never> => Promise.reject(new Error('nobody should have asked for this'));

const LOCK = { path: '', [Symbol.asyncDispose]: nothing };

export const CUSTODY: Custody = {
  rekey: {
    state: () => Promise.resolve({ phase: 'none', rotating: false }),
    prepare: unexpected,
    openToNext: unexpected,
    commit: unexpected,
    closeToOld: unexpected,
    oldCredentials: unexpected,
    proveOldRefused: unexpected,
    finish: unexpected,
  },
  kit: { seal: unexpected, note: unexpected, open: unexpected },
  rootKeyFile: { path: '', state: unexpected, asidePath: () => '', moveAside: unexpected },
  whatIsShut: unexpected,
  whatIsShutBehindFence: unexpected,
};

const readStored: Locker['read'] = (envs) =>
  Promise.resolve(new Map(envs.map((env) => [env, { ...NOTHING_STORED, current: TEST_CREDENTIALS }])));

const LOCKER: Locker = {
  read: readStored,
  readEach: readStored,
  generate: unexpected,
  prepareRotation: unexpected,
  promoteRotation: unexpected,
  finishRotation: unexpected,
  remove: unexpected,
  close: nothing,
};

function observing(states: () => readonly InstanceRuntimeState[]): Runtime['observe'] {
  return () =>
    Promise.resolve({
      network: 'not-applicable',
      instances: new Map(states().map((state) => [instanceKey(state.id), state])),
    });
}

function never(): never {
  throw new Error('nobody asks for this');
}

const NO_BACKUPS: Backups = {
  root: '/nowhere',
  keys: {
    there: () => Promise.resolve(false),
    proveWritable: nothing,
    carryOver: () => Promise.resolve(0),
    closeToOld: nothing,
  },
  history: {
    archive: unexpected,
    windows: () => Promise.resolve([]),
    plan: unexpected,
    extract: unexpected,
    prune: unexpected,
    pruneVault: () => Promise.resolve({ files: 0, bytes: 0 }),
    bytesInVault: () => Promise.resolve(0),
  },
  target: undefined,
  pushes: { owed: () => Promise.resolve(undefined), owe: nothing, done: nothing },
  acquire: unexpected,
  datedLater: () => Promise.resolve([]),
  list: () => Promise.resolve([]),
  latest: () => Promise.resolve({ newest: undefined, verified: undefined, failed: undefined, damaged: 0, inFuture: 0 }),
  environments: () => Promise.resolve([]),
  read: unexpected,
  write: unexpected,
  extract: unexpected,
  record: unexpected,
  recordFailure: unexpected,
  remove: unexpected,
  retention: never,
};

const RUNTIME: Runtime = {
  name: 'process',
  ready: nothing,
  placement: placementOf,
  newFolderOwner: () => undefined,
  observe: unexpected,
  ensureNetwork: unexpected,
  connectNetwork: unexpected,
  create: unexpected,
  start: unexpected,
  stop: unexpected,
  remove: unexpected,
  logs: () => Promise.resolve([]),
  followLogs: unexpected,
  scratchPlacement: never,
  startScratch: unexpected,
  close: nothing,
};
