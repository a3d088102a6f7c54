/**
 * Every finding that can occur on both runtimes, as a story: something is broken for real, `check` names it and nothing
 * else, `--dry-run` says what would be done and does nothing, `--fix` repairs and proves it, and a second `--fix` has
 * nothing to do.
 */
import { chmod, mkdir, readFile, rm, writeFile, appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openConnection } from '../../src/redis/connection.js';
import { hostAddress } from '../../src/reconcile/access.js';
import { Secret } from '../../src/protocol/secret.js';
import { RootKey } from '../../src/locker/root-key.js';
import { describeBackupFindings } from './backup-finding-stories.js';
import type { Hands } from './break.js';
import { until } from './break.js';
import type { Role } from '../../src/protocol/environment.js';
import type { Report } from '../../src/reconcile/report.js';
import { codesOf, findingOf, findingsOf, Nexus } from './nexus.js';
import type { NexusOptions } from './nexus.js';
import { storiesOf } from './stories.js';

const DAY_MS = 86_400_000;

export function describeFindings(options: NexusOptions, hands: Hands): void {
  let nexus: Nexus;

  beforeAll(async () => {
    nexus = await Nexus.make(options);
    await nexus.report(0, 'up');
    await nexus.admin('track', 'vault', 'SET', 'kept', 'value');
    await nexus.admin('track', 'vault', 'GRAPH.QUERY', 'projects', "CREATE (:Project {name: 'nexus'})");
  });

  afterAll(async () => {
    await nexus[Symbol.asyncDispose]();
  });

  /** One story that goes wrong must not make the next ones go wrong. */
  afterEach(async ({ task }) => {
    if (task.result?.state !== 'fail') return;
    await nexus.run('down', 'track');
    await nexus.run('check', 'track', '--fix');
  });

  const { foundAndFixed, foundAndLeft, isHealthyWithItsData, nothingLeftToDo } = storiesOf(() => nexus);

  it('a healthy environment has no finding', async () => {
    const report = await nexus.report(0, 'check', 'track');
    expect(report.ok).toBe(true);
    expect(report.environments[0]).toMatchObject({
      name: 'track',
      kind: 'standard',
      ok: true,
      vault: { state: 'running', role: 'master' },
      operational: { state: 'running', role: 'replica', link: 'up' },
    });
    await nothingLeftToDo();
  });

  describe('an instance is gone', () => {
    it('instance-missing: the operational was taken away', async () => {
      await hands.takeAway(nexus, 'track', 'operational');
      await foundAndFixed(['instance-missing operational'], 'create track/operational', 'start track/operational');
    });

    it('instance-missing: the vault was taken away, and its data folder is still there', async () => {
      await hands.takeAway(nexus, 'track', 'vault');
      await foundAndFixed(['instance-missing vault'], 'create track/vault', 'start track/vault');
    });

    it.each(['vault', 'operational'] as const)('instance-stopped: the %s was stopped by hand', async (role) => {
      await hands.stop(nexus, 'track', role);
      await foundAndFixed([`instance-stopped ${role}`], `start track/${role}`);
    });

    it('instance-stopped: both were stopped', async () => {
      await hands.stop(nexus, 'track', 'operational');
      await hands.stop(nexus, 'track', 'vault');
      await foundAndFixed(['instance-stopped vault', 'instance-stopped operational']);
    });

    it.each(['vault', 'operational'] as const)('instance-unreachable: the %s hangs', async (role) => {
      await hands.freeze(nexus, 'track', role);
      await foundAndFixed([`instance-unreachable ${role}`], `restart track/${role}`);
    });
  });

  describe('what was rendered is no longer so', () => {
    it.each(['vault', 'operational'] as const)('config-drift: someone edited redis.conf of the %s', async (role) => {
      const { configDir } = await nexus.spec('track', role);
      await appendFile(join(configDir, 'redis.conf'), 'maxclients 17\n');
      await foundAndFixed([`config-drift ${role}`], `render the configuration of track/${role}`);
      expect(await nexus.configText('track', role, 'redis.conf')).not.toContain('maxclients 17');
    });

    it('config-drift: someone opened users.acl; the users in force never change', async () => {
      const { configDir } = await nexus.spec('track', 'vault');
      await appendFile(join(configDir, 'users.acl'), 'user intruder on nopass ~* &* +@all\n');
      await foundAndFixed(['config-drift vault'], 'put the rendered users of track/vault in force');
    });

    it('config-drift: nexus3.yaml asks for other settings, and they are put in force without a restart', async () => {
      const before = await nexus.admin('track', 'vault', 'INFO', 'server');
      await nexus.editYaml((text) => text.replace('track: { ', 'track: { settings: { maxmemory: 512mb }, '));
      await foundAndFixed(
        ['config-drift vault', 'config-drift operational'],
        'set maxmemory of track/vault to 536870912',
      );
      expect(await nexus.admin('track', 'vault', 'CONFIG', 'GET', 'maxmemory')).toEqual(['maxmemory', '536870912']);
      expect(runIdOf(await nexus.admin('track', 'vault', 'INFO', 'server'))).toBe(runIdOf(before));
      await nexus.editYaml((text) => text.replace('settings: { maxmemory: 512mb }, ', ''));
      await nexus.report(0, 'check', 'track', '--fix');
    });

    describe('by a nexus3 that gave the engine no TIMEOUT_MAX, without which a write has no end', () => {
      const byOlder = async (role: Role): Promise<string> => {
        const file = join((await nexus.spec('track', role)).configDir, 'redis.conf');
        const rendered = await readFile(file, 'utf8');
        const older = rendered.replace(/ TIMEOUT_DEFAULT \d+ TIMEOUT_MAX \d+/, '');
        expect(older).not.toBe(rendered);
        await hands.stop(nexus, 'track', role);
        await writeFile(file, older);
        await hands.start(nexus, 'track', role);
        await until(async () => (await timeoutMaxMs(role)) === 0, 'the older server');
        return rendered;
      };
      const timeoutMaxMs = async (role: Role): Promise<unknown> => {
        const reply = await nexus.admin('track', role, 'GRAPH.CONFIG', 'GET', 'TIMEOUT_MAX').catch(() => []);
        return Array.isArray(reply) ? (reply as readonly unknown[])[1] : undefined;
      };

      it('config-drift: rendered and restarted, so that writes end', async () => {
        for (const role of ['vault', 'operational'] as const) await byOlder(role);
        await foundAndFixed(
          ['config-drift vault', 'config-drift operational'],
          'restart track/operational',
          'restart track/vault',
        );
        for (const role of ['vault', 'operational'] as const) expect(await timeoutMaxMs(role)).toBe(DAY_MS);
      });

      it('config-volatile: rendered, and cut off before the restart', async () => {
        const rendered = await byOlder('vault');
        await writeFile(join((await nexus.spec('track', 'vault')).configDir, 'redis.conf'), rendered);
        await foundAndFixed(['config-volatile vault'], 'restart track/vault');
        expect(await timeoutMaxMs('vault')).toBe(DAY_MS);
      });
    });

    it.each(['vault', 'operational'] as const)('config-volatile: CONFIG SET on the %s', async (role) => {
      await nexus.admin('track', role, 'CONFIG', 'SET', 'maxmemory', '64mb');
      await foundAndFixed([`config-volatile ${role}`], `set maxmemory of track/${role} to 0`);
    });

    it('config-volatile: a user that nobody rendered', async () => {
      await nexus.admin('track', 'vault', 'ACL', 'SETUSER', 'intruder', 'on', '>secret', '~*', '+@all');
      await foundAndFixed(['config-volatile vault'], 'put the rendered users of track/vault in force');
      expect(String(await nexus.admin('track', 'vault', 'ACL', 'USERS'))).not.toContain('intruder');
    });
  });

  describe('somebody could do what they should not', () => {
    it('vault-open: the vault answers without a password', async () => {
      await nexus.admin('track', 'vault', 'ACL', 'SETUSER', 'default', 'nopass');
      await foundAndFixed(['vault-open vault'], 'put the rendered users of track/vault in force');
      expect(String(await nexus.anonymous('track', 'vault', 'PING'))).toContain('NOAUTH');
    });

    it('default-user-unrestricted: anybody may write on the operational', async () => {
      await nexus.admin('track', 'operational', 'ACL', 'SETUSER', 'default', '+set');
      await foundAndFixed(['default-user-unrestricted operational']);
    });

    it('secrets-exposed: anybody can read masterauth; the replication credential is replaced', async () => {
      const before = await nexus.password('track', 'replicator');
      await nexus.admin('track', 'operational', 'ACL', 'SETUSER', 'default', '+config|get');
      await foundAndFixed(['secrets-exposed operational'], 'replace the replicator credential of track');
      expect(await nexus.password('track', 'replicator')).not.toBe(before);
    });

    it('secrets-exposed: others on this host can read the operational’s redis.conf', async () => {
      const before = await nexus.password('track', 'replicator');
      const { configDir } = await nexus.spec('track', 'operational');
      await chmod(join(configDir, 'redis.conf'), 0o644);
      await foundAndFixed(['secrets-exposed operational']);
      expect(await nexus.password('track', 'replicator')).not.toBe(before);
    });

    it('password-mismatch: the applications’ password was changed on the vault', async () => {
      await nexus.admin('track', 'vault', 'ACL', 'SETUSER', 'default', 'resetpass', '>another-password');
      await foundAndFixed(['password-mismatch vault'], 'put the rendered users of track/vault in force');
    });

    it('password-mismatch: the administrator is locked out; that is said, not repaired, and a restart is the way out', async () => {
      await nexus.admin('track', 'vault', 'ACL', 'SETUSER', 'admin', 'resetpass', '>another-password');
      await foundAndLeft(['password-mismatch vault']);
      expect((await nexus.run('down', 'track')).code).toBe(0);
      await nexus.report(0, 'up', 'track');
      await isHealthyWithItsData();
    });

    it('credential-missing: Locker has lost one', async () => {
      await nexus.admin('locker', 'vault', 'HDEL', 'nexus3:locker:l_e0dd:env:track', 'value:backup');
      await foundAndFixed(['credential-missing vault'], 'make sure that Locker holds the credentials of track');
    });

    it('credential-unreadable: somebody changed what Locker holds', async () => {
      const field = ['nexus3:locker:l_e0dd:env:track', 'value:backup'] as const;
      const text = String(await nexus.admin('locker', 'vault', 'HGET', ...field));
      await nexus.admin('locker', 'vault', 'HSET', ...field, text.slice(0, -8));
      const left = await foundAndLeft(['credential-unreadable vault']);
      expect(findingOf(left, 'track', 'credential-unreadable')).toMatchObject({
        evidence: { code: 'LOCKER_VALUE_TAMPERED' },
        remedy: expect.stringContaining('nexus3 locker import FILE --overwrite') as string,
      });
      expect(codesOf(await nexus.report(0, 'check', 'locker'), 'locker')).toEqual([]);
      await nexus.admin('locker', 'vault', 'HSET', ...field, text);
      await isHealthyWithItsData();
    });
  });

  describe('passwords are to be replaced', () => {
    /** Warnings: they do not fail a check, and `--fix` leaves them. */
    async function isWarnedOf(code: 'rotation-unfinished' | 'password-old'): Promise<void> {
      expect(await nexus.findings('track')).toEqual([`${code} vault`]);
      const left = await nexus.report(0, 'check', 'track', '--fix');
      expect(left.applied).toBe(0);
      expect(findingOf(left, 'track', code)).toMatchObject({ severity: 'warning', remedy: 'nexus3 rotate track' });
      expect((await nexus.run('rotate', 'track', '--grace', '0')).code).toBe(0);
      await isHealthyWithItsData();
    }

    it('rotation-unfinished: a rotation was cut off', async () => {
      await using world = await nexus.world();
      await (await world.locker.open()).prepareRotation('track', ['default', 'replicator'], new Date());
      await isWarnedOf('rotation-unfinished');
    });

    it('password-old: one is older than nexus3.yaml allows', async () => {
      await nexus.editYaml((text) => `rotation: { maxAgeDays: 90 }\n${text}`);
      const key = 'nexus3:locker:l_e0dd:env:track';
      await nexus.admin('locker', 'vault', 'HSET', key, 'made:backup', '2020-01-01T00:00:00.000Z');
      await isWarnedOf('password-old');
      await nexus.editYaml((text) => text.replace('rotation: { maxAgeDays: 90 }\n', ''));
    });
  });

  describe('vault and operational are not what they should be to each other', () => {
    it('vault-not-master: the vault was made a replica', async () => {
      await nexus.admin('track', 'vault', 'REPLICAOF', '127.0.0.1', '1');
      await foundAndFixed(['vault-not-master vault'], 'make track/vault a master again');
    });

    it('operational-not-replica: the operational was made a master', async () => {
      await nexus.admin('track', 'operational', 'REPLICAOF', 'NO', 'ONE');
      await foundAndFixed(['operational-not-replica operational'], 'attach track/operational to its vault');
    });

    it('operational-writable: the operational accepts writes', async () => {
      await nexus.admin('track', 'operational', 'CONFIG', 'SET', 'replica-read-only', 'no');
      await foundAndFixed(['operational-writable operational'], 'set replica-read-only of track/operational to yes');
    });

    it('wrong-master: the operational follows another server', async () => {
      await nexus.admin('track', 'operational', 'REPLICAOF', '127.0.0.1', '1');
      await foundAndFixed(['wrong-master operational'], 'attach track/operational to its vault');
    });

    it('link-down: the operational’s replication password is stale', async () => {
      await nexus.admin('track', 'operational', 'CONFIG', 'SET', 'masterauth', 'stale');
      await nexus.admin('track', 'vault', 'CLIENT', 'KILL', 'TYPE', 'replica');
      const report = await nexus.report(1, 'check', 'track');
      expect(findingOf(report, 'track', 'link-down').evidence).toMatchObject({ cause: 'auth' });
      await foundAndFixed(['link-down operational'], 'attach track/operational to its vault');
    });

    it('link-down: the vault’s replicator is switched off', async () => {
      await nexus.admin('track', 'vault', 'ACL', 'SETUSER', 'replicator', 'off');
      await nexus.admin('track', 'vault', 'CLIENT', 'KILL', 'TYPE', 'replica');
      await foundAndFixed(['link-down operational'], 'put the rendered users of track/vault in force');
    });

    it('replica-lag: the operational is behind by more than the bound; --fix waits', async () => {
      await nexus.editYaml((text) => text.replace('track: { ', 'track: { settings: { lagBytesMax: 1 }, '));
      const writer = await startWriting(nexus);
      try {
        await until(async () => (await nexus.findings('track')).includes('replica-lag operational'), 'lag');
      } finally {
        await writer.stop();
      }
      await nexus.editYaml((text) => text.replace('settings: { lagBytesMax: 1 }, ', ''));
      await nexus.report(0, 'check', 'track', '--fix');
      await isHealthyWithItsData();
    });

    it('replica-loading: a full sync under way is information, and --fix waits for it', async () => {
      // The snapshot for the replica is slowed down to 0.1 s a key; the replication id is changed to force a full sync.
      const slow = Array.from({ length: 30 }, (_, key) => [`slow:${String(key)}`, 'x']);
      await nexus.admin('track', 'vault', 'MSET', ...slow.flat());
      await nexus.admin('track', 'vault', 'CONFIG', 'SET', 'rdb-key-save-delay', '100000');
      await nexus.admin('track', 'operational', 'REPLICAOF', 'NO', 'ONE');
      const { host, port } = await vaultAddress(nexus);
      await nexus.admin('track', 'operational', 'SET', 'diverged', 'x');
      await nexus.admin('track', 'operational', 'REPLICAOF', host, String(port));
      await until(async () => {
        const { out } = await nexus.run('check', 'track', '--json');
        return findingsOf(JSON.parse(out) as Report, 'track').some(({ code }) => code === 'replica-loading');
      }, 'the full sync');
      await nexus.admin('track', 'vault', 'CONFIG', 'SET', 'rdb-key-save-delay', '0');
      await nexus.report(0, 'check', 'track', '--fix');
      await isHealthyWithItsData();
    });
  });

  describe('backups', () => {
    describeBackupFindings(() => nexus);
  });

  describe('Locker’s root key', () => {
    it('recovery-kit-missing: none was made; information, until there is one', async () => {
      const report = await nexus.report(0, 'check');
      expect(findingOf(report, 'locker', 'recovery-kit-missing')).toMatchObject({ severity: 'info', fixable: false });
      const fixed = await nexus.report(0, 'check', 'locker', '--fix');
      expect(findingsOf(fixed, 'locker').map(({ code }) => code)).toContain('recovery-kit-missing');
      const made = await nexus.runWith({ stdin: 'four words at random' }, 'locker', 'export', '--recovery', 'kit.age');
      expect(made.code, made.err).toBe(0);
      const after = await nexus.report(0, 'check');
      expect(findingsOf(after, 'locker').map(({ code }) => code)).not.toContain('recovery-kit-missing');
    });

    it('rekey-unfinished: a change of it was cut off; --fix leaves it, and the same command finishes it', async () => {
      await writeFile(join(nexus.root, 'root.key.next'), RootKey.generate().toText(), { mode: 0o600 });
      expect(await nexus.findings('locker')).toEqual(['rekey-unfinished vault']);
      await nexus.report(0, 'check', '--fix');
      expect(await nexus.findings('locker')).toEqual(['rekey-unfinished vault']);
      const { code, err } = await nexus.run('locker', 'rekey');
      expect(code, err).toBe(0);
      expect(await nexus.findings('locker')).toEqual([]);
      await isHealthyWithItsData();
    });
  });

  describe('the data are in danger', () => {
    it('vault-not-durable: the append-only file was switched off', async () => {
      await nexus.admin('track', 'vault', 'CONFIG', 'SET', 'appendonly', 'no');
      await foundAndFixed(['vault-not-durable vault'], 'set appendonly of track/vault to yes');
    });

    it.each(['vault', 'operational'] as const)('evicts-data: the %s may throw keys away', async (role) => {
      await nexus.admin('track', role, 'CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru');
      await foundAndFixed([`evicts-data ${role}`], `set maxmemory-policy of track/${role} to noeviction`);
    });

    it('persistence-failing: the last snapshot failed; --fix cannot help', async () => {
      const { dataDir } = await nexus.spec('track', 'operational');
      const snapshot = join(dataDir, 'dump.rdb');
      await rm(snapshot, { force: true });
      await mkdir(join(snapshot, 'in-the-way'), { recursive: true });
      await nexus.admin('track', 'operational', 'BGSAVE');
      await until(async () =>
        String(await nexus.admin('track', 'operational', 'INFO', 'persistence')).includes('rdb_last_bgsave_status:err'),
      );
      await foundAndLeft(['persistence-failing operational']);
      await rm(snapshot, { recursive: true });
      await nexus.admin('track', 'operational', 'BGSAVE');
      await until(async () =>
        String(await nexus.admin('track', 'operational', 'INFO', 'persistence')).includes('rdb_last_bgsave_status:ok'),
      );
      await isHealthyWithItsData();
    });

    it('version-incompatible: a newer engine wrote these data; the older one does not touch them', async () => {
      const { configDir } = await nexus.spec('track', 'operational');
      const record = await nexus.configText('track', 'operational', 'engine');
      await hands.stop(nexus, 'track', 'operational');
      await writeFile(join(configDir, 'engine'), 'redis 99.1.0 41603\n');
      await hands.start(nexus, 'track', 'operational');
      await until(async () => (await nexus.findings('track')).includes('version-incompatible operational'));
      await foundAndLeft(['version-incompatible operational']);
      await hands.stop(nexus, 'track', 'operational').catch(() => undefined);
      await writeFile(join(configDir, 'engine'), record);
      await nexus.report(0, 'up', 'track');
      await isHealthyWithItsData();
    });
  });
}

function runIdOf(info: unknown): string | undefined {
  return /run_id:(\w+)/.exec(String(info))?.[1];
}

async function vaultAddress(nexus: Nexus): Promise<{ readonly host: string; readonly port: number }> {
  await using world = await nexus.world();
  await world.runtime.ready();
  const vault = await nexus.spec('track', 'vault');
  return world.runtime.placement(await nexus.spec('track', 'operational'), vault.port).vaultAddress;
}

/** Writes as fast as one connection can, until it is stopped. */
async function startWriting(nexus: Nexus): Promise<{ stop(): Promise<void> }> {
  const password = new Secret(await nexus.password('track'));
  const connection = await openConnection(hostAddress(await nexus.spec('track', 'vault')), {
    user: 'default',
    password,
  });
  const value = 'x'.repeat(500_000);
  const stopping = new AbortController();
  const stopped = stopping.signal;
  const writing = (async () => {
    for (;;) {
      await connection.send(['SET', 'written', value]);
      if (stopped.aborted) return;
    }
  })();
  return {
    async stop() {
      stopping.abort();
      await writing;
      await connection.send(['DEL', 'written']);
      connection[Symbol.dispose]();
    },
  };
}
