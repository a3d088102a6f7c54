/** What an action refuses to do, whatever the plan says: it was made before, and much may have happened since. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Change } from '../../test/support/facts.js';
import { differing, ended, foreign, healthy, missing, server, TRACK, unreachable } from '../../test/support/facts.js';
import { TEST_CREDENTIALS } from '../../test/support/redis-server.js';
import { stillWorld } from '../../test/support/still-world.js';
import { SILENT } from '../progress.js';
import type { Action } from './action.js';
import { specOf } from './desired.js';
import type { EnvironmentFacts } from './facts.js';
import { perform } from './perform.js';
import { renderInstance, writeBirth, writeMark } from './render.js';
import type { Admin, World } from './world.js';

const INC = 'a'.repeat(32);
const OPERATIONAL = { env: 'track', role: 'operational' } as const;
const VAULT = { env: 'track', role: 'vault' } as const;

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'nexus3-perform-'));
});
afterEach(() => rmSync(root, { recursive: true }));

/** What was done to the operational. */
interface Scene {
  readonly world: World;
  readonly done: string[];
}

function scene(...changes: readonly Change[]): Scene {
  const done: string[] = [];
  const note = (text: string) => (): Promise<void> => {
    done.push(text);
    return Promise.resolve();
  };
  const facts = changes.reduce((result, change) => change(result), healthy(TRACK, root));
  const admin: Admin = {
    loadUsers: note('users loaded'),
    setPasswords: (user) => note(`passwords of ${user}`)(),
    replicaConnections: () => Promise.resolve([]),
    disconnect: (user) => note(`${user} disconnected`)(),
    endOthers: note('others ended'),
    setConfig: (name) => note(`set ${name}`)(),
    replicaOf: ({ host, port }) => note(`replica of ${host}:${String(port)}`)(),
    replicaOfNoOne: note('promoted'),
    save: note('saved'),
    countKeys: () => Promise.resolve({ keys: 0, expiring: 0 }),
    replicationOffset: () => Promise.resolve(0),
    countGraphs: () => Promise.resolve([]),
    graphsEnforcing: () => Promise.resolve([]),
    countContent: () => Promise.resolve({ databases: [], graphs: [] }),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  const world = stillWorld(root, {
    states: () => [facts.vault, facts.operational].flatMap((one) => (one?.runtime === undefined ? [] : [one.runtime])),
    runtime: {
      start: note('started'),
      create: note('created'),
      remove: note('removed'),
      logs: () => Promise.resolve(['its last words']),
    },
    servers: {
      probe: ({ address }) => Promise.resolve(viewOn(facts, 'port' in address ? address.port : 0)),
      admin: () => Promise.resolve(admin),
      accepts: () => Promise.resolve(true),
      snapshot: () => Promise.reject(new Error('not asked')),
      writeAndRead: () => Promise.resolve(1),
    },
  });
  return { world, done };
}

function viewOn({ vault, operational }: EnvironmentFacts, port: number) {
  const view = [vault, operational].find((one) => one?.spec.port === port)?.view;
  return view ?? ({ state: 'unreachable', cause: 'refused', detail: 'nothing listens there' } as const);
}

/** Folders as a vault past the guard has them. */
async function rendered({ world }: Scene, options = {}): Promise<void> {
  const spec = specOf(world.configuration, TRACK, 'vault');
  await renderInstance(world, TRACK, spec, TEST_CREDENTIALS, options);
  const aof = join(spec.dataDir, 'appendonlydir');
  mkdirSync(aof, { recursive: true });
  writeFileSync(join(aof, 'appendonly.aof.manifest'), 'file appendonly.aof.1.incr.aof seq 1 type i\n');
  writeFileSync(join(aof, 'appendonly.aof.1.incr.aof'), 'x'.repeat(9));
  await writeBirth(spec, { state: 'born', incarnation: INC }, undefined);
  await writeMark(spec, { incarnation: INC, seq: 1, bytes: 9 }, undefined);
}

const run = ({ world }: Scene, action: Action): Promise<void> => perform(world, action, SILENT);

describe('attach', () => {
  const ATTACH: Action = { kind: 'attach', on: OPERATIONAL };

  it('follows a vault that serves past the guard, with the replicator’s password', async () => {
    const stage = scene();
    await rendered(stage);
    await run(stage, ATTACH);
    expect(stage.done).toEqual(['set masteruser', 'set masterauth', 'replica of nexus3-track-vault:6640']);
  });

  it.each<[string, readonly Change[]]>([
    ['has become a stranger’s', [foreign('vault')]],
    ['is a replica', [server('vault', { role: 'replica' })]],
    ['has stopped', [ended('vault')]],
    ['hangs', [unreachable('vault')]],
    ['is gone', [missing('vault')]],
    ['has no key, and was not brought up by its start script', [server('vault', { keyspace: [], configFile: '' })]],
  ])('not when its vault %s', async (_, changes) => {
    const stage = scene(...changes);
    await rendered(stage);
    await expect(run(stage, ATTACH)).rejects.toMatchObject({ code: 'LAST_COPY' });
    expect(stage.done).toEqual([]);
  });

  it('not when the vault’s folder was emptied, or put back, after the plan was made', async () => {
    const stage = scene();
    await rendered(stage);
    const { dataDir } = specOf(stage.world.configuration, TRACK, 'vault');
    writeFileSync(join(dataDir, 'appendonlydir', 'appendonly.aof.1.incr.aof'), 'x'.repeat(8));
    await expect(run(stage, ATTACH)).rejects.toMatchObject({ code: 'LAST_COPY' });
    rmSync(dataDir, { recursive: true });
    await expect(run(stage, ATTACH)).rejects.toMatchObject({ code: 'LAST_COPY' });
    expect(stage.done).toEqual([]);
  });

  it('not to a vault behind a fence', async () => {
    const stage = scene();
    await rendered(stage, { fenced: true });
    await expect(run(stage, ATTACH)).rejects.toMatchObject({ code: 'LAST_COPY' });
    expect(stage.done).toEqual([]);
  });

  it('not an operational that cannot read what its vault sends: it would wipe its own data first', async () => {
    const older = { kind: 'redis', version: '7.4.0', graphModule: 41_603 } as const;
    const stage = scene(server('operational', { engine: older }));
    await rendered(stage);
    await expect(run(stage, ATTACH)).rejects.toMatchObject({ code: 'NOT_PROVEN' });
    expect(stage.done).toEqual([]);
  });
});

describe('promote', () => {
  it('not a vault whose folder is held', async () => {
    const stage = scene(server('vault', { role: 'replica' }));
    await rendered(stage);
    rmSync(specOf(stage.world.configuration, TRACK, 'vault').dataDir, { recursive: true });
    await expect(run(stage, { kind: 'promote-vault', on: VAULT })).rejects.toMatchObject({ code: 'LAST_COPY' });
    expect(stage.done).toEqual([]);
  });
});

describe('render', () => {
  it('gives no new vault the permission to start empty while its operational has keys in memory alone', async () => {
    const stage = scene(missing('vault'));
    await expect(run(stage, { kind: 'render', on: VAULT })).rejects.toMatchObject({ code: 'LAST_COPY' });
    const without = scene(missing('vault'), server('operational', { keyspace: [] }));
    await run(without, { kind: 'render', on: VAULT });
  });
});

describe('start', () => {
  it.each([
    [78, 'LAST_COPY'],
    [77, 'START_FAILED'],
  ])('says at once that the start script refused with %d', async (exitCode, code) => {
    const stage = scene(ended('vault', { exitCode }));
    await expect(run(stage, { kind: 'start', on: VAULT })).rejects.toMatchObject({
      code,
      evidence: ['its last words'],
    });
  });
});

describe('make again', () => {
  it.each(['mount', 'image'] as const)('not a vault with another %s', async (aspect) => {
    const stage = scene(differing('vault', aspect));
    await expect(run(stage, { kind: 'recreate', on: VAULT })).rejects.toMatchObject({ code: 'LAST_COPY' });
    expect(stage.done).toEqual([]);
    const operational = scene(differing('operational', aspect));
    await run(operational, { kind: 'recreate', on: OPERATIONAL });
    expect(operational.done).toEqual(['removed', 'created', 'started']);
  });
});
