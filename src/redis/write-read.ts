/** The protocol's own test, over the clients' own route: written on the vault, read on the operational. */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Nexus3Error } from '../errors.js';
import type { Address } from '../protocol/redis-conf.js';
import type { Secret } from '../protocol/secret.js';
import { type Connection, formatAddress, openConnection } from './connection.js';
import { expectInteger, expectOk, textOf, unexpectedReply } from './replies.js';

/** The key disappears by itself after this many seconds, should it never be read, and so not be removed. */
const PROBE_EXPIRY_SECONDS = 60;
/** How long the vault may wait for its replica to acknowledge, in milliseconds. */
const ACKNOWLEDGE_TIMEOUT_MS = 5_000;
/** How long the operational may take to show what its vault acknowledged, in milliseconds. */
const READ_TIMEOUT_MS = 5_000;
const READ_RETRY_MS = 10;

/**
 * Writes one expiring `nexus3:probe:…` key with the applications' password and reads it back without one; a Secure
 * Environment, which has no operational, is read on the vault itself. Once read, the key is removed.
 *
 * @returns milliseconds from before the write to after the read.
 * @throws Nexus3Error NOT_PROVEN; UnreachableError; REDIS_REPLY_UNEXPECTED
 */
export async function writeAndRead(
  vault: Address,
  password: Secret,
  operational: Address | undefined,
): Promise<number> {
  const key = `nexus3:probe:${randomBytes(8).toString('hex')}`;
  const value = randomBytes(16).toString('hex');
  using writer = await openConnection(vault, { user: 'default', password });
  using reader = operational === undefined ? undefined : await openConnection(operational, undefined);
  const startedAt = performance.now();
  expectOk(await writer.send(['SET', key, value, 'EX', String(PROBE_EXPIRY_SECONDS)]), 'SET');
  if (reader !== undefined) {
    if ((await acknowledged(writer)) < 1) throw notProven(vault, operational, 'no replica acknowledged it');
  }
  const deadline = performance.now() + READ_TIMEOUT_MS;
  for (;;) {
    const reply = await (reader ?? writer).send(['GET', key]);
    if (textOf(reply) === value) {
      const ms = performance.now() - startedAt;
      // It must not be counted with what is kept: not in a backup that is made now, nor beside an operational.
      expectInteger(await writer.send(['DEL', key]), 'DEL');
      if (reader !== undefined) await acknowledged(writer);
      return ms;
    }
    if (reply !== null) throw unexpectedReply(reply, 'GET');
    if (performance.now() > deadline) throw notProven(vault, operational, 'the key does not appear there');
    await sleep(READ_RETRY_MS);
  }
}

/** @returns by how many replicas, what that connection wrote */
async function acknowledged(writer: Connection): Promise<number> {
  const wait = ['WAIT', '1', String(ACKNOWLEDGE_TIMEOUT_MS)];
  return expectInteger(await writer.send(wait, { timeoutMs: 2 * ACKNOWLEDGE_TIMEOUT_MS }), 'WAIT');
}

function notProven(vault: Address, operational: Address | undefined, why: string): Nexus3Error {
  const from = operational === undefined ? formatAddress(vault) : formatAddress(operational);
  return new Nexus3Error('NOT_PROVEN', `What is written on ${formatAddress(vault)} cannot be read on ${from}.`, {
    evidence: [why],
    hint: 'Run `nexus3 check` to see whether the operational is linked to its vault.',
  });
}
