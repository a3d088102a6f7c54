/**
 * A reply in RESP2, read in place: of what is passed over nothing is made, and of what is read only what was asked for.
 * Where a reply has thousands of values, making lists of lists of all of them first costs more than the rest of the answer
 * together (measured, docs/performance.md). https://redis.io/docs/latest/develop/reference/protocol-spec/
 */

/** What cannot be a reply, or is another one than was expected. */
export class ReplyUnreadable extends Error {}

const CR = 0x0d;
const MINUS = 0x2d;
const DIGIT_0 = 0x30;
const DIGIT_9 = 0x39;
const [STATUS, ERROR, INTEGER, BULK, LIST] = [0x2b, 0x2d, 0x3a, 0x24, 0x2a];
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const SPACE = 0x20;
const DELETE = 0x7f;
/** CR and LF. */
const LINE_END = 2;

/** Whether a whole reply is an error. */
export function isError(reply: Buffer): boolean {
  return reply[0] === ERROR;
}

export class RespCursor {
  readonly #bytes: Buffer;
  /** The same, a letter for each byte: text of ASCII is cut out of it, which costs next to nothing. */
  readonly #letters: string;
  #at: number;

  constructor(bytes: Buffer, letters = bytes.toString('latin1'), at = 0) {
    this.#bytes = bytes;
    this.#letters = letters;
    this.#at = at;
  }

  /** Another one at the same place. */
  copy(): RespCursor {
    return new RespCursor(this.#bytes, this.#letters, this.#at);
  }

  /** Goes into a list: how many items come now. Of nothing, none. @throws ReplyUnreadable for anything else */
  list(): number {
    const kind = this.#kind;
    const count = kind === LIST || kind === BULK ? this.#number() : 0;
    if (kind === LIST) return Math.max(0, count);
    if (count === -1) return 0;
    throw new ReplyUnreadable('a list was expected');
  }

  /** Text, or the digits of a number; of nothing and of a list, the empty text. */
  text(): string {
    const start = this.#scalar();
    if (start < 0) return '';
    return isPlain(this.#bytes, start, this.#end)
      ? this.#letters.slice(start, this.#end)
      : this.#bytes.toString('utf8', start, this.#end);
  }

  /** A whole number as it is written. */
  digits(): string {
    if (this.#kind !== INTEGER) return this.text();
    const start = this.#scalar();
    return this.#letters.slice(start, this.#end);
  }

  /** A whole number small enough for one, such as a type or a length. */
  number(): number {
    return this.#kind === INTEGER ? this.#number() : Number(this.text());
  }

  /** The same as `JSON.stringify` of the text, mostly without making it. */
  json(): string {
    const start = this.#scalar();
    if (start < 0) return '""';
    if (isPlain(this.#bytes, start, this.#end)) return `"${this.#letters.slice(start, this.#end)}"`;
    return JSON.stringify(this.#bytes.toString('utf8', start, this.#end));
  }

  /** How many bytes the text has that comes; it is not passed. Of a number or a list, none. */
  get textBytes(): number {
    if (this.#kind !== BULK) return 0;
    const at = this.#at;
    const length = this.#number();
    this.#at = at;
    return Math.max(0, length);
  }

  /** Passes so many items, each with all that is in it, however deep. @throws ReplyUnreadable */
  skip(items = 1): void {
    for (let left = items; left > 0; left -= 1) {
      if (this.#kind === LIST) left += Math.max(0, this.#number());
      else this.#scalar();
    }
  }

  /** Where the text ends that `#scalar` found. */
  #end = 0;

  /** Passes one item; where its text begins, -1 where there is none. */
  #scalar(): number {
    const kind = this.#kind;
    if (kind === BULK) {
      const length = this.#number();
      if (length < 0) return -1;
      const start = this.#at;
      this.#end = start + length;
      this.#at = this.#end + LINE_END;
      if (this.#at > this.#bytes.length) throw new ReplyUnreadable('it ends too early');
      return start;
    }
    if (kind === INTEGER || kind === STATUS || kind === ERROR) {
      const start = this.#at + 1;
      this.#end = endOfLine(this.#bytes, start);
      this.#at = this.#end + LINE_END;
      return start;
    }
    if (kind !== LIST) throw new ReplyUnreadable(kind === undefined ? 'it ends too early' : 'it is no reply of RESP2');
    this.skip();
    return -1;
  }

  /** Undefined at the end. */
  get #kind(): number | undefined {
    return this.#bytes[this.#at];
  }

  /** Of a list or bulk string its length, or an integer. */
  #number(): number {
    const bytes = this.#bytes;
    let at = this.#at + 1;
    const isNegative = bytes[at] === MINUS;
    if (isNegative) at += 1;
    let value = 0;
    for (let byte = bytes[at]; byte !== CR; byte = bytes[at]) {
      if (byte === undefined || byte < DIGIT_0 || byte > DIGIT_9) throw new ReplyUnreadable('a length is no number');
      value = value * 10 + byte - DIGIT_0;
      at += 1;
    }
    this.#at = at + LINE_END;
    return isNegative ? -value : value;
  }
}

/** Whether it is the same in ASCII, UTF-8 and, within quotes, JSON. */
function isPlain(bytes: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at += 1) {
    const byte = bytes[at] ?? 0;
    if (byte < SPACE || byte >= DELETE || byte === QUOTE || byte === BACKSLASH) return false;
  }
  return true;
}

/** Lines are mostly a few letters, for which a search is dear. */
function endOfLine(bytes: Buffer, start: number): number {
  let at = start;
  for (let byte = bytes[at]; byte !== CR; byte = bytes[at]) {
    if (byte === undefined) throw new ReplyUnreadable('it ends too early');
    at += 1;
  }
  return at;
}

/** Says of bytes that come in pieces where a reply is whole: looks at each of them once. */
export class ReplyEnd {
  /** How many items are still to come, and where the next one begins. */
  #items = 1;
  #at = 0;

  /** Where the reply ends that begins at 0; undefined while it is not whole. @throws ReplyUnreadable */
  find(bytes: Buffer): number | undefined {
    while (this.#items > 0) {
      const kind = bytes[this.#at];
      const line = this.#at + 1;
      let end = line;
      let number = 0;
      let isNumber = true;
      for (; end < bytes.length && bytes[end] !== CR; end += 1) {
        const digit = (bytes[end] ?? 0) - DIGIT_0;
        if (digit < 0 || digit > 9) isNumber = false;
        number = number * 10 + digit;
      }
      let next = end + LINE_END;
      if (next > bytes.length) return undefined;
      if (kind === LIST || kind === BULK) {
        const isNothing = bytes[line] === MINUS;
        if (!isNumber && !isNothing) throw new ReplyUnreadable('a length is no number');
        const length = isNothing ? 0 : number;
        if (kind === LIST) this.#items += length;
        else if (!isNothing) next += length + LINE_END;
        if (next > bytes.length) return undefined;
      } else if (kind !== INTEGER && kind !== STATUS && kind !== ERROR) {
        throw new ReplyUnreadable('it is no reply of RESP2');
      }
      this.#at = next;
      this.#items -= 1;
    }
    return this.#at;
  }
}
