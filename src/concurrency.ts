import pLimit from 'p-limit';

/** Runs `work` over all items, at most `concurrencyMax` at once; results in the items' order. The first failure rejects. */
export async function mapBounded<T, R>(
  items: readonly T[],
  concurrencyMax: number,
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  const limit = pLimit(concurrencyMax);
  return Promise.all(items.map((item) => limit(() => work(item))));
}
