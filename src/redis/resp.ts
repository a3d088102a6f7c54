/**
 * RESP on the wire: commands out, replies in. Replies are read by the decoder of @redis/client; not by its whole client,
 * because nothing at all may be sent before the anonymous questions of a probe, each answer and each buffer has a bound
 * here, and loading and setting up the whole client costs about 160 ms of CPU in every run of a command (measured,
 * Node 20, two cores). The sibling packages of that client reach into the same folder.
 */
import { Decoder, RESP_TYPES } from '@redis/client/dist/lib/RESP/decoder.js';
import { Secret } from '../protocol/secret.js';
import type { Reply } from './replies.js';
import { ReplyError } from './replies.js';

/** A command and its arguments; a secret is revealed only on its way out. */
export type Command = readonly (string | Secret)[];

/** The most that one reply may hold, in bytes. */
export const REPLY_BYTES_MAX = 64 * 1024 * 1024;

export function encodeCommand(command: Command): Buffer {
  const words = command.map((argument) => Buffer.from(argument instanceof Secret ? argument.reveal() : argument));
  const parts = words.flatMap((word) => [Buffer.from(`$${String(word.length)}\r\n`), word, CRLF]);
  return Buffer.concat([Buffer.from(`*${String(words.length)}\r\n`), ...parts]);
}

const CRLF = Buffer.from('\r\n');

/** What arrives is not RESP, or more than the bound allows. */
export class ProtocolViolation extends Error {}

/** A status is a string, a bulk string is bytes, whatever the library's default is. */
const TYPES = { [RESP_TYPES.BLOB_STRING]: Buffer } as const;

/** Takes bytes in any pieces and hands out whole replies. */
export class ReplyParser {
  readonly #decoder: Decoder;
  #bytesSinceReply = 0;

  constructor(onReply: (reply: Reply) => void) {
    const deliver = (reply: unknown): void => {
      this.#bytesSinceReply = 0;
      onReply(toReply(reply));
    };
    this.#decoder = new Decoder({
      onReply: deliver,
      onErrorReply: deliver,
      onPush: () => {
        throw new ProtocolViolation('it pushes what nobody subscribed to');
      },
      getTypeMapping: () => TYPES,
    });
  }

  /** @throws ProtocolViolation; the parser must not be used after that. */
  push(chunk: Buffer): void {
    this.#bytesSinceReply += chunk.length;
    if (this.#bytesSinceReply > REPLY_BYTES_MAX) {
      throw new ProtocolViolation(`a reply is larger than ${String(REPLY_BYTES_MAX)} bytes`);
    }
    try {
      this.#decoder.write(chunk);
    } catch (error) {
      if (error instanceof ProtocolViolation) throw error;
      throw new ProtocolViolation(error instanceof Error ? error.message : 'a reply cannot be read');
    }
  }
}

/** The library's values as ours; what RESP2 does not know is not expected of anybody. */
function toReply(value: unknown): Reply {
  if (value === null || typeof value === 'string' || typeof value === 'bigint' || Buffer.isBuffer(value)) return value;
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  if (value instanceof Error) return new ReplyError(value.message);
  if (Array.isArray(value)) return value.map(toReply);
  throw new ProtocolViolation('a reply is of no kind that RESP2 has');
}
