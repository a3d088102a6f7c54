/** Facts of every kind, mostly good ones: for properties of what is decided from facts. */
import fc from 'fast-check';
import { CREDENTIAL_NAMES } from '../../src/protocol/users.js';
import type { EnvironmentFacts, InstanceFacts, OldPassword } from '../../src/reconcile/facts.js';
import type { FolderFacts } from '../../src/reconcile/folder.js';
import type { InstanceView, ServerView } from '../../src/redis/observation.js';
import type { InstanceRuntimeState } from '../../src/runtime/runtime.js';
import { healthy, INCARNATION, LOCKER, TRACK, USER } from './facts.js';

export const maybe = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(arbitrary, { nil: undefined });

/** Mostly as it should be, so that what depends on several good facts is reached, too. */
function mostly<T>(good: T, other: fc.Arbitrary<T>): fc.Arbitrary<T> {
  return fc.oneof({ arbitrary: fc.constant(good), weight: 4 }, { arbitrary: other, weight: 1 });
}

const engines = fc.record({
  kind: fc.constantFrom('redis', 'valkey'),
  version: fc.constantFrom('7.2.5', '8.2.3', '99.0.0'),
  graphModule: fc.constantFrom(0, 41_603, 60_001),
} as const);
const births = fc.record({
  state: fc.constantFrom('born', 'unborn'),
  incarnation: fc.constantFrom(INCARNATION, 'b'.repeat(32)),
} as const);
const positions = fc.record({ seq: fc.nat(2), bytes: fc.nat(200) });
const aspects = fc.uniqueArray(fc.constantFrom('port', 'mount', 'network', 'image', 'restart-policy', 'definition'), {
  maxLength: 2,
});

function runtimes(good: InstanceRuntimeState): fc.Arbitrary<InstanceRuntimeState> {
  return fc.record({
    id: fc.constant(good.id),
    owned: mostly(true, fc.boolean()),
    state: mostly(good.state, fc.constantFrom('running', 'starting', 'paused', 'restarting', 'stopped')),
    exitCode: fc.constantFrom(undefined, 0, 1, 77, 78, 137),
    endedUnexpectedly: maybe(fc.boolean()),
    restartCount: mostly(0, fc.nat(5)),
    startedAt: fc.constant(good.startedAt),
    address: mostly(good.address, fc.constant(undefined)),
    exposedOn: fc.constantFrom(undefined, '0.0.0.0'),
    networkAddress: fc.constantFrom(undefined, '172.20.0.2'),
    differences: mostly(
      [],
      aspects.map((names) => names.map((aspect) => ({ aspect, expected: 'right', actual: 'wrong' }))),
    ),
    secretInArguments: mostly(false, fc.boolean()),
    pid: fc.constant(1),
  });
}

function servers(good: ServerView): fc.Arbitrary<ServerView> {
  const masters = fc.constantFrom(
    good.replica?.master ?? { host: 'elsewhere', port: 1 },
    { host: '172.20.0.2', port: 6640 },
    { host: 'elsewhere', port: 1 },
  );
  const replica = fc.record({
    master: masters,
    link: fc.constantFrom('up', 'down'),
    syncing: fc.boolean(),
    downSeconds: maybe(fc.nat(100)),
    offset: fc.nat(5_000_000),
  } as const);
  return fc
    .record({
      engine: mostly(good.engine, engines),
      configFile: mostly(good.configFile, fc.constantFrom('', '/etc/redis.conf')),
      role: mostly(good.role, fc.constantFrom('master', 'replica')),
      offset: fc.nat(5_000_000),
      replica: mostly(good.replica, maybe(replica)),
      loading: fc.boolean(),
      keyspace: fc.constantFrom([], good.keyspace),
      aofEnabled: fc.boolean(),
      persistenceFailures: mostly([], fc.uniqueArray(fc.constantFrom('aof-write', 'aof-rewrite', 'snapshot'))),
      config: mostly(
        good.config,
        fc
          .uniqueArray(fc.constantFrom(...good.config.keys()))
          .map((names) => new Map([...good.config, ...names.map((name) => [name, 'by hand'] as const)])),
      ),
      masterauthMatches: maybe(fc.boolean()),
      masteruser: fc.constantFrom(undefined, 'replicator', 'somebody'),
    } as const)
    .map((part) => ({ ...good, ...part }));
}

function views(good: ServerView): fc.Arbitrary<InstanceView | undefined> {
  const anonymous = fc.record({ pingAnswered: fc.boolean(), masterauthShown: mostly(false, fc.boolean()) });
  const open = fc.record({ state: fc.constant('open'), anonymous, server: servers(good) } as const);
  return fc.oneof(
    { weight: 6, arbitrary: open },
    fc.constant(undefined),
    fc.record({ state: fc.constant('loading'), anonymous } as const),
    fc.record({ state: fc.constant('locked'), anonymous, detail: fc.constant('WRONGPASS') } as const),
    fc.record({ state: fc.constant('locked'), anonymous, detail: fc.constant(''), server: servers(good) } as const),
    fc.record({
      state: fc.constant('unreachable'),
      cause: fc.constantFrom('refused', 'timeout', 'not-redis', 'closed', 'other'),
      detail: fc.constant('no answer'),
    } as const),
  );
}

function folders(good: FolderFacts): fc.Arbitrary<FolderFacts> {
  const files = fc.uniqueArray(fc.constantFrom('redis.conf', 'users.acl', 'start', 'health'));
  const mark = fc.oneof(
    fc.constantFrom(undefined, 'unreadable' as const),
    positions.map((position) => ({ incarnation: INCARNATION, ...position })),
  );
  const aof = fc
    .tuple(positions, fc.subarray(['appendonly.aof.1.base.rdb']))
    .map(([position, missingFiles]) => ({ ...position, missingFiles }));
  return fc.record({
    drifted: mostly([], files),
    driftedDirectives: mostly([], fc.subarray(['maxmemory', 'maxclients', 'masterauth'])),
    fenced: mostly(false, fc.boolean()),
    readableByOthers: mostly([], fc.constant<readonly string[]>(['redis.conf'])),
    mark: mostly(good.mark, mark),
    vault: mostly(good.vault, fc.record({ birth: maybe(births), aof: maybe(aof) })),
    hasData: fc.boolean(),
    engine: maybe(engines),
    freeBytes: maybe(fc.nat(1_000_000_000)),
    totalBytes: maybe(fc.nat(1_000_000_000)),
  });
}

function instances(good: InstanceFacts): fc.Arbitrary<InstanceFacts> {
  if (good.runtime === undefined || good.view?.state !== 'open') throw new Error('not healthy');
  const difference = fc.record({
    user: fc.constantFrom('default', 'admin', 'replicator', 'intruder'),
    kind: fc.constantFrom('missing', 'extra', 'password', 'nopass', 'state', 'rules'),
    added: fc.subarray(['+set', '+config|get']),
    removed: fc.constant([]),
  } as const);
  return fc
    .record({
      runtime: mostly(good.runtime, maybe(runtimes(good.runtime))),
      view: views(good.view.server),
      folder: folders(good.folder),
      userDifferences: mostly([], fc.array(difference, { maxLength: 3 })),
      log: fc.array(fc.string(), { maxLength: 3 }),
    } as const)
    .map(({ runtime, view, ...rest }) => {
      const isAsked = runtime !== undefined && ['running', 'starting', 'paused'].includes(runtime.state);
      return { ...good, ...rest, runtime, view: isAsked ? view : undefined };
    });
}

const rotations = fc.record({
  names: fc.subarray([...CREDENTIAL_NAMES], { minLength: 1 }),
  phase: fc.constantFrom('prepared', 'promoted'),
  startedAt: fc.constant('2026-01-08T12:00:00.000Z'),
  graceUntil: fc.constantFrom(null, '2026-01-08T12:00:30.000Z'),
  graceRuns: fc.boolean(),
} as const);

const moments = fc.record({
  at: fc.constant('2026-01-08T12:00:00.000Z'),
  hours: fc.nat(200),
  hoursMax: fc.constantFrom(48, 168),
  isOld: fc.boolean(),
});
const backups = fc.record({
  newest: maybe(moments),
  verified: maybe(moments),
  newestIsVerified: fc.boolean(),
  failed: mostly(
    undefined,
    fc.constant({ id: '20260108T120000Z-1a2b', at: '2026-01-08T12:00:00.000Z', code: 'BACKUP_DAMAGED' }),
  ),
  damaged: fc.nat(2),
  inFuture: fc.nat(1),
  push: fc.constant(undefined),
  unreadable: mostly(undefined, fc.constant('EIO on /data/backups')),
  window: fc.constant(undefined),
});

const restores = fc.record({
  phase: fc.constantFrom('replacing', 'proving', 'opening', 'taking-back', 'unreadable'),
  source: fc.constant('20260108T120000Z-1a2b'),
  startedAt: fc.constant('2026-01-08T12:00:00.000Z'),
} as const);

export function factsOf(environment = TRACK): fc.Arbitrary<EnvironmentFacts> {
  const good = healthy(environment);
  return fc.record({
    environment: fc.constant(environment),
    restore: mostly(undefined, restores),
    runtimeName: fc.constantFrom('process', 'docker'),
    network: mostly(good.network, fc.constantFrom('present', 'missing', 'not-applicable')),
    missingCredentials: mostly([], maybe(fc.subarray([...CREDENTIAL_NAMES]))),
    rotation: mostly(undefined, rotations),
    oldPasswords: mostly([], fc.constant<readonly OldPassword[]>([{ name: 'default', days: 91 }])),
    backup: mostly(undefined, maybe(backups)),
    vault: instances(good.vault),
    operational: good.operational === undefined ? fc.constant(undefined) : instances(good.operational),
  } as const);
}

export const anyFacts = fc.oneof(
  { weight: 4, arbitrary: factsOf(TRACK) },
  { weight: 1, arbitrary: factsOf(USER) },
  { weight: 1, arbitrary: factsOf(LOCKER) },
);
