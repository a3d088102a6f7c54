/**
 * Rendered `redis.conf`: everything that the protocol's pages set by hand at runtime, in the file that every start
 * reads, so that nothing is lost on restart and nothing is open for a moment. Pure.
 */
import { posix } from 'node:path';
import type { Role } from './environment.js';
import { CONFIG_FILE } from './layout.js';
import type { Secret } from './secret.js';
import type { Settings } from './settings.js';
import { parseMemory } from './settings.js';

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** A socket in a folder of this host: how a scratch server is reached, which listens on no port. */
export interface SocketAddress {
  readonly path: string;
}

export type Endpoint = Address | SocketAddress;

/** What depends on where a server runs: paths and addresses as that server sees them. */
export interface Placement {
  /** The command that becomes redis-server, without its arguments. */
  readonly engineCommand: readonly string[];
  /** The graph module; undefined only for an engine that deliberately carries none (benchmarks). */
  readonly modulePath: string | undefined;
  readonly configDir: string;
  readonly dataDir: string;
  readonly port: number;
  /** Addresses to listen on. */
  readonly bind: readonly string[];
  /** Where the operational finds its vault. */
  readonly vaultAddress: Address;
}

/** Bytes kept for replicas that come back after a short absence; Redis' own default of 1 MiB is soon overrun. */
export const REPLICATION_BACKLOG_BYTES = 64 * 1024 * 1024;

/** A directive that nexus3 can compare with `CONFIG GET` and put right with `CONFIG SET`. */
export interface Directive {
  readonly name: string;
  readonly value: string;
  /** Plain value for the file is secret: never shown, never compared in a message. */
  readonly secret?: boolean;
}

/**
 * The directives that a running server must have in force, as `CONFIG GET` prints them. Topology and credentials are
 * not among them: they have findings of their own.
 */
export function runtimeDirectives(role: Role, settings: Settings): readonly Directive[] {
  const common: Directive[] = [
    { name: 'maxmemory-policy', value: 'noeviction' },
    { name: 'maxmemory', value: settings.maxmemory },
    { name: 'repl-diskless-sync', value: 'yes' },
    { name: 'repl-diskless-sync-delay', value: '0' },
    { name: 'repl-backlog-size', value: String(REPLICATION_BACKLOG_BYTES) },
    { name: 'repl-backlog-ttl', value: '0' },
    { name: 'tcp-keepalive', value: '60' },
  ];
  if (role === 'vault') {
    return [
      ...common,
      { name: 'appendonly', value: 'yes' },
      { name: 'appendfsync', value: settings.appendfsync },
      { name: 'aof-timestamp-enabled', value: 'yes' },
      // Since Redis 7.0, as the timestamps are; `CONFIG GET *` hides it, by its name it is shown and set.
      { name: 'aof-disable-auto-gc', value: settings.keepHistory ? 'yes' : 'no' },
      { name: 'save', value: '' },
    ];
  }
  return [
    ...common,
    { name: 'appendonly', value: 'no' },
    { name: 'save', value: settings.save },
    { name: 'replica-read-only', value: 'yes' },
    { name: 'replica-serve-stale-data', value: 'yes' },
  ];
}

/**
 * With the module's telemetry, about one start of 700 waits for itself for good as it loads a graph: 2 of 1,430, against none
 * of 1,889 without (measured, FalkorDB 4.16.3: Globals_AddGraph).
 */
export const WITHOUT_TELEMETRY = 'CMD_INFO no';

export function renderRedisConf(
  role: Role,
  placement: Placement,
  settings: Settings,
  replicationPassword: Secret | undefined,
): string {
  const lines: string[] = [
    '# Rendered by nexus3 from nexus3.yaml. A change made here is reported as config-drift and undone by `check --fix`.',
    directive('port', String(placement.port)),
    `bind ${placement.bind.map(quoteConf).join(' ')}`,
    '# Users are in force before the first connection, so nothing needs protected mode.',
    directive('protected-mode', 'no'),
    directive('dir', placement.dataDir),
    directive('aclfile', posix.join(placement.configDir, CONFIG_FILE.usersAcl)),
    directive('enable-debug-command', 'no'),
    directive('enable-module-command', 'no'),
    directive('enable-protected-configs', 'no'),
    'daemonize no',
    'dbfilename dump.rdb',
    'appenddirname appendonlydir',
    'appendfilename appendonly.aof',
    'aof-load-truncated yes',
    'rdbchecksum yes',
  ];
  if (placement.modulePath !== undefined) {
    lines.push(['loadmodule', quoteConf(placement.modulePath), ...graphModuleArguments(settings)].join(' '));
  }
  for (const { name, value } of runtimeDirectives(role, settings)) lines.push(directive(name, value));
  if (role === 'operational' && replicationPassword !== undefined) {
    lines.push(
      '# The one secret in this folder: it opens replication on this environment’s vault and nothing else.',
      directive('masteruser', 'replicator'),
      directive('masterauth', replicationPassword.reveal()),
      directive('replicaof', placement.vaultAddress.host, String(placement.vaultAddress.port)),
    );
  }
  return `${lines.join('\n')}\n`;
}

/** A day: longer than any query that anybody waits for. */
const QUERY_TIMEOUT_CEILING_MS = 86_400_000;

/**
 * What the graph module is loaded with; it takes them at the start of a server only. FalkorDB refuses TIMEOUT together with
 * TIMEOUT_MAX, so only the newer pair is rendered.
 */
export function graphModuleArguments(settings: Settings): readonly string[] {
  const args: string[] = [];
  if (settings.threads !== undefined) args.push('THREAD_COUNT', String(settings.threads));
  // With a maximum alone the engine ends writes as well when their caller asks for that (TIMEOUT of GRAPH.QUERY); without
  // one it takes no notice of it, and a write without end keeps the vault from answering anybody (4.16.3, measured).
  const [byDefault, most] = [settings.queryTimeoutMs ?? 0, settings.queryTimeoutMs ?? QUERY_TIMEOUT_CEILING_MS];
  args.push('TIMEOUT_DEFAULT', String(byDefault), 'TIMEOUT_MAX', String(most));
  if (settings.queryQueueMax !== undefined) args.push('MAX_QUEUED_QUERIES', String(settings.queryQueueMax));
  return [...args, ...WITHOUT_TELEMETRY.split(' ')];
}

export function directive(name: string, ...values: readonly string[]): string {
  return [name, ...values.map(quoteConf)].join(' ');
}

const PLAIN_WORD = /^[A-Za-z0-9_./:@%+,=*-]+$/;

/**
 * One argument of a redis.conf line. Redis splits lines like a shell and knows `\n`, `\r`, `\t`, `\b`, `\a`, `\xHH`
 * within double quotes (redis.conf documentation, "Include", and sdssplitargs).
 */
export function quoteConf(value: string): string {
  if (PLAIN_WORD.test(value)) return value;
  let quoted = '';
  for (const byte of Buffer.from(value, 'utf8')) {
    if (byte === 0x22 || byte === 0x5c) quoted += `\\${String.fromCharCode(byte)}`;
    else if (byte >= 0x20 && byte < 0x7f) quoted += String.fromCharCode(byte);
    else quoted += `\\x${byte.toString(16).padStart(2, '0')}`;
  }
  return `"${quoted}"`;
}

/** True where `CONFIG GET` printing `actual` means the same as the rendered `expected`: Redis prints sizes in bytes. */
export function sameDirectiveValue(name: string, expected: string, actual: string): boolean {
  if (name !== 'maxmemory') return expected === actual;
  return parseMemory(expected) === parseMemory(actual);
}
