/**
 * Docker's log stream cut into lines: frames of an 8-byte header (stream type, three zero bytes, length) and their
 * content (Engine API, "Attach to a container", stream format). A frame is one write of the server, not one line. Pure.
 */
import { withoutSecrets } from '../log-line.js';

const HEADER_BYTES = 8;
const LENGTH_OFFSET = 4;
/** Longer lines are cut. */
const LINE_BYTES_MAX = 64 * 1024;
const NEWLINE = 0x0a;
const STREAM_TYPE_MAX = 2;

export class LogStream {
  #header = Buffer.alloc(0);
  #frameBytesLeft = 0;
  #line: Buffer[] = [];
  #lineBytes = 0;

  /** @param framed false for a container with a terminal: its log has no frames */
  constructor(
    private readonly onLine: (line: string) => void,
    private readonly framed: boolean,
  ) {}

  push(chunk: Buffer): void {
    let rest = chunk;
    while (rest.length > 0) {
      if (!this.framed) {
        this.#append(rest);
        return;
      }
      rest = this.#frameBytesLeft === 0 ? this.#readHeader(rest) : this.#readContent(rest);
    }
  }

  /** The last line may have no end. */
  end(): void {
    if (this.#lineBytes > 0) this.#emit();
  }

  #readHeader(chunk: Buffer): Buffer {
    const missing = HEADER_BYTES - this.#header.length;
    this.#header = Buffer.concat([this.#header, chunk.subarray(0, missing)]);
    if (this.#header.length === HEADER_BYTES) {
      if ((this.#header[0] ?? 0) > STREAM_TYPE_MAX) throw new Error('Docker sent a log frame of an unknown kind');
      this.#frameBytesLeft = this.#header.readUInt32BE(LENGTH_OFFSET);
      this.#header = Buffer.alloc(0);
    }
    return chunk.subarray(missing);
  }

  #readContent(chunk: Buffer): Buffer {
    const content = chunk.subarray(0, this.#frameBytesLeft);
    this.#frameBytesLeft -= content.length;
    this.#append(content);
    return chunk.subarray(content.length);
  }

  #append(content: Buffer): void {
    let rest = content;
    for (let end = rest.indexOf(NEWLINE); end >= 0; end = rest.indexOf(NEWLINE)) {
      this.#keep(rest.subarray(0, end));
      this.#emit();
      rest = rest.subarray(end + 1);
    }
    this.#keep(rest);
  }

  #keep(part: Buffer): void {
    const kept = part.subarray(0, LINE_BYTES_MAX - this.#lineBytes);
    this.#lineBytes += kept.length;
    if (kept.length > 0) this.#line.push(Buffer.from(kept));
  }

  #emit(): void {
    const line = Buffer.concat(this.#line).toString('utf8').replace(/\r$/, '');
    this.#line = [];
    this.#lineBytes = 0;
    this.onLine(withoutSecrets(line));
  }
}
