/** Facts of a healthy environment, and small changes to them: for tests of what is decided from facts. */
import { DEFAULT_BACKUP } from '../../src/config/schema.js';
import type { ConfiguredEnvironment, Configuration } from '../../src/config/configuration.js';
import type { EnvironmentKind, Role } from '../../src/protocol/environment.js';
import { rolesOf } from '../../src/protocol/environment.js';
import type { Placement } from '../../src/protocol/redis-conf.js';
import { graphModuleArguments, runtimeDirectives } from '../../src/protocol/redis-conf.js';
import { DEFAULT_SETTINGS } from '../../src/protocol/settings.js';
import type { AclDifference } from '../../src/protocol/users.js';
import { specOf } from '../../src/reconcile/desired.js';
import type { EnvironmentFacts, InstanceFacts } from '../../src/reconcile/facts.js';
import type { FolderFacts } from '../../src/reconcile/folder.js';
import type { InstanceView, ServerView } from '../../src/redis/observation.js';
import type { InstanceRuntimeState, InstanceSpec, SpecDifference } from '../../src/runtime/runtime.js';

const GIGABYTE = 1024 ** 3;
export const INCARNATION = 'a'.repeat(32);
const QUIET = { pingAnswered: false, masterauthShown: false };

export function environmentOf(name: string, vaultPort: number, kind: EnvironmentKind): ConfiguredEnvironment {
  return { name, kind, vaultPort, settings: DEFAULT_SETTINGS };
}

export const TRACK = environmentOf('track', 6640, 'standard');
export const USER = environmentOf('user', 6610, 'secure');
export const LOCKER = environmentOf('locker', 6720, 'secure');

export function configurationOf(dataRoot = '/data/nexus3', environments = [USER, TRACK, LOCKER]): Configuration {
  return {
    file: `${dataRoot}/nexus3.yaml`,
    runtime: 'docker',
    dataRoot,
    network: 'nexus-storage-network',
    image: 'falkordb/falkordb:v4.16.3',
    containerPrefix: 'nexus3',
    audit: { entriesMax: 1_000 },
    bind: '127.0.0.1',
    engine: undefined,
    module: undefined,
    rotation: { maxAgeDays: undefined },
    backup: { ...DEFAULT_BACKUP, root: `${dataRoot}-backups` },
    environments,
  };
}

export function placementOf(spec: InstanceSpec, vaultPort: number): Placement {
  return {
    engineCommand: ['redis-server'],
    modulePath: '/opt/falkordb.so',
    configDir: spec.configDir,
    dataDir: spec.dataDir,
    port: spec.port,
    bind: [spec.bind],
    vaultAddress: { host: `nexus3-${spec.id.env}-vault`, port: vaultPort },
  };
}

/** As a docker runtime shows it on a good day. */
export function healthy(environment: ConfiguredEnvironment = TRACK, dataRoot?: string): EnvironmentFacts {
  const facts = (role: Role): InstanceFacts => {
    const spec = specOf(configurationOf(dataRoot), environment, role);
    const placement = placementOf(spec, environment.vaultPort);
    return {
      id: spec.id,
      spec,
      placement,
      runtime: runtimeState(spec),
      view: {
        state: 'open',
        anonymous: { ...QUIET, pingAnswered: role === 'operational' },
        server: serverView(environment, role, placement),
      },
      folder: folderFacts(role),
      userDifferences: [],
      log: [],
    };
  };
  return {
    environment,
    runtimeName: 'docker',
    network: 'present',
    missingCredentials: [],
    rotation: undefined,
    oldPasswords: [],
    vault: facts('vault'),
    operational: rolesOf(environment).includes('operational') ? facts('operational') : undefined,
  };
}

function runtimeState(spec: InstanceSpec): InstanceRuntimeState {
  return {
    id: spec.id,
    owned: true,
    state: 'running',
    exitCode: undefined,
    endedUnexpectedly: undefined,
    restartCount: 0,
    startedAt: '2026-01-08T11:00:00.000Z',
    address: { host: '127.0.0.1', port: spec.port },
    exposedOn: undefined,
    networkAddress: spec.id.role === 'vault' ? '172.20.0.2' : '172.20.0.3',
    differences: [],
    secretInArguments: false,
    pid: 4711,
  };
}

function serverView(environment: ConfiguredEnvironment, role: Role, placement: Placement): ServerView {
  const isReplica = role === 'operational';
  return {
    engine: { kind: 'redis', version: '8.2.3', graphModule: 41_603 },
    runId: 'r'.repeat(40),
    uptimeSeconds: 3_600,
    configFile: `${placement.configDir}/redis.conf`,
    processId: 1,
    role: isReplica ? 'replica' : 'master',
    offset: 1_000,
    replicationId: 'i'.repeat(40),
    replica: isReplica
      ? { master: placement.vaultAddress, link: 'up', syncing: false, downSeconds: undefined, offset: 1_000 }
      : undefined,
    replicas: [],
    loading: false,
    keyspace: [{ db: 0, keys: 12, expires: 0, fieldsExpire: 0 }],
    memoryBytes: 1_048_576,
    aofEnabled: !isReplica,
    persistenceFailures: [],
    config: new Map(runtimeDirectives(role, environment.settings).map(({ name, value }) => [name, value])),
    users: [],
    masterauthMatches: isReplica ? true : undefined,
    masteruser: isReplica ? 'replicator' : undefined,
    moduleArguments: graphModuleArguments(environment.settings),
  };
}

function folderFacts(role: Role): FolderFacts {
  const isVault = role === 'vault';
  return {
    drifted: [],
    driftedDirectives: [],
    fenced: false,
    readableByOthers: [],
    mark: isVault ? { incarnation: INCARNATION, seq: 1, bytes: 100 } : undefined,
    vault: isVault
      ? { birth: { state: 'born', incarnation: INCARNATION }, aof: { seq: 1, bytes: 100, missingFiles: [] } }
      : { birth: undefined, aof: undefined },
    hasData: true,
    engine: { kind: 'redis', version: '8.2.3', graphModule: 41_603 },
    freeBytes: 50 * GIGABYTE,
    totalBytes: 100 * GIGABYTE,
  };
}

export type Change = (facts: EnvironmentFacts) => EnvironmentFacts;

export function changed(...changes: readonly Change[]): EnvironmentFacts {
  return changes.reduce((facts, change) => change(facts), healthy());
}

export function instance(role: Role, change: (one: InstanceFacts) => Partial<InstanceFacts>): Change {
  return (facts) => {
    const one = role === 'vault' ? facts.vault : facts.operational;
    return one === undefined ? facts : { ...facts, [role]: { ...one, ...change(one) } };
  };
}

export function runtime(role: Role, part: Partial<InstanceRuntimeState>): Change {
  return instance(role, (one) => ({ runtime: one.runtime === undefined ? undefined : { ...one.runtime, ...part } }));
}

/** Ended; then nobody asks it anything. */
export function ended(role: Role, part: Partial<InstanceRuntimeState> = {}): Change {
  return (facts) =>
    instance(role, () => ({ view: undefined }))(runtime(role, { state: 'stopped', exitCode: 0, ...part })(facts));
}

export function missing(role: Role): Change {
  return instance(role, () => ({ runtime: undefined, view: undefined }));
}

export function foreign(role: Role): Change {
  return runtime(role, { owned: false });
}

export function differing(role: Role, ...aspects: readonly SpecDifference['aspect'][]): Change {
  return runtime(role, {
    differences: aspects.map((aspect) => ({ aspect, expected: `right ${aspect}`, actual: `wrong ${aspect}` })),
  });
}

export function view(role: Role, seen: InstanceView): Change {
  return instance(role, () => ({ view: seen }));
}

export function unreachable(role: Role): Change {
  return view(role, { state: 'unreachable', cause: 'timeout', detail: 'no answer' });
}

export function server(role: Role, part: Partial<ServerView>): Change {
  return instance(role, (one) =>
    one.view?.state === 'open' ? { view: { ...one.view, server: { ...one.view.server, ...part } } } : {},
  );
}

export function config(role: Role, name: string, value: string): Change {
  return instance(role, (one) => {
    if (one.view?.state !== 'open') return {};
    const changedConfig = new Map([...one.view.server.config, [name, value]]);
    return { view: { ...one.view, server: { ...one.view.server, config: changedConfig } } };
  });
}

export function replicaLink(part: Partial<NonNullable<ServerView['replica']>>): Change {
  return instance('operational', (one) => {
    if (one.view?.state !== 'open' || one.view.server.replica === undefined) return {};
    const replica = { ...one.view.server.replica, ...part };
    return { view: { ...one.view, server: { ...one.view.server, replica } } };
  });
}

export function folder(role: Role, part: Partial<FolderFacts>): Change {
  return instance(role, (one) => ({ folder: { ...one.folder, ...part } }));
}

/** As after `rm -r` of its data folder. */
export const EMPTIED: Change = folder('vault', { vault: { birth: undefined, aof: undefined }, hasData: false });

export function users(role: Role, user: string, kind: AclDifference['kind'], added: readonly string[] = []): Change {
  return instance(role, () => ({ userDifferences: [{ user, kind, added, removed: [] }] }));
}
