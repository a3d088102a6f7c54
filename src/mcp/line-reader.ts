/** Lines out of chunks. Each byte is looked at once, and one that lies whole in a chunk is never copied as bytes. */

export interface LineReaderOptions {
  /** Of a line, its end counted. */
  readonly bytesMax: number;
  /** Told of each line that has more, when it has ended; nothing of it is held. */
  readonly onTooLong: (bytes: number) => void;
}

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
/** The room for a line that began in an earlier chunk, at first, and at most while there is none. */
const ROOM_BYTES = 64 * 1024;
const NOTHING: Buffer = Buffer.alloc(0);

export class LineReader {
  readonly #bytesMax: number;
  readonly #onTooLong: (bytes: number) => void;
  #chunk = NOTHING;
  /** How much of the chunk has been looked at. */
  #from = 0;
  /** The beginning of a line, from chunks before this one; as much as there is of it, if that is not too much. */
  #held = NOTHING;
  #bytes = 0;

  constructor({ bytesMax, onTooLong }: LineReaderOptions) {
    this.#bytesMax = bytesMax;
    this.#onTooLong = onTooLong;
  }

  /** Whether there is something to look at. */
  get unread(): boolean {
    return this.#from < this.#chunk.length;
  }

  /** Only when nothing of the last one is unread. It belongs to this from now on. */
  add(chunk: Buffer): void {
    this.#chunk = chunk;
    this.#from = 0;
  }

  /** The next whole line, without its end (LF or CRLF); undefined: the next chunk has more of it. */
  next(): string | undefined {
    while (this.unread) {
      const end = this.#chunk.indexOf(LINE_FEED, this.#from);
      if (end === -1) {
        this.#hold(this.#chunk.length);
        this.#chunk = NOTHING;
        return undefined;
      }
      const bytes = this.#bytes + end + 1 - this.#from;
      const line = bytes > this.#bytesMax ? undefined : this.#line(end);
      this.#startAnew(end + 1);
      if (line !== undefined) return line;
      this.#onTooLong(bytes);
    }
    return undefined;
  }

  clear(): void {
    this.#startAnew(this.#chunk.length);
    this.#held = NOTHING;
  }

  #line(end: number): string {
    if (this.#bytes === 0) return textOf(this.#chunk, this.#from, end);
    this.#hold(end);
    return textOf(this.#held, 0, this.#bytes);
  }

  #startAnew(from: number): void {
    this.#from = from;
    this.#bytes = 0;
    if (this.#held.length > ROOM_BYTES) this.#held = NOTHING;
    if (!this.unread) this.#chunk = NOTHING;
  }

  /** Keeps what is left of the chunk up to there, or only counts it where the line is too long already. */
  #hold(end: number): void {
    const bytes = this.#bytes + end - this.#from;
    if (bytes > this.#bytesMax) this.#held = NOTHING;
    else {
      this.#makeRoom(bytes);
      this.#chunk.copy(this.#held, this.#bytes, this.#from, end);
    }
    this.#bytes = bytes;
    this.#from = end;
  }

  /** Doubled, so that a line that comes byte by byte is not copied as often. */
  #makeRoom(bytes: number): void {
    if (bytes <= this.#held.length) return;
    const room = Buffer.allocUnsafe(Math.min(this.#bytesMax, Math.max(ROOM_BYTES, 2 * bytes)));
    this.#held.copy(room, 0, 0, this.#bytes);
    this.#held = room;
  }
}

function textOf(bytes: Buffer, from: number, end: number): string {
  const withoutEnd = end > from && bytes[end - 1] === CARRIAGE_RETURN ? end - 1 : end;
  return bytes.toString('utf8', from, withoutEnd);
}
