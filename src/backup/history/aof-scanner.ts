/**
 * Reads the bytes of an append-only file as they come, in pieces of any size, and knows where commands, transactions and
 * seconds begin and end. It decodes nothing and keeps nothing: an argument is skipped by its length, so that gigabytes
 * pass in constant memory. Pure.
 *
 * A file is `*COUNT\r\n` and COUNT times `$LENGTH\r\nBYTES\r\n` for each command, and lines that begin with `#` between
 * commands; `#TS:SECONDS\r\n` says that what follows was written in that second or later (Redis source, aof.c). Between
 * MULTI and EXEC is one transaction.
 */

/** Where the bytes stop being an append-only file. */
export interface AofDamage {
  /** Of the first byte of the command or line that is none. */
  readonly offset: number;
  readonly what: string;
}

export interface AofScan {
  /** After the last command that is whole and outside any transaction that is not: where the file may be cut. */
  readonly end: number;
  /** Something dated later than `until` was found: `end` is where to cut, and what follows was not looked at. */
  readonly cut: boolean;
  /** The second of that; undefined: nothing was found. */
  readonly later: number | undefined;
  /** Seconds since 1970 of the first and the last `#TS:` line before `end`; undefined: there is none. */
  readonly first: number | undefined;
  readonly last: number | undefined;
  /** Before `end`; those of transactions counted singly. */
  readonly commands: number;
  /** Undefined where the bytes after `end` may be the beginning of something whole. */
  readonly damage: AofDamage | undefined;
}

/** Redis reads no longer annotation than this (AOF_ANNOTATION_LINE_MAX_LEN). */
const ANNOTATION_BYTES_MAX = 1_024;
/** More digits than any count or length has. */
const DIGITS_MAX = 15;
/** The longest name that matters: MULTI. */
const NAME_BYTES_MAX = 5;

const [STAR, DOLLAR, HASH, CR, LF, ZERO, NINE] = [0x2a, 0x24, 0x23, 0x0d, 0x0a, 0x30, 0x39];

enum State {
  Between,
  Annotation,
  Count,
  CountEnd,
  Dollar,
  Length,
  LengthEnd,
  Argument,
  ArgumentEnd,
  ArgumentEnded,
  Stopped,
}

export class AofScanner {
  readonly #until: number;
  #state = State.Between;
  /** Bytes that came before the present piece. */
  #before = 0;
  #end = 0;
  #cut = false;
  #later: number | undefined;
  #first: number | undefined;
  #last: number | undefined;
  #commands = 0;
  #damage: AofDamage | undefined;
  /** Of the command or line under way. */
  #startedAt = 0;
  #argumentsLeft = 0;
  #bytesLeft = 0;
  #number = 0;
  #digits = 0;
  /** The line, or a lone argument that may be MULTI or EXEC. */
  #text = '';
  #isName = false;
  #inTransaction = false;
  /** Of the transaction under way or what lies between `end` and now. */
  #pendingCommands = 0;
  #pendingFirst: number | undefined;
  #pendingLast: number | undefined;
  #lateInTransaction = false;

  /** @param until second (since 1970) of the last that is wanted; undefined: everything */
  constructor(until?: number) {
    this.#until = until ?? Number.POSITIVE_INFINITY;
  }

  /** True when nothing that comes can change the result. */
  get done(): boolean {
    return this.#state === State.Stopped;
  }

  result(): AofScan {
    return {
      end: this.#end,
      cut: this.#cut,
      later: this.#cut ? this.#later : undefined,
      first: this.#first,
      last: this.#last,
      commands: this.#commands,
      damage: this.#damage,
    };
  }

  push(piece: Buffer): void {
    const { length } = piece;
    let at = 0;
    while (at < length) {
      switch (this.#state) {
        case State.Argument: {
          const some = Math.min(this.#bytesLeft, length - at);
          if (this.#isName) this.#text += piece.toString('latin1', at, at + some);
          at += some;
          this.#bytesLeft -= some;
          if (this.#bytesLeft === 0) this.#state = State.ArgumentEnd;
          break;
        }
        case State.Count:
        case State.Length:
          at = this.#readNumber(piece, at);
          break;
        case State.Stopped:
          at = length;
          break;
        default:
          this.#step(piece[at] ?? 0, this.#before + at);
          at += 1;
      }
    }
    this.#before += length;
  }

  #readNumber(piece: Buffer, from: number): number {
    let at = from;
    for (; at < piece.length; at += 1) {
      const byte = piece[at] ?? 0;
      if (byte >= ZERO && byte <= NINE && this.#digits < DIGITS_MAX) {
        this.#number = this.#number * 10 + byte - ZERO;
        this.#digits += 1;
        continue;
      }
      if (byte !== CR || this.#digits === 0) this.#stop('a count or length that is no number');
      else this.#state = this.#state === State.Count ? State.CountEnd : State.LengthEnd;
      return at + 1;
    }
    return at;
  }

  #step(byte: number, offset: number): void {
    switch (this.#state) {
      case State.Between:
        this.#begin(byte, offset);
        break;
      case State.Annotation:
        this.#annotate(byte);
        break;
      case State.CountEnd:
        this.#argumentsLeft = this.#number;
        this.#isName = this.#number === 1;
        if (this.#number === 0) this.#stop('a command of no words');
        else this.#expect(byte, LF, State.Dollar);
        break;
      case State.Dollar:
        [this.#number, this.#digits] = [0, 0];
        this.#expect(byte, DOLLAR, State.Length);
        break;
      case State.LengthEnd:
        this.#bytesLeft = this.#number;
        this.#isName &&= this.#number <= NAME_BYTES_MAX;
        this.#expect(byte, LF, this.#number === 0 ? State.ArgumentEnd : State.Argument);
        break;
      case State.ArgumentEnd:
        this.#expect(byte, CR, State.ArgumentEnded);
        break;
      case State.ArgumentEnded:
        this.#endArgument(byte, offset);
        break;
      default:
    }
  }

  #endArgument(byte: number, offset: number): void {
    this.#argumentsLeft -= 1;
    this.#expect(byte, LF, this.#argumentsLeft === 0 ? State.Between : State.Dollar);
    if (this.#argumentsLeft === 0 && byte === LF) this.#endCommand(offset + 1);
  }

  #begin(byte: number, offset: number): void {
    this.#startedAt = offset;
    [this.#number, this.#digits, this.#text] = [0, 0, ''];
    if (byte === STAR) this.#state = State.Count;
    else if (byte === HASH) this.#state = State.Annotation;
    else this.#stop(byte === 0 ? 'NUL bytes' : 'something that is neither a command nor an annotation');
  }

  #annotate(byte: number): void {
    if (byte !== LF) {
      this.#text += String.fromCharCode(byte);
      if (this.#text.length >= ANNOTATION_BYTES_MAX) this.#stop('an annotation that does not end');
      return;
    }
    this.#state = State.Between;
    if (!this.#text.startsWith('TS:')) return;
    const digits = /^TS:(\d{1,15})\r$/.exec(this.#text)?.[1];
    if (digits === undefined) this.#stop('a time that cannot be read');
    else this.#date(Number(digits));
  }

  #date(second: number): void {
    if (second <= this.#until || this.#lateInTransaction) {
      this.#pendingFirst ??= second;
      this.#pendingLast = second;
      return;
    }
    this.#later ??= second;
    if (this.#inTransaction) {
      // It belongs to the second in which it began.
      this.#lateInTransaction = true;
    } else {
      this.#finish();
    }
  }

  #finish(): void {
    this.#cut = true;
    this.#state = State.Stopped;
  }

  #endCommand(end: number): void {
    this.#pendingCommands += 1;
    if (this.#isName) {
      const name = this.#text.toUpperCase();
      if (name === 'MULTI') this.#inTransaction = true;
      else if (name === 'EXEC') this.#inTransaction = false;
    }
    if (this.#inTransaction) return;
    this.#end = end;
    this.#commands += this.#pendingCommands;
    this.#first ??= this.#pendingFirst;
    this.#last = this.#pendingLast ?? this.#last;
    [this.#pendingCommands, this.#pendingFirst, this.#pendingLast] = [0, undefined, undefined];
    if (this.#lateInTransaction) this.#finish();
  }

  #expect(byte: number, expected: number, then: State): void {
    if (byte === expected) this.#state = then;
    else this.#stop('a command that does not go on as it began');
  }

  #stop(what: string): void {
    this.#damage = { offset: this.#startedAt, what };
    this.#state = State.Stopped;
  }
}
