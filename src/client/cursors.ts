/**
 * Which server a SCAN goes on at. A cursor is a place in one server's hash table, and means another place in another's
 * (each has a seed of its own): carried over, keys would be left out in silence.
 */
import { Nexus3Error } from '../errors.js';
import type { ReadsFrom } from './environment-client.js';

/** So many cursors are remembered; the oldest are forgotten, and refused then. */
const CURSORS_MAX = 10_000;

/** One connection of one server: after it was made anew, it may lead to a server that was started anew. */
export interface CursorPlace {
  readonly side: ReadsFrom;
  readonly epoch: number;
}

/** Where the cursor stands among a command's words; undefined for what is no scan. */
const CURSOR_AT: Readonly<Record<string, number>> = { SCAN: 1, HSCAN: 2, SSCAN: 2, ZSCAN: 2 };

interface Known {
  /** `both`: two servers have handed out the same one, and nobody can tell whose it is. */
  readonly place: CursorPlace | 'both';
  /** Its scan has gone on from it, so whoever has the same one from now on has another's. */
  readonly isUsed: boolean;
}

export class Cursors {
  readonly #known = new Map<string, Known>();

  /** Where this command must go: undefined where it is free to go anywhere. @throws Nexus3Error CURSOR_LOST */
  placeFor(words: readonly unknown[]): CursorPlace | undefined {
    const cursor = cursorOf(words);
    if (cursor === undefined || cursor === '0') return undefined;
    const place = this.#known.get(keyOf(words, cursor))?.place;
    return place === undefined || place === 'both' ? lost(cursor) : place;
  }

  /** Remembers who handed out the next cursor. */
  note(words: readonly unknown[], reply: unknown, place: CursorPlace): void {
    const cursor = cursorOf(words);
    if (cursor === undefined || !Array.isArray(reply)) return;
    this.#use(keyOf(words, cursor), place);
    const next = String((reply as readonly unknown[])[0]);
    if (next === '0') return;
    const key = keyOf(words, next);
    const known = this.#known.get(key);
    const isOther = known !== undefined && !known.isUsed && (known.place === 'both' || known.place.side !== place.side);
    this.#known.delete(key);
    this.#known.set(key, { place: isOther ? 'both' : place, isUsed: false });
    const [oldest] = this.#known.keys();
    if (this.#known.size > CURSORS_MAX && oldest !== undefined) this.#known.delete(oldest);
  }

  #use(key: string, place: CursorPlace): void {
    const known = this.#known.get(key);
    if (known !== undefined && isSame(known.place, place)) this.#known.set(key, { place, isUsed: true });
  }
}

function isSame(one: CursorPlace | 'both', other: CursorPlace): boolean {
  return one !== 'both' && one.side === other.side && one.epoch === other.epoch;
}

function cursorOf(words: readonly unknown[]): string | undefined {
  const at = CURSOR_AT[String(words[0]).toUpperCase()];
  return at === undefined ? undefined : String(words[at]);
}

function keyOf(words: readonly unknown[], cursor: string): string {
  const name = String(words[0]).toUpperCase();
  return name === 'SCAN' ? cursor : `${name} ${String(words[1])} ${cursor}`;
}

/** @throws Nexus3Error CURSOR_LOST always */
export function lost(cursor: string): never {
  throw new Nexus3Error('CURSOR_LOST', `The scan cannot go on at cursor ${cursor}.`, {
    evidence: [
      'a cursor belongs to the server that gave it, and this one is not reached over the same connection any more',
    ],
    hint: 'Begin the scan anew, with cursor 0; what was seen twice is seen twice.',
  });
}
