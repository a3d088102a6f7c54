/** Servers that answer slowly, with garbage, or never: in Locker’s place, in an instance’s place. */
import type { Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openConnection } from '../../src/redis/connection.js';
import { hostAddress } from '../../src/reconcile/access.js';
import { Secret } from '../../src/protocol/secret.js';
import { PROCESS_HANDS, pidOf, until } from '../support/break.js';
import { BEHAVIOURS, end, listen, SILENT, SLOW } from '../support/impostors.js';
import { codesOf, Nexus } from '../support/nexus.js';
import { bounded, refused } from '../support/refusal.js';

/** For a check of two environments with every time-out met on the way. */
const CHECK_MS_MAX = 20_000;

describe('in place of a Redis', () => {
  let nexus: Nexus;

  beforeAll(async () => {
    nexus = await Nexus.make({ runtime: 'process', environments: { track: 'standard' } });
    await nexus.report(0, 'up');
    await nexus.admin('track', 'vault', 'SET', 'kept', 'value');
  });
  afterAll(async () => {
    await nexus[Symbol.asyncDispose]();
  });

  async function isHealthyAgain(): Promise<void> {
    await nexus.report(0, 'up');
    await nexus.report(0, 'check');
    expect(await nexus.anonymous('track', 'operational', 'GET', 'kept')).toBe('value');
  }

  async function withImpostor(behave: (socket: Socket) => void, work: (port: number) => Promise<void>): Promise<void> {
    await PROCESS_HANDS.stop(nexus, 'locker', 'vault');
    const { port } = await nexus.spec('locker', 'vault');
    const impostor = await listen(port, behave);
    try {
      await work(port);
    } finally {
      await end(impostor);
      await nexus.run('up');
    }
    await isHealthyAgain();
  }

  async function checkShowsWhatItCan(port: number): Promise<void> {
    const seen = await bounded('check', () => nexus.report(3, 'check'), CHECK_MS_MAX);
    expect(seen.lockerError?.code).toBe('LOCKER_UNREACHABLE');
    expect(`${seen.lockerError?.message ?? ''} ${seen.lockerError?.hint ?? ''}`).toMatch(
      new RegExp(`${String(port)}|holds the port`),
    );
    expect(seen.environments.find(({ name }) => name === 'track')?.vault.state).toBe('locked');
  }

  it.each([SILENT, ...SLOW])(
    'on Locker’s port one that %s: `check` shows what it can and exits 3',
    async (_, behave) => {
      await withImpostor(behave, checkShowsWhatItCan);
    },
  );

  it.each(BEHAVIOURS)('on Locker’s port one that %s: nothing is written to it, and it is named', async (_, behave) => {
    await withImpostor(behave, async (port) => {
      await checkShowsWhatItCan(port);
      await refused((...args) => nexus.run(...args), ['credentials', 'get', 'track'], 'LOCKER_UNREACHABLE');
      const fixed = await bounded('check --fix', () => nexus.report(3, 'check', '--fix'), CHECK_MS_MAX);
      expect(fixed.failures).toEqual([expect.objectContaining({ code: 'PORT_TAKEN', on: 'locker/vault' })]);
      expect(fixed.failures[0]?.message).toContain(`process ${String(process.pid)}`);
    });
  });

  it.each(['vault', 'operational'] as const)(
    'on the port of the stopped %s: it is told nothing, and named when the port is needed',
    async (role) => {
      // The operational itself, as Redis does, shows whoever stands in its vault's place what opens replication: once a second.
      const users = ['admin', 'default', 'operational-admin', ...(role === 'vault' ? [] : ['replicator'])];
      const passwords = await Promise.all(users.map((user) => nexus.password('track', user)));
      await PROCESS_HANDS.stop(nexus, 'track', role);
      const { port } = await nexus.spec('track', role);
      let heard = '';
      const impostor = await listen(port, (socket) => {
        socket.on('data', (chunk: Buffer) => {
          heard += chunk.toString('latin1');
          socket.write('+OK\r\n'.repeat(20));
        });
      });
      try {
        const seen = await bounded('check', () => nexus.report(1, 'check', 'track'), CHECK_MS_MAX);
        expect(codesOf(seen, 'track')).toContain(`instance-stopped ${role}`);
        const fixed = await bounded('check --fix', () => nexus.report(1, 'check', 'track', '--fix'), CHECK_MS_MAX);
        expect(fixed.failures[0]).toMatchObject({ code: 'PORT_TAKEN', on: `track/${role}` });
        for (const [at, password] of passwords.entries())
          expect(heard.includes(password), `told the password of ${String(users[at])}`).toBe(false);
      } finally {
        await end(impostor);
        await nexus.run('up');
      }
      await isHealthyAgain();
    },
  );

  it('one that is slow, but answers, is well', async () => {
    const pid = await pidOf(nexus, 'track', 'vault');
    process.kill(pid, 'SIGSTOP');
    const waking = setTimeout(() => process.kill(pid, 'SIGCONT'), 1_000);
    try {
      await bounded('check', () => nexus.report(0, 'check', 'track'), CHECK_MS_MAX);
    } finally {
      clearTimeout(waking);
      process.kill(pid, 'SIGCONT');
    }
  });

  it('one that is busy with a script without end is unreachable, and is restarted with its data', async () => {
    const password = new Secret(await nexus.password('track', 'admin'));
    const address = hostAddress(await nexus.spec('track', 'vault'));
    const busy = await openConnection(address, { user: 'admin', password });
    const never = busy.send(['EVAL', 'while true do end', '0'], { timeoutMs: 60_000 }).catch(() => undefined);
    await until(
      async () =>
        /BUSY/.test(String(await nexus.anonymous('track', 'vault', 'PING').catch(String))) || (await isBusy()),
    );
    const seen = await bounded('check', () => nexus.report(1, 'check', 'track'), CHECK_MS_MAX);
    expect(codesOf(seen, 'track')).toContain('instance-unreachable vault');
    await bounded('check --fix', () => nexus.report(0, 'check', 'track', '--fix'), 60_000);
    await never;
    busy.close();
    await isHealthyAgain();

    /** A stranger is told NOAUTH before BUSY. */
    async function isBusy(): Promise<boolean> {
      using second = await openConnection(address, { user: 'admin', password });
      return JSON.stringify(await second.send(['GET', 'kept'])).includes('BUSY');
    }
  });
});
