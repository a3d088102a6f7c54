/** Ends one local server: asked first, and made to after a while. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Nexus3Error, systemErrorCode } from '../../errors.js';
import type { ProcessIdentity } from '../../process-identity.js';
import { isAlive, signalProcess } from '../../process-identity.js';
import { instanceKey } from '../../protocol/environment.js';
import { STOP_GRACE_MS } from '../runtime.js';
import type { InstanceSpec } from '../runtime.js';

/** A killed process goes at once, unless the kernel waits for a disk on its behalf. */
const KILL_WAIT_MS = 5_000;
const STOP_POLL_MS = 15;

/** @throws Nexus3Error STOP_FAILED when the process may not be signalled, or outlives SIGKILL. */
export async function stopServer(spec: InstanceSpec, server: ProcessIdentity): Promise<void> {
  try {
    signalProcess(server, 'SIGTERM');
    // A stopped (SIGSTOP) process takes no SIGTERM before it goes on.
    signalProcess(server, 'SIGCONT');
    if (await hasEndedWithin(server, STOP_GRACE_MS)) return;
    signalProcess(server, 'SIGKILL');
  } catch (error) {
    if (systemErrorCode(error) !== 'EPERM') throw error;
    throw cannotStop(spec, server, 'it belongs to another user', 'Run the command as the user who started it.');
  }
  if (await hasEndedWithin(server, KILL_WAIT_MS)) return;
  throw cannotStop(
    spec,
    server,
    'it outlives SIGKILL',
    'The kernel waits on its behalf, mostly for a disk: look at dmesg.',
  );
}

async function hasEndedWithin(server: ProcessIdentity, waitMs: number): Promise<boolean> {
  for (const giveUpAt = Date.now() + waitMs; ;) {
    if (!isAlive(server)) return true;
    if (Date.now() >= giveUpAt) return false;
    await sleep(STOP_POLL_MS);
  }
}

function cannotStop(spec: InstanceSpec, { pid }: ProcessIdentity, why: string, hint: string): Nexus3Error {
  return new Nexus3Error('STOP_FAILED', `${instanceKey(spec.id)} cannot be stopped: ${why}.`, {
    evidence: [`process ${String(pid)}`],
    hint,
  });
}
