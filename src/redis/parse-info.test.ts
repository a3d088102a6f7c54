import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseInfo, readInfo } from './parse-info.js';

const MASTER = `# Server
redis_version:8.2.3
process_id:12455
run_id:ff2a3a6b66ea04f0837b7063c3b7a7ae4e8915f9
uptime_in_seconds:61
config_file:/data/config:with colon/redis.conf

# Memory
used_memory:2638264

# Persistence
loading:0
rdb_last_bgsave_status:err
aof_enabled:1
aof_last_bgrewrite_status:ok
aof_last_write_status:err

# Replication
role:master
connected_slaves:2
slave0:ip=10.0.4.3,port=6379,state=online,offset=4700,lag=0
slave1:ip=fd00::1,port=6379,state=wait_bgsave,offset=0,lag=1
master_replid:40ecf24b9f9a27126ac6906e4ece2920b3a69abe
master_repl_offset:4711

# Modules
module:name=vectorset,ver=1,api=1,filters=0,usedby=[],using=[],options=[handle-io-errors|handle-repl-async-load]
module:name=graph,ver=41603,api=1,filters=0,usedby=[],using=[],options=[]

# Keyspace
db0:keys=12,expires=1,avg_ttl=0,subexpiry=4
db3:keys=5,expires=0,avg_ttl=0
`.replaceAll('\n', '\r\n');

const REPLICA = `redis_version:8.2.3
run_id:ab
role:slave
master_host:nexus3-track-vault
master_port:6379
master_link_status:down
master_sync_in_progress:1
master_link_down_since_seconds:17
slave_repl_offset:4000
slave_read_repl_offset:4000
master_repl_offset:9999
loading:0
async_loading:1
`;

describe('INFO', () => {
  it('of a master', () => {
    expect(readInfo(MASTER)).toEqual({
      engine: { kind: 'redis', version: '8.2.3', graphModule: 41603 },
      runId: 'ff2a3a6b66ea04f0837b7063c3b7a7ae4e8915f9',
      role: 'master',
      uptimeSeconds: 61,
      configFile: '/data/config:with colon/redis.conf',
      processId: 12455,
      offset: 4711,
      replicationId: '40ecf24b9f9a27126ac6906e4ece2920b3a69abe',
      replica: undefined,
      replicas: [
        { address: { host: '10.0.4.3', port: 6379 }, state: 'online', offset: 4700 },
        { address: { host: 'fd00::1', port: 6379 }, state: 'wait_bgsave', offset: 0 },
      ],
      loading: false,
      keyspace: [
        { db: 0, keys: 12, expires: 1, fieldsExpire: 4 },
        { db: 3, keys: 5, expires: 0, fieldsExpire: 0 },
      ],
      memoryBytes: 2638264,
      aofEnabled: true,
      persistenceFailures: ['aof-write', 'snapshot'],
    });
  });

  it('of a replica whose link is down', () => {
    expect(readInfo(REPLICA)).toMatchObject({
      role: 'replica',
      offset: 4000,
      replica: {
        master: { host: 'nexus3-track-vault', port: 6379 },
        link: 'down',
        syncing: true,
        downSeconds: 17,
        offset: 4000,
      },
      replicas: [],
    });
  });

  it('of a replica that never was linked says no time', () => {
    const text = REPLICA.replace('since_seconds:17', 'since_seconds:-1');
    expect(readInfo(text)?.replica?.downSeconds).toBeUndefined();
  });

  it('of Valkey, which calls itself Redis 7.2.4 as well', () => {
    const text = 'redis_version:7.2.4\nserver_name:valkey\nvalkey_version:8.0.1\nrun_id:a\nrole:master\n';
    expect(readInfo(text)?.engine).toEqual({ kind: 'valkey', version: '8.0.1', graphModule: 0 });
  });

  it('without version, run id or role says nothing', () => {
    for (const name of ['redis_version', 'run_id', 'role']) {
      expect(readInfo(MASTER.replace(new RegExp(`^${name}:.*$`, 'm'), '')), name).toBeUndefined();
    }
  });

  it('never throws, and never counts what is no count', () => {
    const name = fc.constantFrom(...parseInfo(MASTER + REPLICA).keys(), 'module', 'db7', 'slave0', 'x');
    const value = fc.oneof(fc.string(), fc.constantFrom('-1', '1e9', 'NaN', 'keys=x', 'ip=,port=', '9'.repeat(40)));
    const garbage = fc
      .array(
        fc.oneof(
          fc.tuple(name, value).map((pair) => pair.join(':')),
          fc.string(),
        ),
      )
      .map((lines) => `redis_version:8\nrun_id:a\nrole:master\n${lines.join('\n')}`);
    fc.assert(
      fc.property(garbage, (text) => {
        const numbers: number[] = [];
        JSON.stringify(
          readInfo(text),
          (_, value: unknown) => (typeof value === 'number' && numbers.push(value), value),
        );
        expect(numbers.filter((number) => !Number.isSafeInteger(number) || number < 0)).toEqual([]);
      }),
    );
  });
});
