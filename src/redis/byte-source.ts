/**
 * Bytes of one connection, pulled: what nobody has asked for yet stays in the kernel, and so the sender waits. Every pull
 * is bounded in time; the time that the puller takes for itself does not count.
 */
import type { Socket } from 'node:net';

/** Nothing came within the bound, or the connection broke. The source is closed then. */
export class SourceFailure extends Error {}

export class ByteSource implements Disposable {
  readonly #socket: Socket;
  readonly #chunks: AsyncIterator<Buffer>;
  #rest: Buffer | undefined;
  #waiting: Promise<IteratorResult<Buffer>> | undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
    this.#chunks = socket[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
    // Told to whoever pulls next; without a listener an error between two pulls would end the process.
    socket.on('error', () => undefined);
  }

  write(bytes: Buffer): void {
    this.#socket.write(bytes);
  }

  /**
   * The next bytes, as they came; undefined when the other side has closed.
   * @throws SourceFailure
   */
  async next(timeoutMs: number): Promise<Buffer | undefined> {
    const chunk = await this.nextWithin(timeoutMs);
    if (chunk !== 'nothing') return chunk;
    this.close();
    throw new SourceFailure(`nothing came for ${String(timeoutMs / 1_000)} s`);
  }

  /** The same, where it is no failure that nothing comes: `nothing`, and the source stays open. */
  async nextWithin(timeoutMs: number): Promise<Buffer | 'nothing' | undefined> {
    const rest = this.#rest;
    this.#rest = undefined;
    if (rest !== undefined && rest.length > 0) return rest;
    let timer: NodeJS.Timeout | undefined;
    const overdue = new Promise<'nothing'>((resolve) => {
      timer = setTimeout(resolve, timeoutMs, 'nothing');
    });
    this.#waiting ??= this.#chunks.next();
    // Where the time is over first, its failure is told to the next pull, or to nobody.
    this.#waiting.catch(() => undefined);
    try {
      const result = await Promise.race([this.#waiting, overdue]);
      if (result === 'nothing') return 'nothing';
      this.#waiting = undefined;
      return result.done === true ? undefined : result.value;
    } catch (error) {
      throw new SourceFailure(`the connection broke: ${error instanceof Error ? error.message : String(error)}`);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Gives back what was pulled too far; it comes first at the next pull. */
  putBack(bytes: Buffer): void {
    this.#rest = bytes;
  }

  close(): void {
    this.#socket.destroy();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
