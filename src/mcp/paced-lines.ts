/**
 * Standard input as the protocol wants it: whole lines, none longer than a message may be. While the client does not read
 * what it was answered, nothing more is read from it, so neither of both can make this process hold more than that.
 */
import { Transform } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { TransformCallback, Writable } from 'node:stream';
import { MESSAGE_BYTES_MAX } from './limits.js';

const LINE_BREAK = 0x0a;

export class PacedLines extends Transform {
  readonly #output: Writable;
  readonly #onTooLong: (bytes: number) => void;
  readonly #bytesMax: number;
  #parts: Buffer[] = [];
  #bytes = 0;

  /** @param onTooLong told of each line that was passed over, when it has ended */
  constructor(output: Writable, onTooLong: (bytes: number) => void, bytesMax: number = MESSAGE_BYTES_MAX) {
    super();
    this.#output = output;
    this.#onTooLong = onTooLong;
    this.#bytesMax = bytesMax;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#pass(chunk).then(() => done(), done);
  }

  async #pass(chunk: Buffer): Promise<void> {
    let start = 0;
    for (let end = chunk.indexOf(LINE_BREAK); end !== -1; end = chunk.indexOf(LINE_BREAK, start)) {
      this.#take(chunk.subarray(start, end + 1));
      this.#endLine();
      start = end + 1;
      // One at a time: a thousand short questions with long answers must not keep signals, and everybody else, waiting.
      await nextTurn();
      await this.#whenRead();
    }
    this.#take(chunk.subarray(start));
  }

  /** A last line without its end is no message. */
  override _flush(done: TransformCallback): void {
    this.#parts = [];
    done();
  }

  #take(part: Buffer): void {
    this.#bytes += part.length;
    if (this.#bytes > this.#bytesMax) this.#parts = [];
    else if (part.length > 0) this.#parts.push(part);
  }

  #endLine(): void {
    if (this.#bytes > this.#bytesMax) this.#onTooLong(this.#bytes);
    else this.push(whole(this.#parts));
    this.#parts = [];
    this.#bytes = 0;
  }

  async #whenRead(): Promise<void> {
    const output = this.#output;
    if (!output.writableNeedDrain || output.destroyed) return;
    await new Promise<void>((resolve) => {
      const go = (): void => {
        output.off('drain', go).off('close', go).off('error', go);
        resolve();
      };
      output.on('drain', go).on('close', go).on('error', go);
    });
  }
}

function whole(parts: readonly Buffer[]): Buffer {
  const [first] = parts;
  return first !== undefined && parts.length === 1 ? first : Buffer.concat(parts);
}
