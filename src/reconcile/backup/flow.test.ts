import { expect, it } from 'vitest';
import { SILENT } from '../../progress.js';
import { flowOf } from './flow.js';

it.each([
  [41, '41 B, 41 B/s'],
  [4_823_450, '4.6 MiB, 4.6 MiB/s'],
  [125_829_120, '120 MiB, 120 MiB/s'],
])('%d bytes in a second are told as reports have them', (bytes, told) => {
  const times = [0, 1_000, 1_000];
  const clock = { now: () => new Date(times.shift() ?? 1_000), sleep: () => Promise.resolve() };
  const flow = flowOf(SILENT, clock, 'a copy');
  flow.onBytes(bytes);
  expect(flow.told()).toBe(told);
});
