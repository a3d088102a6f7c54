/** Whether a server lives: on a connection of its own, because one that is in use may be waiting for something else. */
import type { Address } from '../../protocol/redis-conf.js';
import { Connection } from '../connection.js';

/** Any answer will do, also that a password is wanted. */
export async function isAnswering(address: Address, timeoutMs: number): Promise<boolean> {
  const until = performance.now() + timeoutMs;
  try {
    using connection = await Connection.open(address, timeoutMs);
    await connection.send(['PING'], { timeoutMs: Math.max(1, until - performance.now()) });
    return true;
  } catch {
    // Refused, closed, or silent: however it is, nobody answers there.
    return false;
  }
}
