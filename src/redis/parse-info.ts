/** The text of `INFO`, read. Pure; never throws, whatever the text holds. Field names: https://redis.io/docs/latest/commands/info/ */
import type { EngineVersion } from '../protocol/engine-record.js';
import type { Keyspace, ReplicaLink, ServerView } from './observation.js';

/** The sections that `readInfo` needs; asked for by name it is half of `INFO everything`. */
export const INFO_SECTIONS = ['server', 'memory', 'persistence', 'replication', 'keyspace', 'modules'] as const;

/** The part of a `ServerView` that INFO alone can tell. */
export type InfoView = Omit<ServerView, 'config' | 'users' | 'masterauthMatches' | 'masteruser' | 'moduleArguments'>;

/** Most connected replicas that are listed. */
const REPLICAS_MAX = 100;

/** Undefined when the text is not an INFO reply: without version, run id and role it says nothing. */
export function readInfo(text: string): InfoView | undefined {
  const fields = parseInfo(text);
  const engine = readEngine(fields, text);
  const runId = fields.get('run_id');
  const role = readRole(fields);
  if (engine === undefined || runId === undefined || role === undefined) return undefined;
  return {
    engine,
    runId,
    role,
    uptimeSeconds: numberOf(fields, 'uptime_in_seconds'),
    configFile: fields.get('config_file') ?? '',
    processId: numberOf(fields, 'process_id'),
    offset: numberOf(fields, role === 'master' ? 'master_repl_offset' : 'slave_repl_offset'),
    replicationId: fields.get('master_replid') ?? '',
    replica: role === 'replica' ? readReplicaLink(fields) : undefined,
    replicas: role === 'master' ? readReplicas(fields) : [],
    loading: fields.get('loading') === '1',
    keyspace: readKeyspace(fields),
    memoryBytes: numberOf(fields, 'used_memory'),
    aofEnabled: fields.get('aof_enabled') === '1',
    persistenceFailures: readPersistenceFailures(fields),
  };
}

/** `name:value` lines; a line that repeats a name (`module:`) is read apart. */
export function parseInfo(text: string): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  for (const line of text.split(/\r?\n/)) {
    const colon = line.indexOf(':');
    if (colon > 0 && !line.startsWith('#')) fields.set(line.slice(0, colon), line.slice(colon + 1));
  }
  return fields;
}

type Fields = ReadonlyMap<string, string>;

function numberOf(fields: Fields, name: string): number {
  return toCount(fields.get(name)) ?? 0;
}

/** A whole number that is not negative, else undefined. */
function toCount(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

/** Valkey goes on saying `redis_version:7.2.4` for the sake of old clients, and its own version apart. */
function readEngine(fields: Fields, text: string): EngineVersion | undefined {
  const isValkey = fields.get('server_name') === 'valkey' || fields.has('valkey_version');
  const version = fields.get(isValkey ? 'valkey_version' : 'redis_version');
  if (version === undefined || version === '') return undefined;
  return { kind: isValkey ? 'valkey' : 'redis', version, graphModule: readGraphModule(text) };
}

/** `module:name=graph,ver=41603,api=1,…`; 0 when it is not loaded. */
function readGraphModule(text: string): number {
  const match = /^module:name=graph,ver=(\d{1,9})\b/m.exec(text);
  return Number(match?.[1] ?? 0);
}

function readRole(fields: Fields): InfoView['role'] | undefined {
  const role = fields.get('role');
  if (role === 'master') return 'master';
  return role === 'slave' || role === 'replica' ? 'replica' : undefined;
}

function readReplicaLink(fields: Fields): ReplicaLink {
  return {
    master: { host: fields.get('master_host') ?? '', port: numberOf(fields, 'master_port') },
    link: fields.get('master_link_status') === 'up' ? 'up' : 'down',
    syncing: fields.get('master_sync_in_progress') === '1',
    // Redis says -1 for a link that never was up since REPLICAOF.
    downSeconds: toCount(fields.get('master_link_down_since_seconds')),
    offset: numberOf(fields, 'slave_repl_offset'),
  };
}

/** `slave0:ip=10.0.4.3,port=6379,state=online,offset=4711,lag=0` */
function readReplicas(fields: Fields): InfoView['replicas'] {
  const replicas: InfoView['replicas'][number][] = [];
  for (let index = 0; index < REPLICAS_MAX; index += 1) {
    const line = fields.get(`slave${String(index)}`);
    if (line === undefined) break;
    const parts = parsePairs(line);
    replicas.push({
      address: { host: parts.get('ip') ?? '', port: numberOf(parts, 'port') },
      state: parts.get('state') ?? 'unknown',
      offset: numberOf(parts, 'offset'),
    });
  }
  return replicas;
}

/** `db0:keys=12,expires=1,avg_ttl=0,subexpiry=0`, the last since Redis 7.4 */
export function readKeyspace(fields: Fields): readonly Keyspace[] {
  const keyspace: Keyspace[] = [];
  for (const [name, line] of fields) {
    const db = toCount(/^db(\d{1,6})$/.exec(name)?.[1]);
    if (db === undefined) continue;
    const parts = parsePairs(line);
    const [keys, expires, fieldsExpire] = ['keys', 'expires', 'subexpiry'].map((part) => numberOf(parts, part));
    keyspace.push({ db, keys: keys ?? 0, expires: expires ?? 0, fieldsExpire: fieldsExpire ?? 0 });
  }
  return keyspace;
}

function readPersistenceFailures(fields: Fields): InfoView['persistenceFailures'] {
  const failures: InfoView['persistenceFailures'][number][] = [];
  if (fields.get('aof_last_write_status') === 'err') failures.push('aof-write');
  if (fields.get('aof_last_bgrewrite_status') === 'err') failures.push('aof-rewrite');
  if (fields.get('rdb_last_bgsave_status') === 'err') failures.push('snapshot');
  return failures;
}

function parsePairs(line: string): Fields {
  const pairs = new Map<string, string>();
  for (const pair of line.split(',')) {
    const equals = pair.indexOf('=');
    if (equals > 0) pairs.set(pair.slice(0, equals), pair.slice(equals + 1));
  }
  return pairs;
}
