/**
 * Never open, on both runtimes: whatever nexus3 or a person is doing to an environment, a client without a password is
 * let in nowhere on the vault, and on the operational to nothing but reading.
 */
import { appendFile, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createClient } from '@redis/client';
import { FalkorDB } from 'falkordb';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Role } from '../../src/protocol/environment.js';
import type { Address } from '../../src/protocol/redis-conf.js';
import { hostAddress } from '../../src/reconcile/access.js';
import { Secret } from '../../src/protocol/secret.js';
import { Connection, openConnection } from '../../src/redis/connection.js';
import { textOf } from '../../src/redis/replies.js';
import { ATTACKS, isRefused } from './attacks.js';
import type { Hands } from './break.js';
import { until } from './break.js';
import { runCommand } from './command.js';
import type { Intruder, Intrusion } from './intruder.js';
import { AT_A_VAULT, AT_AN_OPERATIONAL, startIntruder } from './intruder.js';
import type { NexusOptions } from './nexus.js';
import { Nexus } from './nexus.js';

/** A loop that hardly ever got an answer has proven nothing. */
const REFUSALS_MIN = 100;
/** Between `docker run` and `CONFIG SET requirepass`, the protocol done by hand takes many times as long. */
const OPEN_MS = 5;

export function describeNeverOpen(options: NexusOptions, hands: Hands): void {
  let nexus: Nexus;

  beforeAll(async () => {
    nexus = await Nexus.make(options);
  });
  afterAll(async () => {
    await nexus[Symbol.asyncDispose]();
  });

  const address = async (role: Role): Promise<Address> => hostAddress(await nexus.spec('track', role));

  /** What is done while strangers knock at both instances: each must be refused, often, and never let in. */
  async function whileKnocking(work: () => Promise<void>): Promise<void> {
    const [vault, operational] = [
      startIntruder(await address('vault'), AT_A_VAULT),
      startIntruder(await address('operational'), AT_AN_OPERATIONAL),
    ];
    try {
      await until(() => vault.tally().failures + vault.tally().refusals > 0, 'the first knock');
      await work();
      await enough(vault);
      await enough(operational);
    } finally {
      await Promise.all([vault.stop(), operational.stop()]);
    }
    expect(vault.tally().breaches, 'let in at the vault').toEqual([]);
    expect(operational.tally().breaches, 'more than reading at the operational').toEqual([]);
  }

  async function enough(intruder: Intruder): Promise<void> {
    await until(
      () => {
        const { refusals, breaches } = intruder.tally();
        return refusals > REFUSALS_MIN || breaches.length > 0;
      },
      `more than ${String(REFUSALS_MIN)} refusals`,
    );
  }

  /** As a process of its own: the knocking goes on while it works. */
  async function command(...args: readonly string[]): Promise<void> {
    const { code, output } = await runCommand(nexus, args);
    expect(code, `nexus3 ${args.join(' ')}\n${output}`).toBe(0);
  }

  describe('a client without a password that knocks in a tight loop is never let in', () => {
    it('while `up` creates the environment', async () => {
      await whileKnocking(async () => {
        await command('up');
      });
      await nexus.admin('track', 'vault', 'SET', 'kept', 'value');
      await nexus.admin('track', 'vault', 'GRAPH.QUERY', 'projects', "CREATE (:Project {name: 'nexus'})");
      await until(
        async () => (await nexus.anonymous('track', 'operational', 'GET', 'kept')) === 'value',
        'replication',
      );
    });

    it('while both are restarted by hand', async () => {
      await whileKnocking(async () => {
        for (const role of ['vault', 'operational'] as const) {
          await hands.kill(nexus, 'track', role);
          await hands.start(nexus, 'track', role);
        }
      });
      await nexus.report(0, 'check', 'track');
    });

    it('while `down` and `up` stop and start them', async () => {
      await whileKnocking(async () => {
        await command('down', 'track');
        await command('up', 'track');
      });
    });

    it('while `check --fix` puts users in force, replaces the replication credential and restarts the vault', async () => {
      await nexus.admin('track', 'vault', 'ACL', 'SETUSER', 'intruder', 'on', '>a-password', '~*', '+@all');
      const { configDir } = await nexus.spec('track', 'vault');
      await appendFile(join(configDir, 'redis.conf'), 'databases 17\n');
      await whileKnocking(async () => {
        await command('check', 'track', '--fix');
      });
      await nexus.report(0, 'check', 'track');
    });

    it('while `recover --vault` rebuilds an emptied vault', async () => {
      const { dataDir } = await nexus.spec('track', 'vault');
      await hands.stop(nexus, 'track', 'vault');
      for (const name of await readdir(dataDir)) await rm(join(dataDir, name), { recursive: true });
      await whileKnocking(async () => {
        await hands.start(nexus, 'track', 'vault');
        await until(async () => (await nexus.findings('track')).includes('vault-empty vault'), 'the hold');
        await command('recover', 'track', '--vault', '--yes');
      });
      await nexus.report(0, 'check', 'track');
      expect(await nexus.anonymous('track', 'operational', 'GET', 'kept')).toBe('value');
    });

    it('and a door that is open for a few milliseconds would be seen', async () => {
      const password = new Secret(await nexus.password('track', 'admin'));
      using admin = await openConnection(await address('vault'), { user: 'admin', password });
      const intruder = startIntruder(await address('vault'), AT_A_VAULT);
      await enough(intruder);
      await admin.send(['ACL', 'SETUSER', 'default', 'nopass']);
      await new Promise((resolve) => setTimeout(resolve, OPEN_MS));
      await admin.send(['ACL', 'LOAD']);
      expect((await intruder.stop()).breaches).toContain('PING: +PONG');
    });

    it('and so would an operational that tells its masterauth', async () => {
      await nexus.admin('track', 'operational', 'ACL', 'SETUSER', 'default', '+config|get');
      expect(await knockedThrough('operational', AT_AN_OPERATIONAL)).toContain('CONFIG GET masterauth: *2');
      await nexus.report(0, 'check', 'track', '--fix');
    });

    async function knockedThrough(role: Role, intrusion: Intrusion): Promise<readonly string[]> {
      const intruder = startIntruder(await address(role), intrusion);
      await until(() => intruder.tally().breaches.length > 0, 'an open door');
      return (await intruder.stop()).breaches;
    }
  });

  describe('a client without a password on the operational may read, and nothing else', () => {
    /** Every attack, one after the other on one connection; what was not refused. */
    async function notRefused(): Promise<readonly string[]> {
      using stranger = await Connection.open(await address('operational'));
      const through: string[] = [];
      for (const attack of ATTACKS) {
        const reply = await stranger.send(attack.split(' '));
        if (!isRefused(reply)) through.push(`${attack}: ${textOf(reply) ?? JSON.stringify(reply)}`);
      }
      return through;
    }

    async function isUnharmed(): Promise<void> {
      await nexus.report(0, 'check', 'track');
      expect(await nexus.anonymous('track', 'operational', 'GET', 'kept')).toBe('value');
    }

    it('as nexus3 made it', async () => {
      expect(ATTACKS.length).toBeGreaterThan(80);
      expect(await notRefused()).toEqual([]);
      await isUnharmed();
    });

    it('right after the administrator has made it a master', async () => {
      await nexus.admin('track', 'operational', 'REPLICAOF', 'NO', 'ONE');
      expect(await notRefused()).toEqual([]);
      await nexus.report(0, 'check', 'track', '--fix');
      await isUnharmed();
    });

    it('right after it was restarted by hand', async () => {
      await hands.kill(nexus, 'track', 'operational');
      await hands.start(nexus, 'track', 'operational');
      await until(async () => (await nexus.anonymous('track', 'operational', 'PING').catch(String)) === 'PONG');
      expect(await notRefused()).toEqual([]);
      await nexus.report(0, 'check', 'track');
      await isUnharmed();
    });

    it('while its vault is down', async () => {
      await hands.stop(nexus, 'track', 'vault');
      expect(await notRefused()).toEqual([]);
      expect(await nexus.anonymous('track', 'operational', 'GET', 'kept')).toBe('value');
      await nexus.report(0, 'up', 'track');
      await isUnharmed();
    });

    it('with node-redis', async () => {
      const client = createClient({ socket: { ...(await address('operational')), reconnectStrategy: false } });
      await client.connect();
      expect(await client.get('kept')).toBe('value');
      await expect(client.set('kept', 'other')).rejects.toThrow(/NOPERM|READONLY/);
      client.destroy();
    });

    it('with ioredis', async () => {
      const client = new Redis({ ...(await address('operational')), lazyConnect: true, retryStrategy: () => null });
      await client.connect();
      expect(await client.get('kept')).toBe('value');
      await expect(client.set('kept', 'other')).rejects.toThrow(/NOPERM|READONLY/);
      client.disconnect();
    });

    it('with the falkordb client', async () => {
      const client = await FalkorDB.connect({ socket: { ...(await address('operational')) } });
      expect(await client.list()).toEqual(['projects']);
      const graph = client.selectGraph('projects');
      expect((await graph.roQuery('MATCH (p:Project) RETURN p.name AS name')).data).toEqual([{ name: 'nexus' }]);
      await expect(graph.query("CREATE (:Project {name: 'other'})")).rejects.toThrow(/NOPERM|READONLY/);
      await client.close();
    });
  });
}
