/** A few questions on a connection of their own: logging in and asking are one round trip. */
import type { Address } from '../protocol/redis-conf.js';
import type { Credential } from './connection.js';
import { Connection } from './connection.js';
import { expectOk, isErrorOf } from './replies.js';
import { type PlainReply, toPlain } from './text-connection.js';

/**
 * Redis takes a command of more than 10 words, or one with a word of more than 16 KiB, from a client that is not logged
 * in yet for a protocol error, and parses the next command only when AUTH is through: no question here may be larger.
 * AUTH comes first, because the reply to a failed one is left out behind another unsent reply (see probe.ts).
 * `refused`: the server does not take this user and password.
 * @throws Nexus3Error REDIS_REPLY_UNEXPECTED for the first error reply, REDIS_UNREACHABLE
 */
export async function askOnce(
  address: Address,
  { user, password }: Credential,
  commands: readonly (readonly string[])[],
): Promise<readonly PlainReply[] | 'refused'> {
  using connection = await Connection.open(address);
  const [auth, ...replies] = await connection.pipeline([['AUTH', user, password], ...commands]);
  if (isErrorOf(auth, 'WRONGPASS')) return 'refused';
  expectOk(auth, `AUTH ${user}`);
  return replies.map((reply, index) => toPlain(reply, String(commands[index]?.[0])));
}
