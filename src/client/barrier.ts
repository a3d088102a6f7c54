/**
 * Reading one's own writes: behind every write the vault is asked, over the same connection and without waiting for the
 * write's answer, how far its stream of replication has come; a read is answered by an operational that has come as
 * far. WAIT would say that only of its own connection, and would hold everything up that is sent behind it.
 */
import type { Position } from './replication.js';
import { hasReached } from './replication.js';

export class Barrier {
  /** Any one of them will do: the same writes, in the history in which they were made and in that of a vault that restarted since. */
  #wanted: readonly Position[] = [];
  /** The connection over which the operational was last seen to have them. */
  #reachedIn: number | undefined;

  /** A write is done, and this includes it. */
  want(position: Position): void {
    const newest = this.#wanted.at(-1);
    const isKnown = this.#wanted.some((known) => hasReached(known, position));
    if (isKnown && (this.#wanted.length === 1 || newest?.replid !== position.replid)) return;
    // Made in the newest history, it is in no other one, however far the newest was already seen to be.
    this.#wanted = [isKnown && newest !== undefined ? newest : position];
    this.#reachedIn = undefined;
  }

  /** The vault has begun another history, with everything from before in it, and is here now. */
  continueIn(position: Position): void {
    if (this.#wanted.length === 0 || this.#wanted.some(({ replid }) => replid === position.replid)) return;
    this.#wanted = [...this.#wanted.slice(-1), position];
  }

  /** Whether whatever this operational answers over this connection has all writes in it. An operational never goes back, but another connection may lead to one that was started from an older snapshot. */
  isReached(epoch: number): boolean {
    return this.#wanted.length === 0 || this.#reachedIn === epoch;
  }

  /** What the operational says over a connection. */
  see(position: Position, epoch: number): boolean {
    if (this.#wanted.some((wanted) => hasReached(position, wanted))) this.#reachedIn = epoch;
    return this.isReached(epoch);
  }
}
