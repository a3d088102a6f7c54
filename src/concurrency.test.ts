import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { mapBounded } from './concurrency.js';

describe('bounded work', () => {
  it('is never more at once than allowed, and comes back in order', async () => {
    let now = 0;
    let most = 0;
    const results = await mapBounded([5, 1, 4, 2, 3, 0], 2, async (item) => {
      now += 1;
      most = Math.max(most, now);
      await sleep(item);
      now -= 1;
      return item * 10;
    });
    expect(results).toEqual([50, 10, 40, 20, 30, 0]);
    expect(most).toBe(2);
  });

  it('fails with the first failure', async () => {
    const work = mapBounded([1, 2, 3], 2, async (item) => {
      await sleep(item);
      if (item === 2) throw new Error('second');
    });
    await expect(work).rejects.toThrow('second');
  });
});
