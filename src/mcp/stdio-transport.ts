/**
 * The protocol over standard input and output: a message a line, none longer than a message may be. While the client does
 * not read what it was answered, nothing more is read from it, so neither of both can make this process hold more than that.
 */
import type { Readable, Writable } from 'node:stream';
import { parseJSONRPCMessage } from '@modelcontextprotocol/server';
import type { JSONRPCMessage, Transport } from '@modelcontextprotocol/server';
import { MESSAGE_BYTES_MAX } from './limits.js';
import { LineReader } from './line-reader.js';

export interface StdioTransportOptions {
  readonly stdin: Readable;
  readonly stdout: Writable;
  /** Told of each line that was passed over, when it has ended. */
  readonly onTooLong: (bytes: number) => void;
  /** Of a line, its end counted; what a message may have by default. */
  readonly bytesMax?: number;
  /** Shown each line's JSON before it is looked at as a message; true: it has been dealt with. */
  readonly divert?: (value: unknown) => boolean;
}

export class StdioTransport implements Transport {
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: NonNullable<Transport['onmessage']>;

  readonly #stdin: Readable;
  readonly #stdout: Writable;
  readonly #divert: (value: unknown) => boolean;
  readonly #lines: LineReader;
  #started = false;
  #closed = false;
  #paused = false;
  #inputEnded = false;
  /** A line was handed on in this turn of the event loop. */
  #resting = false;

  constructor({ stdin, stdout, onTooLong, bytesMax = MESSAGE_BYTES_MAX, divert }: StdioTransportOptions) {
    this.#stdin = stdin;
    this.#stdout = stdout;
    this.#divert = divert ?? (() => false);
    this.#lines = new LineReader({ bytesMax, onTooLong });
  }

  async start(): Promise<void> {
    if (this.#started) throw new Error('This transport has been started before.');
    this.#started = true;
    // What is written after the end fails, too, and is of no interest then; so that one stays.
    this.#stdout.on('error', this.#onFailure).on('close', this.#onEnd).on('drain', this.#pump);
    const { readableEnded, destroyed } = this.#stdin;
    if (readableEnded || destroyed) setImmediate(this.#onInputEnd);
    this.#stdin.on('error', this.#onFailure).on('end', this.#onInputEnd).on('close', this.#onInputEnd);
    this.#stdin.on('data', this.#onData);
    this.#stdin.resume();
  }

  /** Resolves when it is written, or waits to be: how many wait, reading no more bounds. Rejects once it is closed. */
  async send(message: JSONRPCMessage): Promise<void> {
    if (this.#closed) throw new Error('Nobody is there any more: the connection has been closed.');
    this.writeLine(JSON.stringify(message));
    return Promise.resolve();
  }

  /** @param json one message, without a line break; of no effect once it is closed */
  writeLine(json: string): void {
    if (!this.#closed) this.#stdout.write(`${json}\n`);
  }

  /** Both streams stay open: they are the process's. */
  async close(): Promise<void> {
    if (this.#closed) return Promise.resolve();
    this.#closed = true;
    this.#stdin.off('data', this.#onData).off('end', this.#onInputEnd).off('close', this.#onInputEnd);
    this.#stdin.pause();
    this.#stdout.off('close', this.#onEnd).off('drain', this.#pump);
    this.#lines.clear();
    this.onclose?.();
    return Promise.resolve();
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#lines.add(chunk);
    this.#pump();
  };

  /** All that was said before is heard first, unless its sender takes no answers. */
  readonly #onInputEnd = (): void => {
    this.#inputEnded = true;
    this.#pump();
  };

  readonly #onEnd = (): void => {
    this.close().catch(this.#tell);
  };

  readonly #onFailure = (error: Error): void => {
    if (this.#closed) return;
    this.#tell(error);
    this.#onEnd();
  };

  readonly #onRested = (): void => {
    this.#resting = false;
    this.#pump();
  };

  /** Hands on what has been read, as far as it may. */
  readonly #pump = (): void => {
    while (this.#lines.unread && !this.#closed) {
      const unheard = this.#stdout.writableNeedDrain;
      if (unheard && this.#inputEnded) break;
      if (this.#resting || unheard) {
        // No more comes before the rest of this has been looked at.
        this.#pause(true);
        return;
      }
      const line = this.#lines.next();
      if (line === undefined) break;
      // One a turn: a thousand short questions with long answers must not keep signals, and everybody else, waiting.
      this.#resting = true;
      setImmediate(this.#onRested);
      this.#hand(line);
    }
    if (!this.#inputEnded) this.#pause(false);
    // The last one gets its turn, too.
    else if (!this.#resting) this.#onEnd();
  };

  #pause(pause: boolean): void {
    if (pause === this.#paused || this.#closed) return;
    this.#paused = pause;
    if (pause) this.#stdin.pause();
    else this.#stdin.resume();
  }

  #hand(line: string): void {
    const value = valueOf(line);
    if (value === undefined) return;
    try {
      if (!this.#divert(value)) this.onmessage?.(parseJSONRPCMessage(value));
    } catch (error) {
      this.#tell(error);
    }
  }

  readonly #tell = (error: unknown): void => {
    this.onerror?.(error instanceof Error ? error : new Error(String(error)));
  };
}

/** What is no JSON at all is passed over in silence: words of somebody who does not know whom they are for. */
function valueOf(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
