/** A connection for a person at a prompt (`nexus3 cli`): any command, shown as redis-cli shows it. */
import { Nexus3Error } from '../errors.js';
import type { Address } from '../protocol/redis-conf.js';
import type { Credential } from './connection.js';
import { openConnection } from './connection.js';
import { formatReply } from './format-reply.js';

/** How long one command typed by a person may take, in milliseconds. */
export const SESSION_COMMAND_TIMEOUT_MS = 600_000;

/** After these a connection no longer answers one reply a command. */
const NOT_IN_A_SESSION: ReadonlySet<string> = new Set([
  'MONITOR',
  'SUBSCRIBE',
  'PSUBSCRIBE',
  'SSUBSCRIBE',
  'SYNC',
  'PSYNC',
  'HELLO',
]);

export interface Session extends Disposable {
  /** The reply as text for a person; an error reply too. @throws Nexus3Error USAGE, REDIS_UNREACHABLE */
  send(args: readonly string[]): Promise<string>;
}

/** @throws Nexus3Error REDIS_UNREACHABLE, REDIS_REPLY_UNEXPECTED when the credential is not accepted */
export async function openSession(address: Address, credential: Credential | undefined): Promise<Session> {
  const connection = await openConnection(address, credential);
  return {
    async send(args) {
      const name = args[0]?.toUpperCase() ?? '';
      if (NOT_IN_A_SESSION.has(name) || (name === 'CLIENT' && args[1]?.toUpperCase() === 'REPLY')) {
        throw new Nexus3Error('USAGE', `${name} does not work at this prompt.`, {
          hint: 'It takes a connection over; use redis-cli, with the password from `nexus3 credentials get`.',
        });
      }
      return formatReply(await connection.send(args, { timeoutMs: SESSION_COMMAND_TIMEOUT_MS }));
    },
    [Symbol.dispose]() {
      connection.close();
    },
  };
}
