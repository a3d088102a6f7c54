/**
 * RESP2 on the wire: commands out, replies in. Our own, because loading and setting up @redis/client costs about 160 ms
 * of CPU in every run of the command (measured, Node 20), because its parser has no bound on what a server may make it
 * keep, and because nothing at all may be sent before the anonymous questions of a probe. Specification:
 * https://redis.io/docs/latest/develop/reference/protocol-spec/
 */
import { Secret } from '../protocol/secret.js';
import type { Reply } from './replies.js';
import { ReplyError } from './replies.js';

/** A command and its arguments; a secret is revealed only on its way out. */
export type Command = readonly (string | Secret)[];

/** The most that one reply may hold, in bytes. */
export const REPLY_BYTES_MAX = 64 * 1024 * 1024;
/** The longest line (status, error, integer or length) in bytes. */
export const LINE_BYTES_MAX = 64 * 1024;
/** How deep lists may lie in lists. */
export const REPLY_DEPTH_MAX = 32;

export function encodeCommand(command: Command): Buffer {
  const parts: Buffer[] = [Buffer.from(`*${String(command.length)}\r\n`)];
  for (const argument of command) {
    const bytes = Buffer.from(argument instanceof Secret ? argument.reveal() : argument, 'utf8');
    parts.push(Buffer.from(`$${String(bytes.length)}\r\n`), bytes, CRLF);
  }
  return Buffer.concat(parts);
}

/** What arrives is not RESP2, or more than the bounds allow. */
export class ProtocolViolation extends Error {}

const CRLF = Buffer.from('\r\n');
const INCOMPLETE = Symbol('incomplete');

interface OpenList {
  readonly items: Reply[];
  readonly length: number;
}

/** Takes bytes in any pieces and hands out whole replies. Keeps its place, so that every byte is looked at about once. */
export class ReplyParser {
  readonly #onReply: (reply: Reply) => void;
  #chunks: Buffer[] = [];
  #chunksBytes = 0;
  /** Fewer bytes than this cannot complete the element that is next. */
  #bytesNeeded = 1;
  readonly #open: OpenList[] = [];
  #replyBytes = 0;

  constructor(onReply: (reply: Reply) => void) {
    this.#onReply = onReply;
  }

  /** @throws ProtocolViolation; the parser must not be used after that. */
  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#chunksBytes += chunk.length;
    if (this.#chunksBytes < this.#bytesNeeded) return;
    const bytes = this.#chunks.length === 1 ? chunk : Buffer.concat(this.#chunks);
    let offset = 0;
    this.#bytesNeeded = 1;
    while (offset < bytes.length) {
      const end = this.#readElement(bytes, offset);
      if (end === INCOMPLETE) break;
      offset = end;
    }
    const rest = bytes.subarray(offset);
    this.#chunks = rest.length === 0 ? [] : [rest];
    this.#chunksBytes = rest.length;
    this.#bytesNeeded = Math.max(this.#bytesNeeded, rest.length + 1);
  }

  /** Reads one element (a scalar, or the head of a list) and says where it ends. */
  #readElement(bytes: Buffer, start: number): number | typeof INCOMPLETE {
    const lineEnd = this.#lineEnd(bytes, start);
    if (lineEnd === INCOMPLETE) return INCOMPLETE;
    const after = lineEnd + CRLF.length;
    const type = bytes[start];
    const line = bytes.subarray(start + 1, lineEnd);
    if (type === BYTE.bulk) return this.#readBulk(bytes, start, after, parseLength(line));
    this.#count(after - start);
    if (type === BYTE.status) this.#deliver(line.toString('utf8'));
    else if (type === BYTE.error) this.#deliver(new ReplyError(line.toString('utf8')));
    else if (type === BYTE.integer) this.#deliver(parseInteger(line));
    else this.#openList(parseLength(line));
    return after;
  }

  #lineEnd(bytes: Buffer, start: number): number | typeof INCOMPLETE {
    const type = bytes[start];
    if (type === undefined || !TYPE_BYTES.has(type)) {
      throw new ProtocolViolation(`a reply begins with ${quoteBytes(bytes.subarray(start, start + 32))}`);
    }
    const end = bytes.indexOf(CRLF, start);
    if (end === -1 ? bytes.length - start > LINE_BYTES_MAX : end - start > LINE_BYTES_MAX) {
      throw new ProtocolViolation(`a line is longer than ${String(LINE_BYTES_MAX)} bytes`);
    }
    return end === -1 ? INCOMPLETE : end;
  }

  #readBulk(bytes: Buffer, start: number, after: number, length: number): number | typeof INCOMPLETE {
    if (length === -1) {
      this.#count(after - start);
      this.#deliver(null);
      return after;
    }
    if (this.#replyBytes + length > REPLY_BYTES_MAX) throw tooLarge();
    const end = after + length;
    if (bytes.length < end + CRLF.length) {
      this.#bytesNeeded = end + CRLF.length - start;
      return INCOMPLETE;
    }
    if (!bytes.subarray(end, end + CRLF.length).equals(CRLF)) {
      throw new ProtocolViolation('a string is longer than it says');
    }
    this.#count(end + CRLF.length - start);
    this.#deliver(Buffer.from(bytes.subarray(after, end)));
    return end + CRLF.length;
  }

  #openList(length: number): void {
    if (length === -1) this.#deliver(null);
    else if (length === 0) this.#deliver([]);
    else {
      if (this.#open.length >= REPLY_DEPTH_MAX) throw new ProtocolViolation('lists lie too deep in lists');
      this.#open.push({ items: [], length });
    }
  }

  #deliver(value: Reply): void {
    let whole = value;
    for (let list = this.#open.at(-1); list !== undefined; list = this.#open.at(-1)) {
      list.items.push(whole);
      if (list.items.length < list.length) return;
      whole = list.items;
      this.#open.pop();
    }
    this.#replyBytes = 0;
    this.#onReply(whole);
  }

  #count(bytes: number): void {
    this.#replyBytes += bytes;
    if (this.#replyBytes > REPLY_BYTES_MAX) throw tooLarge();
  }
}

const BYTE = { status: 0x2b, error: 0x2d, integer: 0x3a, bulk: 0x24, list: 0x2a } as const;
const TYPE_BYTES: ReadonlySet<number> = new Set(Object.values(BYTE));

function parseLength(line: Buffer): number {
  const text = line.toString('latin1');
  if (text === '-1') return -1;
  if (!/^\d{1,10}$/.test(text)) throw new ProtocolViolation(`a length is ${quoteBytes(line.subarray(0, 32))}`);
  return Number(text);
}

function parseInteger(line: Buffer): number | bigint {
  const text = line.toString('latin1');
  if (!/^[+-]?\d{1,19}$/.test(text)) throw new ProtocolViolation(`a number is ${quoteBytes(line.subarray(0, 32))}`);
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : BigInt(text);
}

function tooLarge(): ProtocolViolation {
  return new ProtocolViolation(`a reply is larger than ${String(REPLY_BYTES_MAX)} bytes`);
}

/** Bytes as a person can read them, for evidence. */
function quoteBytes(bytes: Buffer): string {
  return JSON.stringify(bytes.toString('latin1'));
}
