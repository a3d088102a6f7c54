/** Killed anywhere, run again: every changing command, cut off by SIGKILL at random instants. On both runtimes. */
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Hands } from './break.js';
import { until } from './break.js';
import { runCommand } from './command.js';
import type { NexusOptions } from './nexus.js';
import { freePortBlock, Nexus } from './nexus.js';
import { chance, instant, rounds, SEED } from './random.js';

const KILLS_IN_CI = 3;
const KILLS_IN_SOAK = 50;
/** Of a command’s usual time, at least. */
const NODE_STARTING = 0.1;
const MINUTES = 60_000;

/** @param instancesOf how many instances of this nexus3 there are, running or not, as the runtime's own tools count. */
export function describeKilled(
  options: NexusOptions,
  hands: Hands,
  instancesOf: (nexus: Nexus) => Promise<number>,
): void {
  let nexus: Nexus;
  const kills = rounds(KILLS_IN_CI, KILLS_IN_SOAK);
  const random = chance(SEED);
  const timeout = kills * MINUTES;

  beforeAll(async () => {
    nexus = await Nexus.make(options);
    await nexus.report(0, 'up');
    await nexus.admin('track', 'vault', 'SET', 'kept', 'value');
    await until(async () => (await nexus.anonymous('track', 'operational', 'GET', 'kept')) === 'value', 'replication');
  });

  afterAll(async () => {
    await nexus[Symbol.asyncDispose]();
  });

  /** Kills the command at some instant of its usual time, runs it again to its end, and looks at what is left. */
  async function killedAndRunAgain(
    args: readonly string[],
    makeReady: () => Promise<void>,
    instances: number,
  ): Promise<void> {
    await makeReady();
    const usual = await runCommand(nexus, args);
    expect(usual.code, usual.output).toBe(0);
    for (let kill = 0; kill < kills; kill += 1) {
      await makeReady();
      const afterMs = Math.floor(instant(random, kill, kills, NODE_STARTING) * usual.ms);
      const where = `seed ${String(SEED)}, kill ${String(kill)}, after ${String(afterMs)} of ${usual.ms.toFixed(0)} ms`;
      const killed = await runCommand(nexus, args, afterMs);
      const again = killed.code === 0 ? killed : await runCommand(nexus, args);
      const isDoneAlready =
        again.code !== 0 && /ENVIRONMENT_EXISTS|RECOVER_REFUSED|already|not held/.test(again.output);
      expect(again.code === 0 || isDoneAlready, `${where}\n${again.output}`).toBe(true);
      await isWhole(where, instances);
    }
  }

  async function isWhole(where: string, instances: number): Promise<void> {
    const { code, out } = await nexus.run('check', '--json');
    expect(code, `${where}\n${out}`).toBe(0);
    expect(await nexus.anonymous('track', 'operational', 'GET', 'kept'), where).toBe('value');
    expect(await instancesOf(nexus), `${where}: instances`).toBe(instances);
    expect(await leftovers(), `${where}: files`).toEqual([]);
    expect(await strayCredentials(), `${where}: credentials`).toEqual([]);
  }

  async function leftovers(): Promise<readonly string[]> {
    const names = await readdir(nexus.dataRoot, { recursive: true });
    return names.filter((name) => /\.new$|(^|\/)aside\/./.test(name));
  }

  async function strayCredentials(): Promise<readonly string[]> {
    const keys = await nexus.admin('locker', 'vault', 'KEYS', 'nexus3:locker:*:env:*');
    const { out } = await nexus.run('status', '--json');
    const { environments } = JSON.parse(out) as { environments: { name: string }[] };
    const known = new Set(environments.map(({ name }) => name));
    return (keys as readonly string[]).filter((key) => !known.has(key.split(':').at(-1) ?? ''));
  }

  async function empty(folder: string): Promise<void> {
    for (const name of await readdir(folder)) await rm(join(folder, name), { recursive: true });
  }

  it(
    'up',
    async () => {
      await killedAndRunAgain(
        ['up'],
        async () => {
          await nexus.run('down');
          await hands.takeAway(nexus, 'track', 'operational');
          await hands.takeAway(nexus, 'user', 'vault');
        },
        4,
      );
    },
    timeout,
  );

  it(
    'check --fix',
    async () => {
      await killedAndRunAgain(
        ['check', '--fix'],
        async () => {
          await nexus.run('check', '--fix');
          await nexus.admin('track', 'operational', 'ACL', 'SETUSER', 'default', '+config|get');
          await nexus.admin('track', 'vault', 'CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru');
          await hands.stop(nexus, 'user', 'vault');
        },
        4,
      );
    },
    timeout,
  );

  it(
    'create',
    async () => {
      await killedAndRunAgain(
        ['create', 'notes', '--vault-port', String(await freePortBlock(2))],
        async () => {
          if ((await nexus.run('status', 'notes')).code !== 2)
            await nexus.run('remove', 'notes', '--yes', '--delete-data');
        },
        6,
      );
      await nexus.run('remove', 'notes', '--yes', '--delete-data');
      await isWhole('after remove', 4);
    },
    timeout,
  );

  it(
    'recover',
    async () => {
      await killedAndRunAgain(['recover', 'track', '--yes'], async () => Promise.resolve(), 4);
    },
    timeout,
  );

  it(
    'recover --vault',
    async () => {
      await killedAndRunAgain(
        ['recover', 'track', '--vault', '--yes'],
        async () => {
          const { dataDir } = await nexus.spec('track', 'vault');
          await hands.stop(nexus, 'track', 'vault');
          await empty(dataDir);
          await hands.start(nexus, 'track', 'vault');
          await until(async () => (await nexus.findings('track')).includes('vault-empty vault'), 'the hold');
        },
        4,
      );
    },
    timeout,
  );

  describe('two at once', () => {
    it('up and up end well, and nothing is there twice', async () => {
      await nexus.run('down');
      await hands.takeAway(nexus, 'track', 'operational');
      const both = await Promise.all([runCommand(nexus, ['up']), runCommand(nexus, ['up'])]);
      expect(
        both.map(({ code }) => code),
        both.map(({ output }) => output).join('\n'),
      ).toEqual([0, 0]);
      await isWhole('two at once', 4);
    });
  });
}
