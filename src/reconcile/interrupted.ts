/** Work that somebody has cancelled ends between two of its steps, never within one. */
import { Nexus3Error } from '../errors.js';

/** @throws Nexus3Error INTERRUPTED */
export function refuseInterrupted(signal: AbortSignal | undefined): void {
  if (signal?.aborted !== true) return;
  throw new Nexus3Error('INTERRUPTED', 'Whoever asked for it has cancelled it, so nothing more was begun.', {
    hint: 'Look at what is left: nexus3 check',
  });
}
