/** Writers at full speed while a backup is made: how long the slowest hundredth of their writes waits. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Door } from '../../test/support/data-set/wire.js';
import { Wire } from '../../test/support/data-set/wire.js';
import type { Comparison, Pair } from '../comparison.js';
import { judge } from '../comparison.js';
import type { Ground } from './ground.js';
import { create, empty, redisCli } from './snapshot.js';

const WRITERS = 4;
const ROUNDS = 3;
const TARGET_TIMES_MAX = 3;
const UNDISTURBED_MS = 4_000;
/** Keys of the data set, so that what a fork shares has to be copied. */
const KEYS = 10_000;
const VALUE = 'x'.repeat(100);

export async function writers(ground: Ground, size: string): Promise<readonly Comparison[]> {
  const door: Door = { ...(await ground.door()), username: 'default', password: await ground.password('default') };
  const rows: { readonly quiet: number; readonly backup: number; readonly rival: number }[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const quiet = await slowest(door, () => sleep(UNDISTURBED_MS));
    const backup = await slowest(door, () => create(ground, '--no-verify'));
    const rival = await slowest(door, () => redisCli(ground));
    rows.push({ quiet, backup, rival });
    await empty(ground);
  }
  const nexus3 = `p99 of ${String(WRITERS)} writers’ writes during \`backup create --no-verify\`, ${size}`;
  const pairs = (of: (row: (typeof rows)[number]) => number): readonly Pair[] =>
    rows.map((row) => ({ nexus3Ms: row.backup, rivalMs: of(row) }));
  return [
    judge(
      {
        name: `writers-${size}`,
        nexus3,
        rival: 'p99 of the same, undisturbed',
        target: { kind: 'times-as-long', max: TARGET_TIMES_MAX },
      },
      pairs(({ quiet }) => quiet),
    ),
    judge(
      {
        name: `writers-${size}-redis-cli`,
        nexus3,
        rival: 'p99 of the same during `redis-cli --rdb`',
        target: { kind: 'none' },
      },
      pairs(({ rival }) => rival),
    ),
  ];
}

/** p99 of the waits of all writers while this is done, in milliseconds. */
async function slowest(door: Door, work: () => Promise<unknown>): Promise<number> {
  const waits: number[] = [];
  let isOver = false;
  const write = async (writer: number): Promise<void> => {
    await using wire = await Wire.open(door);
    for (let count = 0; !isOver; count += 1) {
      const key = `bulk:string:${String((count * 7 + writer * 2_503) % KEYS)}`;
      const began = performance.now();
      await wire.ask('SETRANGE', key, 0, VALUE);
      waits.push(performance.now() - began);
    }
  };
  const running = Array.from({ length: WRITERS }, (_, writer) => write(writer));
  await work();
  isOver = true;
  await Promise.all(running);
  waits.sort((a, b) => a - b);
  return waits[Math.floor(waits.length * 0.99)] ?? Number.NaN;
}
