/** Replies out of bytes that come in any pieces, each as the bytes it is; bounded. */
import { ReplyEnd } from '../../resp-cursor.js';

/** More has come for one reply than it may have. */
export class ReplyTooLarge extends Error {}

export class ReplyBytes {
  readonly #bytesMax: number;
  /** What has come of a reply that is not whole; there may be room behind it. */
  #held: Buffer = Buffer.alloc(0);
  #length = 0;
  #end = new ReplyEnd();

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** The replies that are whole with this chunk. @throws ReplyTooLarge, ReplyUnreadable; it must not be used after that */
  push(chunk: Buffer): readonly Buffer[] {
    const replies: Buffer[] = [];
    let bytes = this.#with(chunk);
    for (let end = this.#end.find(bytes); end !== undefined; end = this.#end.find(bytes)) {
      if (end > this.#bytesMax) throw new ReplyTooLarge();
      replies.push(bytes.subarray(0, end));
      bytes = bytes.subarray(end);
      this.#end = new ReplyEnd();
      if (bytes.length === 0) break;
    }
    if (bytes.length > this.#bytesMax) throw new ReplyTooLarge();
    if (replies.length > 0 || this.#length === 0) this.#held = bytes;
    this.#length = bytes.length;
    return replies;
  }

  /** Grows by doubling: a reply of many chunks is not copied anew for each. */
  #with(chunk: Buffer): Buffer {
    if (this.#length === 0) return chunk;
    const length = this.#length + chunk.length;
    if (length > this.#held.length) {
      const grown = Buffer.allocUnsafe(2 * length);
      this.#held.copy(grown, 0, 0, this.#length);
      this.#held = grown;
    }
    chunk.copy(this.#held, this.#length);
    return this.#held.subarray(0, length);
  }
}
