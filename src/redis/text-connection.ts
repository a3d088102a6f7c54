/** A connection whose replies are plain text, numbers and lists: for callers that know nothing of this folder. */
import type { Address } from '../protocol/redis-conf.js';
import type { Secret } from '../protocol/secret.js';
import type { Credential } from './connection.js';
import { openConnection } from './connection.js';
import type { Reply } from './replies.js';
import { isList, ReplyError, unexpectedReply } from './replies.js';

export type PlainReply = string | number | null | readonly PlainReply[];

export interface TextConnection {
  /** False once it has failed or was closed, by either side. */
  readonly isOpen: boolean;
  /**
   * Sends all at once; replies in order.
   * @throws Nexus3Error REDIS_REPLY_UNEXPECTED for the first error reply, REDIS_UNREACHABLE
   */
  ask(commands: readonly (readonly (string | Secret)[])[], timeoutMs?: number): Promise<readonly PlainReply[]>;
  close(): void;
}

/** @throws Nexus3Error REDIS_REPLY_UNEXPECTED when the credential is not accepted, REDIS_UNREACHABLE */
export async function openTextConnection(address: Address, credential: Credential): Promise<TextConnection> {
  const connection = await openConnection(address, credential);
  return {
    get isOpen() {
      return connection.isOpen;
    },
    async ask(commands, timeoutMs) {
      const replies = await connection.pipeline(commands, timeoutMs === undefined ? {} : { timeoutMs });
      return replies.map((reply, index) => toPlain(reply, String(commands[index]?.[0])));
    },
    close() {
      connection.close();
    },
  };
}

/** @throws Nexus3Error REDIS_REPLY_UNEXPECTED */
export function toPlain(reply: Reply, question: string): PlainReply {
  if (reply instanceof ReplyError) throw unexpectedReply(reply, question);
  if (isList(reply)) return reply.map((item) => toPlain(item, question));
  if (Buffer.isBuffer(reply)) return reply.toString('utf8');
  return typeof reply === 'bigint' ? String(reply) : reply;
}
