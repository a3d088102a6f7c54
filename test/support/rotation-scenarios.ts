/** New passwords while everything runs: under load, cut off by SIGKILL, two at once, with servers down. On both runtimes. */
import { readFile, stat, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Hands } from './break.js';
import { until } from './break.js';
import { runCommand } from './command.js';
import { codesOf, findingOf, Nexus } from './nexus.js';
import type { NexusOptions } from './nexus.js';
import { chance, instant, rounds, SEED } from './random.js';
import type { Known } from './rotated.js';
import { accepted as acceptedBy, areAll, handedOut as handedOutOf, syncsOf, versionOfDefault } from './rotated.js';
import { CLIENTS, rotatesUnderLoad } from './rotation-load.js';

const MINUTES = 60_000;
const ROTATIONS = rounds(3, 20);
const KILLS = rounds(3, 50);

export function describeRotation(options: NexusOptions, hands: Hands): void {
  let nexus: Nexus;

  beforeAll(async () => {
    nexus = await Nexus.make(options);
    // So that no step waits for the second of `everysec`.
    await nexus.editYaml((text) => text.replace('kind: secure }', 'kind: secure, settings: { appendfsync: always } }'));
    await nexus.report(0, 'up');
    await nexus.admin('track', 'vault', 'SET', 'kept', 'value');
  });

  afterAll(async () => {
    await nexus[Symbol.asyncDispose]();
  });

  /** One story that goes wrong must not make the next ones go wrong. */
  afterEach(async ({ task }) => {
    if (task.result?.state !== 'fail') return;
    await nexus.run('up');
    await nexus.run('check', '--fix');
    await nexus.run('rotate', '--all', '--grace', '0');
  });

  const handedOut = async (env: string): Promise<readonly Known[]> => handedOutOf(nexus, env);
  const accepted = async (env: string, one: Known): Promise<boolean> => acceptedBy(nexus, env, one);
  const areAccepted = async (env: string, known: readonly Known[], where = ''): Promise<void> =>
    areAll(nexus, true, env, known, where);
  const areRefused = async (env: string, known: readonly Known[], where = ''): Promise<void> =>
    areAll(nexus, false, env, known, where);

  async function rotated(...args: readonly string[]): Promise<string> {
    const { code, out, err } = await nexus.run('rotate', ...args);
    expect(code, `${out}\n${err}`).toBe(0);
    return out;
  }

  async function linkIsUp(): Promise<boolean> {
    return /master_link_status:up/.test(String(await nexus.anonymous('track', 'operational', 'INFO', 'replication')));
  }

  async function isWell(where = ''): Promise<void> {
    expect(await nexus.findings('track'), where).toEqual([]);
    expect(await nexus.findings('locker'), where).toEqual([]);
    expect(await nexus.anonymous('track', 'operational', 'GET', 'kept'), where).toBe('value');
  }

  describe('under load', () => {
    it(
      `${String(CLIENTS)} clients write and read while all passwords change ${String(ROTATIONS)} times: nothing is refused, nothing is lost`,
      async () => {
        await rotatesUnderLoad(nexus, ROTATIONS);
        await isWell();
      },
      ROTATIONS * MINUTES,
    );

    it('check sees no drift at any moment of it', async () => {
      const seen = new Set<string>();
      const state = { isOver: false };
      const watching = (async () => {
        while (!state.isOver) for (const one of await nexus.findings('track')) seen.add(one);
      })();
      await rotated('track', '--grace', '1');
      await rotated('track', '--grace', '0');
      state.isOver = true;
      await watching;
      expect([...seen].filter((one) => one !== 'rotation-unfinished vault')).toEqual([]);
    });
  });

  describe('cut off by SIGKILL', () => {
    const random = chance(SEED);

    it.each(['track', 'locker'])(
      `rotate %s at ${String(KILLS)} instants: nobody is locked out, and the next run completes it`,
      async (env) => {
        const args = ['rotate', env, '--grace', '0'];
        const usual = await runCommand(nexus, args);
        expect(usual.code, usual.output).toBe(0);
        for (let kill = 0; kill < KILLS; kill += 1) {
          const old = await handedOut(env);
          const afterMs = Math.floor(instant(random, kill, KILLS, 0.1) * usual.ms);
          const where = `seed ${String(SEED)}, kill ${String(kill)}, after ${String(afterMs)} of ${usual.ms.toFixed(0)} ms`;
          const killed = await runCommand(nexus, args, afterMs);

          await areAccepted(env, await handedOut(env), where);
          await until(linkIsUp, `${where}: the link`);
          const left = (await nexus.findings(env)).filter((one) => one !== 'rotation-unfinished vault');
          expect(left, where).toEqual([]);
          if (random() < 0.5) {
            await nexus.report(0, 'check', '--fix');
            await areAccepted(env, await handedOut(env), `${where}, after --fix`);
          }

          const again = killed.code === 0 ? killed : await runCommand(nexus, args);
          expect(again.code, `${where}\n${again.output}`).toBe(0);
          await areAccepted(env, await handedOut(env), where);
          await areRefused(env, old, where);
          await isWell(where);
        }
      },
      KILLS * MINUTES,
    );

    it('says so while it is unfinished, completes that one, and then gives the others theirs', async () => {
      const old = await handedOut('track');
      const version = await versionOfDefault(nexus);
      await using world = await nexus.world();
      await (await world.locker.open()).prepareRotation('track', ['default'], new Date());
      const report = await nexus.report(0, 'check', 'track');
      expect(codesOf(report, 'track')).toEqual(['rotation-unfinished vault']);
      expect(findingOf(report, 'track', 'rotation-unfinished')).toMatchObject({
        severity: 'warning',
        evidence: { names: 'default', phase: 'prepared' },
      });
      expect(await rotated('track', '--grace', '0')).toContain('begun by an earlier run');
      await areRefused('track', old);
      await areAccepted('track', await handedOut('track'));
      expect(await versionOfDefault(nexus), 'rotated once').toBe(version + 1);
      await isWell();
    });

    it('completes that one, and leaves alone whom nobody named', async () => {
      const old = await handedOut('track');
      await using world = await nexus.world();
      await (await world.locker.open()).prepareRotation('track', ['default'], new Date());
      await rotated('track', '--user', 'backup', '--grace', '0');
      expect(await Promise.all(old.map((one) => accepted('track', one)))).toEqual([false, true, true, false, true]);
      await isWell();
    });

    it('a grace that is given ends that of one under way earlier, as after a leak', async () => {
      const before = await nexus.password('track', 'backup');
      await using world = await nexus.world();
      const locker = await world.locker.open();
      await locker.prepareRotation('track', ['backup'], new Date());
      await nexus.report(0, 'check', 'track', '--fix');
      await locker.promoteRotation('track', new Date(), new Date(Date.now() + 24 * 3_600_000));
      const planned = await nexus.run('rotate', 'track', '--user', 'backup', '--dry-run');
      expect(planned.out).toContain('complete the rotation of backup');
      const { code, err } = await nexus.run('rotate', 'track', '--user', 'backup', '--grace', '0');
      expect(code, err).toBe(0);
      expect(await nexus.password('track', 'backup')).not.toBe(before);
      await nexus.report(0, 'check');
    });

    it('waits only for the rest of the grace, and check does not speak of it meanwhile', async () => {
      const graceMs = 3_000;
      await using world = await nexus.world();
      const locker = await world.locker.open();
      await locker.prepareRotation('track', ['backup'], new Date());
      await nexus.report(0, 'check', 'track', '--fix');
      await nexus.run('down', 'track');
      await nexus.report(0, 'up', 'track');
      const graceUntil = Date.now() + graceMs;
      await locker.promoteRotation('track', new Date(), new Date(graceUntil));
      expect(await nexus.findings('track')).toEqual([]);
      await rotated('track', '--user', 'backup', '--grace', '600');
      expect(Date.now()).toBeGreaterThanOrEqual(graceUntil);
      await isWell();
    });
  });

  describe('at the same time as others', () => {
    it('two rotations of one environment are one rotation', async () => {
      const before = await versionOfDefault(nexus);
      const rotate = async (): ReturnType<typeof runCommand> => runCommand(nexus, ['rotate', 'track', '--grace', '3']);
      const both = await Promise.all([rotate(), rotate()]);
      for (const { code, output } of both) expect(code, output).toBe(0);
      expect(await versionOfDefault(nexus)).toBe(before + 1);
      await areAccepted('track', await handedOut('track'));
      await isWell();
    });

    it('two rotations of different users: each gives those that it was asked for new passwords', async () => {
      const old = await handedOut('track');
      const args = ['rotate', 'track', '--grace', '1', '--user'];
      const both = await Promise.all(['default', 'backup'].map((user) => runCommand(nexus, [...args, user])));
      for (const { code, output } of both) expect(code, output).toBe(0);
      expect(await Promise.all(old.map((one) => accepted('track', one)))).toEqual([false, true, true, false, true]);
      await areAccepted('track', await handedOut('track'));
      await isWell();
    });

    it('whatever is run during the grace keeps both passwords accepted; a password that gets exposed ends it', async () => {
      const old = await handedOut('track');
      const kill = new AbortController();
      const rotation = runCommand(nexus, ['rotate', 'track', '--grace', '3600'], kill.signal);
      await until(async () => (await nexus.password('track', 'default')) !== old[0]?.password, 'the new password');
      kill.abort();
      await rotation;
      const current = await handedOut('track');
      const areBothAccepted = async (where: string): Promise<void> => {
        await areAccepted('track', old, where);
        await areAccepted('track', current, where);
      };
      await nexus.report(0, 'check', 'track', '--fix');
      await areBothAccepted('after check --fix');
      await hands.stop(nexus, 'track', 'vault');
      await nexus.report(0, 'up', 'track');
      await areBothAccepted('after up');
      await hands.takeAway(nexus, 'track', 'operational');
      await nexus.report(0, 'check', 'track', '--fix');
      expect((await nexus.run('recover', 'track', '--yes')).code).toBe(0);
      await areBothAccepted('after recover');
      expect(await handedOut('track')).toEqual(current);

      await nexus.admin('track', 'operational', 'ACL', 'SETUSER', 'default', '+config|get');
      await nexus.report(0, 'check', 'track', '--fix');
      await areRefused('track', old);
      const exposed = current.filter(({ user }) => user === 'replicator');
      await areRefused('track', exposed);
      await areAccepted(
        'track',
        current.filter((one) => !exposed.includes(one)),
      );
      await areAccepted('track', await handedOut('track'));
      await isWell();
    });
  });

  describe('with something down', () => {
    it.each(['operational', 'vault'] as const)(
      'the %s is stopped: it takes the passwords when it starts',
      async (role) => {
        const old = await handedOut('track');
        await hands.stop(nexus, 'track', role);
        expect(await rotated('track', '--grace', '0')).toContain(`track/${role}`);
        await nexus.report(0, 'up', 'track');
        await areRefused('track', old);
        await areAccepted('track', await handedOut('track'));
        await isWell();
      },
    );

    it('the vault hangs: refused before anything is begun', async () => {
      const old = await handedOut('track');
      await hands.freeze(nexus, 'track', 'vault');
      const { code, err } = await nexus.run('rotate', 'track', '--grace', '0');
      expect([code, err]).toEqual([3, expect.stringContaining('track/vault does not answer')]);
      await nexus.report(0, 'check', 'track', '--fix');
      await areAccepted('track', old);
      expect(await handedOut('track')).toEqual(old);
      await isWell();
    });

    it('the vault hangs in the middle: said, and completed by the next run', async () => {
      const old = await handedOut('track');
      const { partial } = await syncsOf(nexus);
      const rotation = runCommand(nexus, ['rotate', 'track', '--grace', '3']);
      await until(async () => (await syncsOf(nexus)).partial > partial, 'the reconnect');
      // Into the grace, most likely; before that it is another error, and takes longer.
      await sleep(500);
      await hands.freeze(nexus, 'track', 'vault');
      const { code, output } = await rotation;
      expect([1, 3], output).toContain(code);
      expect(output).toContain('Nobody is locked out.');
      await nexus.report(0, 'check', 'track', '--fix');
      await areAccepted('track', await handedOut('track'));
      expect(await nexus.findings('track')).toEqual(['rotation-unfinished vault']);
      expect(await rotated('track', '--grace', '0')).toContain('begun by an earlier run');
      await areRefused('track', old);
      await isWell();
    });

    it('one of all has lost its link: the others are rotated, and that one is named', async () => {
      const [old, lockers] = [await handedOut('track'), await handedOut('locker')];
      const user = await nexus.password('user');
      await nexus.admin('track', 'operational', 'REPLICAOF', 'NO', 'ONE');
      const plan = await nexus.run('rotate', '--all', '--dry-run');
      expect([plan.code, plan.out]).toEqual([1, expect.stringContaining('✗ track: The operational of track')]);
      const named = await nexus.run('rotate', 'user', 'track', '--grace', '0');
      expect([named.code, named.err]).toEqual([1, expect.stringContaining('Nothing was begun')]);
      expect(await nexus.password('user'), 'those that are named are rotated together or not at all').toBe(user);

      const { code, out } = await nexus.run('rotate', '--all', '--grace', '0', '--json');
      expect(code, out).toBe(1);
      expect(JSON.parse(out)).toMatchObject({
        ok: false,
        environments: [
          { name: 'user', outcome: 'rotated', error: null },
          { name: 'track', outcome: 'failed', users: [], error: { code: 'ROTATE_REFUSED' } },
          { name: 'locker', outcome: 'rotated', error: null },
        ],
      });
      expect(await nexus.password('user')).not.toBe(user);
      await areRefused('locker', lockers);
      await areAccepted('track', old);
      await nexus.report(0, 'check', 'track', '--fix');
      expect(await handedOut('track')).toEqual(old);
      await isWell();
    });

    it('Locker is down: said at once, and nothing is changed', async () => {
      const old = await handedOut('track');
      await hands.stop(nexus, 'locker', 'vault');
      const { code, err } = await nexus.run('rotate', 'track', '--grace', '0');
      expect([code, err]).toEqual([3, expect.stringContaining('Locker cannot be asked')]);
      await areAccepted('track', old);
      await nexus.report(0, 'up');
      expect(await handedOut('track')).toEqual(old);
    });
  });

  it('a copy of root.key from before a rotation still opens Locker: its next start puts those passwords in force', async () => {
    const path = nexus.env['NEXUS3_ROOT_KEY_FILE'] ?? '';
    const copy = await readFile(path);
    expect(await rotated('locker', '--grace', '0')).toContain('root.key has changed');
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    await writeFile(path, copy);
    expect((await nexus.run('credentials', 'get', 'track')).err).toContain('this is an older copy of root.key');
    const { out } = await nexus.run('check', 'locker');
    expect(out).toContain('nexus3 down locker, then nexus3 up locker');
    expect((await nexus.run('down', 'locker')).code).toBe(0);
    await nexus.report(0, 'up', 'locker');
    await isWell();
  });

  describe('the command', () => {
    it.each([
      [['rotate', 'nowhere'], 'There is no environment named "nowhere"'],
      [['rotate', 'track', '--user', 'nobody'], 'There is no user "nobody"'],
      [['rotate', 'user', '--user', 'replicator'], 'user has no user replicator'],
      [['rotate', 'locker', '--user', 'admin'], 'change together'],
      [['rotate'], 'Nothing is named'],
      [['rotate', 'track', '--all'], '--all leaves no choice'],
      [['rotate', 'track', '--grace', '-1'], 'is not a number of seconds'],
    ])('%j is refused', async (args, words) => {
      const { code, err } = await nexus.run(...args);
      expect([code, err]).toEqual([2, expect.stringContaining(words)]);
    });

    it('says what it would do, and does nothing', async () => {
      const old = await handedOut('track');
      const { out } = await nexus.run('rotate', 'track', '--dry-run');
      expect(out).toContain('1. make new passwords in Locker for default, admin, replicator, backup');
      expect(await handedOut('track')).toEqual(old);
    });

    it('rotates some users only, and everything with --all, Locker last', async () => {
      const old = await handedOut('track');
      await rotated('track', '--user', 'default', '--user', 'backup,admin', '--grace', '0');
      const kept = old.filter(({ user, role }) => user === 'replicator' || role === 'operational');
      await areAccepted('track', kept);
      await areRefused(
        'track',
        old.filter((one) => !kept.includes(one)),
      );
      const lockers = await handedOut('locker');
      const { code, out } = await nexus.run('rotate', '--all', '--grace', '0', '--json');
      expect(code, out).toBe(0);
      expect(JSON.parse(out)).toMatchObject({
        schema: 'nexus3.rotate/1',
        ok: true,
        environments: [{ name: 'user' }, { name: 'track' }, { name: 'locker', outcome: 'rotated', error: null }],
      });
      await areRefused('track', kept);
      await areRefused('locker', lockers);
      await isWell();
    });
  });
}
