/** Waits for what servers do by themselves, with a bound. */
import { setTimeout as sleep } from 'node:timers/promises';

/** Seldom enough not to be a load of its own, for either side. */
const POLL_MS = 20;
const TIMEOUT_MS = 300_000;

/** @param isSo may throw as long as it cannot be asked @returns milliseconds */
export async function timeUntil(isSo: () => Promise<boolean>, what: string): Promise<number> {
  const began = performance.now();
  for (;;) {
    if (await isSo().catch(() => false)) return performance.now() - began;
    if (performance.now() - began > TIMEOUT_MS) throw new Error(`${what}: not within ${String(TIMEOUT_MS)} ms`);
    await sleep(POLL_MS);
  }
}
