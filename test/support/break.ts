/** The ways in which people and machines break an environment, each by the runtime's own means or Redis' own commands. */
import { readFileSync } from 'node:fs';
import type { Role } from '../../src/protocol/environment.js';
import { instanceKey } from '../../src/protocol/environment.js';
import type { Nexus } from './nexus.js';

/** What the runtime's own tools do to an instance, behind nexus3's back. */
export interface Hands {
  /** Ends the server at once, as a crash does; nothing restarts it. */
  kill(nexus: Nexus, env: string, role: Role): Promise<void>;
  /** Stops it by hand; nothing restarts it. */
  stop(nexus: Nexus, env: string, role: Role): Promise<void>;
  /** Starts a stopped one by hand, as Docker or a person would: through its start script, without nexus3. */
  start(nexus: Nexus, env: string, role: Role): Promise<void>;
  /** It runs but does nothing any more. */
  freeze(nexus: Nexus, env: string, role: Role): Promise<void>;
  /** A frozen one goes on. */
  thaw(nexus: Nexus, env: string, role: Role): Promise<void>;
  /** The instance is taken away; its folders stay. */
  takeAway(nexus: Nexus, env: string, role: Role): Promise<void>;
}

/** The embedded runtime's: signals, and the start script by hand. */
export const PROCESS_HANDS: Hands = {
  async kill(nexus, env, role) {
    await signal(nexus, env, role, 'SIGKILL');
  },
  async stop(nexus, env, role) {
    await signal(nexus, env, role, 'SIGTERM');
  },
  async start(nexus, env, role) {
    await using world = await nexus.world();
    await world.runtime.ready();
    await world.runtime.start(await nexus.spec(env, role));
  },
  async freeze(nexus, env, role) {
    const pid = await pidOf(nexus, env, role);
    process.kill(pid, 'SIGSTOP');
    await until(() => /\) T /.test(readFileSync(`/proc/${String(pid)}/stat`, 'utf8')), 'the stop');
  },
  async thaw(nexus, env, role) {
    process.kill(await pidOf(nexus, env, role), 'SIGCONT');
  },
  async takeAway(nexus, env, role) {
    await using world = await nexus.world();
    await world.runtime.ready();
    await world.runtime.remove(await nexus.spec(env, role));
  },
};

export async function pidOf(nexus: Nexus, env: string, role: Role): Promise<number> {
  await using world = await nexus.world();
  await world.runtime.ready();
  const spec = await nexus.spec(env, role);
  const pid = (await world.runtime.observe([spec])).instances.get(instanceKey(spec.id))?.pid;
  if (pid === undefined || pid === 0) throw new Error(`${env}/${role} does not run`);
  return pid;
}

async function signal(nexus: Nexus, env: string, role: Role, name: NodeJS.Signals): Promise<void> {
  const pid = await pidOf(nexus, env, role);
  process.kill(pid, name);
  await until(() => hasEnded(pid));
}

function hasEnded(pid: number): boolean {
  try {
    return /^\d+ \(.*\) Z/.test(readFileSync(`/proc/${String(pid)}/stat`, 'utf8'));
  } catch {
    return true;
  }
}

const UNTIL_WAIT_MS = 30_000;
const UNTIL_POLL_MS = 50;

/** Waits, bounded, until it is so. */
export async function until(
  isSo: () => boolean | Promise<boolean>,
  what = 'it',
  waitMaxMs = UNTIL_WAIT_MS,
): Promise<void> {
  const giveUpAt = Date.now() + waitMaxMs;
  while (!(await isSo())) {
    if (Date.now() > giveUpAt) throw new Error(`${what} did not come true within ${String(waitMaxMs)} ms`);
    await new Promise((resolve) => setTimeout(resolve, UNTIL_POLL_MS));
  }
}
