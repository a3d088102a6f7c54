/** A wiped operational: `nexus3 recover ENV` against a plain redis-server that is started as a replica of the same vault. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { textOf, Wire } from '../../test/support/data-set/wire.js';
import type { Comparison, Contest } from '../comparison.js';
import { alternate, judge } from '../comparison.js';
import { timeBareServer } from './bare-server.js';
import type { Ground } from './ground.js';
import { ENV } from './ground.js';
import type { RestoreRounds } from './restore.js';
import { timeUntil } from './wait.js';

const WARM_UPS = 1;
const TARGET_TIMES_MAX = 1.2;
const LINK_UP = /^master_link_status:up/m;

export async function refill(ground: Ground, { size, pairs: count }: RestoreRounds): Promise<readonly Comparison[]> {
  const rival = 'a plain redis-server, started empty as a replica of the same vault, until its link is up';
  const whole: Contest = {
    name: `refill-${size}`,
    nexus3: `\`nexus3 recover ENV\` of a wiped operational, ${size}: from its start to its end, counted and proven`,
    rival,
    target: { kind: 'times-as-long', max: TARGET_TIMES_MAX },
  };
  const serving: Contest = {
    ...whole,
    name: `refill-${size}-serving`,
    nexus3: 'the same, from its start until the operational’s link is up',
    target: { kind: 'none' },
  };
  const untilServing: number[] = [];
  const pairs = await alternate(
    async () => {
      await wipe(ground);
      const running = ground.estate.nexus3('recover', ENV, '--yes', '--quiet');
      untilServing.push(await timeUntil(() => operationalSays(ground, LINK_UP), 'the operational'));
      return (await running).ms;
    },
    () => bareReplica(ground),
    { warmUps: WARM_UPS, pairs: count },
  );
  const measuredOnes = untilServing.slice(WARM_UPS);
  const servingPairs = pairs.map(({ rivalMs }, index) => ({ nexus3Ms: measuredOnes[index] ?? 0, rivalMs }));
  return [judge(whole, pairs), judge(serving, servingPairs)];
}

async function bareReplica(ground: Ground): Promise<number> {
  return timeBareServer({
    dir: join(ground.estate.root, 'bare-replica'),
    lines: [
      'masteruser replicator',
      `masterauth ${await ground.password('replicator')}`,
      `replicaof 127.0.0.1 ${String(ground.port)}`,
    ],
    ready: LINK_UP,
  });
}

/** As after `kill -9` and `rm -r` of its data. */
async function wipe(ground: Ground): Promise<void> {
  const pid = Number(await ask(ground, /^process_id:(\d+)/m));
  process.kill(pid, 'SIGKILL');
  await timeUntil(() => Promise.resolve(!isAlive(pid)), 'the end of the operational');
  await rm(join(ground.estate.root, 'data', ENV, 'operational', 'dump.rdb'), { force: true });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function operationalSays(ground: Ground, what: RegExp): Promise<boolean> {
  return (await ask(ground, what)) !== '';
}

/** What of it is in brackets, or all of it. */
async function ask(ground: Ground, what: RegExp): Promise<string> {
  await using wire = await Wire.open({ socket: { host: '127.0.0.1', port: ground.port + 1 } });
  const found = what.exec(textOf(await wire.ask('INFO')));
  return found?.[1] ?? found?.[0] ?? '';
}
