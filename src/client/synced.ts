/**
 * Waits until the operational has everything that the vault had done when it was asked. Places in the stream of replication
 * are compared, so it does not matter over which connection something was written; WAIT speaks for its own alone.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Nexus3Error } from '../errors.js';
import type { Position } from './replication.js';
import { hasReached } from './replication.js';
import type { Side } from './side.js';
import { closed, vaultNotAsked } from './unreachable.js';
import { replicationOver } from './writes.js';

/** How soon the operational is asked again, in milliseconds: often at first. */
const PAUSE_FIRST_MS = 1;
const PAUSE_MAX_MS = 50;

export interface SyncWait {
  readonly env: string;
  readonly vault: Side;
  readonly operational: Side;
  readonly timeoutMs: number;
  readonly isClosed: () => boolean;
}

/** @throws Nexus3Error NOT_SYNCED, VAULT_UNREACHABLE, CLIENT_CLOSED */
export async function hasEverything(wait: SyncWait): Promise<void> {
  const until = performance.now() + wait.timeoutMs;
  let wanted = await vaultPosition(wait, until);
  for (let pause = PAUSE_FIRST_MS; ; pause = Math.min(PAUSE_MAX_MS, pause * 2)) {
    const at = await operationalPosition(wait, until);
    if (at !== undefined && hasReached(at, wanted)) return;
    // A vault that was started anew has begun another history, with everything from before in it.
    if (at !== undefined && at.replid !== wanted.replid) wanted = await vaultPosition(wait, until);
    if (performance.now() + pause >= until) throw notSynced(wait, at, wanted);
    await sleep(pause);
  }
}

async function vaultPosition({ env, vault, timeoutMs, isClosed }: SyncWait, until: number): Promise<Position> {
  try {
    if (!vault.isUp) await vault.untilUp(timeoutMs);
    return (await within(Math.max(1, until - performance.now()), replicationOver(vault.driver))).position;
  } catch (error) {
    if (isClosed()) throw closed(env);
    throw vaultNotAsked(env, vault.cause ?? error);
  }
}

/** Undefined while it is away: it may come back in time. */
async function operationalPosition(
  { env, operational, isClosed }: SyncWait,
  until: number,
): Promise<Position | undefined> {
  try {
    const asked = replicationOver(operational.driver);
    return (await within(Math.max(1, until - performance.now()), asked)).position;
  } catch {
    if (isClosed()) throw closed(env);
    return undefined;
  }
}

function notSynced({ env, timeoutMs }: SyncWait, at: Position | undefined, wanted: Position): Nexus3Error {
  const behind =
    at === undefined
      ? 'it does not answer'
      : at.replid === wanted.replid
        ? `it lacks ${String(wanted.offset - at.offset)} bytes`
        : 'it follows another history';
  return new Nexus3Error('NOT_SYNCED', `The operational of ${env} has not everything yet that was written.`, {
    evidence: [`after ${String(timeoutMs)} ms: ${behind}`],
    hint: `The writes themselves are done. Wait longer, or see what \`nexus3 check ${env}\` says.`,
  });
}

async function within<T>(ms: number, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`no answer within ${String(ms)} ms`));
    }, ms);
  });
  try {
    return await Promise.race([promise, over]);
  } finally {
    clearTimeout(timer);
  }
}
