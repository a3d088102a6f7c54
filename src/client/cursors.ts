/**
 * Which server a SCAN goes on at. A cursor is a place in one server's hash table, and means another place in another's
 * (each has a seed of its own): carried over, keys would be left out in silence. Both hand out the same numbers, so what a
 * program gets carries a mark of who gave it, and is bare again when it is sent.
 */
import { randomInt } from 'node:crypto';
import { Nexus3Error } from '../errors.js';
import type { Request } from './driver.js';
import type { ReadsFrom } from './environment-client.js';

/**
 * A cursor is below the size of a table, and a server has 2^32 keys at most (redis.io/docs, FAQ), so above that is room. The
 * mark is above rather than below, because a table ignores it there (measured, Redis 8.2.3): a duplicate goes on with it as
 * with the bare one. Together they are below 2^53, so a program may make a number of them.
 */
const CURSORS_MAX = 2 ** 33;
const MARKS_MAX = 2 ** 20;

type Commands = Request['commands'];

/** One connection of one server: after it was made anew, it may lead to a server that was started anew. */
export interface CursorPlace {
  readonly side: ReadsFrom;
  readonly epoch: number;
}

/** Scans that were begun before. */
export interface Continued {
  /** Where they must go. */
  readonly place: CursorPlace;
  /** The first of them, as the program knows it. */
  readonly cursor: string;
  /** What is to be sent there, with bare cursors. */
  readonly commands: Commands;
}

/** Where the cursor stands among a command's words; undefined for what is no scan. */
const CURSOR_AT: Readonly<Record<string, number>> = { SCAN: 1, HSCAN: 2, SSCAN: 2, ZSCAN: 2 };
const BEGINNING = '0';

export class Cursors {
  /** Of each side the connection that gave cursors last; those of former ones are not known any more. */
  readonly #marks = new Map<ReadsFrom, { readonly place: CursorPlace; readonly mark: number }>();
  /** Begun anywhere, so that other clients have other ones; 0 is none, as a bare cursor has. */
  #lastMark = randomInt(MARKS_MAX);

  /** Undefined: no scan goes on, and all is free to go anywhere. @throws Nexus3Error CURSOR_LOST */
  continued(commands: Commands): Continued | undefined {
    let first: Omit<Continued, 'commands'> | undefined;
    const bare = commands.map((words) => {
      const at = cursorAt(words);
      const cursor = at === undefined ? BEGINNING : String(words[at]);
      if (at === undefined || cursor === BEGINNING) return words;
      const place = this.#placeOf(cursor);
      first ??= { place, cursor };
      if (place !== first.place) lost(cursor);
      return words.with(at, String(Number(cursor) % CURSORS_MAX));
    });
    return first === undefined ? undefined : { ...first, commands: bare };
  }

  /** Puts the mark of who answered upon each cursor of these answers, in place. @throws Nexus3Error CURSOR_LOST */
  mark(commands: Commands, replies: readonly unknown[], from: CursorPlace): void {
    for (const [at, words] of commands.entries()) {
      const reply: unknown = replies[at];
      if (cursorAt(words) === undefined || !Array.isArray(reply)) continue;
      const given: unknown = reply[0];
      const bare = String(given);
      if (bare === BEGINNING) continue;
      // A table of that size is in no memory of today.
      if (!(Number(bare) < CURSORS_MAX)) lost(bare);
      const marked = String(this.#markOf(from) * CURSORS_MAX + Number(bare));
      reply[0] = Buffer.isBuffer(given) ? Buffer.from(marked) : marked;
    }
  }

  /** @throws Nexus3Error CURSOR_LOST */
  #placeOf(cursor: string): CursorPlace {
    const mark = /^\d+$/.test(cursor) ? Math.floor(Number(cursor) / CURSORS_MAX) : undefined;
    return [...this.#marks.values()].find((one) => one.mark === mark)?.place ?? lost(cursor);
  }

  #markOf({ side, epoch }: CursorPlace): number {
    const known = this.#marks.get(side);
    if (known?.place.epoch === epoch) return known.mark;
    const isTaken = (): boolean => [...this.#marks.values()].some(({ mark }) => mark === this.#lastMark);
    do this.#lastMark = (this.#lastMark % (MARKS_MAX - 1)) + 1;
    while (isTaken());
    this.#marks.set(side, { place: { side, epoch }, mark: this.#lastMark });
    return this.#lastMark;
  }
}

function cursorAt(words: readonly unknown[]): number | undefined {
  const at = CURSOR_AT[String(words[0]).toUpperCase()];
  return at === undefined || at >= words.length ? undefined : at;
}

/** @throws Nexus3Error CURSOR_LOST always */
export function lost(cursor: string): never {
  throw new Nexus3Error('CURSOR_LOST', `The scan cannot go on at cursor ${cursor}.`, {
    evidence: [
      'a cursor belongs to the client that got it and the connection over which it came; this one came over none that is there',
    ],
    hint: 'Begin the scan anew, with cursor 0; what was seen twice is seen twice.',
  });
}
