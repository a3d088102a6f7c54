/** Ports for a nexus3 under test: one whose server is down for a moment is not to be had by another. */
import { afterEach, expect, it } from 'vitest';
import { freePortBlock } from '../support/nexus.js';

const WORKER = process.env['VITEST_POOL_ID'];

afterEach(() => {
  if (WORKER === undefined) delete process.env['VITEST_POOL_ID'];
  else process.env['VITEST_POOL_ID'] = WORKER;
});

it('no port is handed out twice, though nothing listens on it', async () => {
  const bases: number[] = [];
  for (let block = 0; block < 40; block += 1) bases.push(await freePortBlock(6));
  const ports = bases.flatMap((base) => Array.from({ length: 6 }, (_, index) => base + index));
  expect(new Set(ports).size).toBe(ports.length);
  expect(bases.every((base) => base % 2 === 0)).toBe(true);
});

it('no worker is given a port of another', async () => {
  const ranges = new Map<number, string>();
  for (const worker of ['1', '2', '3', '4']) {
    process.env['VITEST_POOL_ID'] = worker;
    for (let block = 0; block < 20; block += 1) {
      const base = await freePortBlock(6);
      for (const port of [base, base + 5]) {
        const range = Math.floor((port - 20_000) / 1_100);
        expect(ranges.get(range) ?? worker).toBe(worker);
        ranges.set(range, worker);
      }
    }
  }
});
