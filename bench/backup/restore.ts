/** A restore against a bare redis-server that loads the same file. */
import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { textOf, Wire, type Answer, type Door } from '../../test/support/data-set/wire.js';
import type { Comparison, Contest, Pair } from '../comparison.js';
import { judge } from '../comparison.js';
import { timeBareServer } from './bare-server.js';
import type { Ground } from './ground.js';
import { ENV, settle } from './ground.js';
import { create, newest } from './snapshot.js';
import { timeUntil } from './wait.js';

const WARM_UPS = 1;
const TARGET_TIMES_MAX = 1.5;
const MARK = 'bench:which';

export interface RestoreRounds {
  readonly size: string;
  readonly pairs: number;
}

export async function restore(ground: Ground, { size, pairs: count }: RestoreRounds): Promise<readonly Comparison[]> {
  const door: Door = { ...(await ground.door()), username: 'default', password: await ground.password('default') };
  await write(door, 'SET', MARK, 'as backed up');
  await create(ground);
  const { id } = await newest(ground);
  const dump = join(ground.repository, ENV, id, 'dump.rdb');
  const rows: { readonly serving: number; readonly whole: number; readonly rival: number }[] = [];
  for (let round = 0; round < WARM_UPS + count; round += 1) {
    await write(door, 'SET', MARK, 'written since');
    await settle(await ground.door());
    const running = ground.estate.nexus3('restore', ENV, '--id', id, '--yes', '--quiet');
    const isRestored = async (): Promise<boolean> => textOf(await write(door, 'GET', MARK)) === 'as backed up';
    const serving = await timeUntil(isRestored, 'the restored data');
    const { ms: whole } = await running;
    const rival = await bareLoad(ground, dump);
    if (round >= WARM_UPS) rows.push({ serving, whole, rival });
  }
  const contest: Contest = {
    name: `restore-${size}`,
    nexus3: `\`nexus3 restore ENV\`, ${size}: from its start until applications read the restored data on the vault`,
    rival: 'a bare redis-server that loads the same file, from its start until it has loaded it',
    target: { kind: 'times-as-long', max: TARGET_TIMES_MAX },
  };
  const pairs = (of: (row: (typeof rows)[number]) => number): readonly Pair[] =>
    rows.map((row) => ({ nexus3Ms: of(row), rivalMs: row.rival }));
  return [
    judge(
      contest,
      pairs(({ serving }) => serving),
    ),
    judge(
      {
        ...contest,
        name: `restore-${size}-whole`,
        nexus3: 'the same, to its end: the operational refilled, both counted, a write read on the operational',
        target: { kind: 'none' },
      },
      pairs(({ whole }) => whole),
    ),
  ];
}

async function bareLoad(ground: Ground, dump: string): Promise<number> {
  const dir = join(ground.estate.root, 'bare-load');
  await mkdir(dir);
  await copyFile(dump, join(dir, 'dump.rdb'));
  return timeBareServer({ dir, lines: ['appendonly no'], ready: /^loading:0/m });
}

async function write(door: Door, ...words: readonly string[]): Promise<Answer> {
  await using wire = await Wire.open(door);
  return await wire.ask(...words);
}
