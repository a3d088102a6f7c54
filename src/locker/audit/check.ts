/** Is the chain whole? Pure: entries in, what is wrong out, each kind of damage told apart. */
import type { AuditKey, Head, StoredEntry } from './chain.js';
import { LINK, readEntry, seqOf } from './chain.js';

/** What is kept beside the root key: how far the audit had come. */
export interface HeadMark {
  /** Which audit: AuditKey.id. */
  readonly audit: string;
  readonly seq: number;
  readonly mac: string;
}

export type DamageKind =
  | 'removed'
  | 'front-cut'
  | 'tail-cut'
  | 'all-removed'
  | 'changed'
  | 'inserted'
  | 'moved'
  | 'unlinked'
  | 'continued'
  | 'trimmed'
  | 'head-missing'
  | 'head-changed'
  | 'head-older'
  | 'rolled-back'
  | 'rewritten'
  | 'another-audit';

export interface Damage {
  /** The first entry that is concerned. */
  readonly seq: number;
  readonly kind: DamageKind;
  readonly text: string;
}

/** More than these are counted, not listed. */
export const DAMAGES_MAX = 20;

export class ChainCheck {
  readonly #key: AuditKey;
  readonly #mark: HeadMark | undefined;
  readonly #damages: Damage[] = [];
  /** Of the entry before; undefined where that is not known. */
  #link: string | undefined;
  #expected: number | undefined;
  #firstSeq = 0;
  #lastSeq: number;
  #lastMac: string;
  #count = 0;

  /** @param head undefined: where the chain begins is not known. @param mark of this audit */
  constructor(key: AuditKey, head: Head | undefined, mark: HeadMark | undefined) {
    this.#key = key;
    this.#mark = mark;
    this.#expected = head === undefined ? undefined : head.anchorSeq + 1;
    // Where damage was trimmed away, nothing is known of the one before; that damage is said at the end.
    this.#link = head === undefined || (head.anchorSeq > 0 && head.anchorMac === '') ? undefined : head.anchorMac;
    this.#lastSeq = head?.anchorSeq ?? 0;
    this.#lastMac = head?.anchorMac ?? LINK.first;
    if (head !== undefined && mark?.seq === head.anchorSeq && mark.mac !== head.anchorMac) this.#rewritten(mark.seq);
  }

  get count(): number {
    return this.#count;
  }

  get firstSeq(): number {
    return this.#firstSeq;
  }

  get lastSeq(): number {
    return this.#lastSeq;
  }

  get lastMac(): string {
    return this.#lastMac;
  }

  get damages(): readonly Damage[] {
    return this.#damages;
  }

  /** In the order of the stream. */
  take(stored: StoredEntry): void {
    const seq = seqOf(stored.id);
    if (seq === undefined) {
      this.#say(this.#lastSeq + 1, 'inserted', `what stands at ${stored.id} was not written by nexus3`);
      return;
    }
    if (this.#expected !== undefined && seq > this.#expected) this.#gap(this.#expected, seq - 1);
    this.#judge(seq, stored);
    if (this.#mark?.seq === seq && this.#mark.mac !== stored.mac) this.#rewritten(seq);
    this.#firstSeq ||= seq;
    this.#count += 1;
    this.#lastSeq = seq;
    this.#lastMac = stored.mac;
    this.#link = stored.mac;
    this.#expected = seq + 1;
  }

  /** What is wrong, in the order of the entries. @param head as it was at the end of the stream */
  finish(head: Head | 'changed' | undefined, mark: HeadMark | undefined): readonly Damage[] {
    if (mark !== undefined && mark.audit !== this.#key.id) {
      this.#say(1, 'another-audit', 'the head beside the root key is of another audit: this one was begun anew');
    }
    if (head === undefined) {
      if (this.#count > 0)
        this.#say(this.#lastSeq, 'head-missing', 'the head in Locker, which says where it ends, was deleted');
    } else if (head === 'changed') {
      this.#say(this.#lastSeq, 'head-changed', 'the head in Locker, which says where it ends, was changed');
    } else {
      this.#compare(head);
    }
    const agrees = typeof head === 'object' && head.seq === this.#lastSeq;
    if (this.#mark !== undefined && this.#mark.seq > this.#lastSeq)
      this.#behind(this.#mark.seq, agrees || head === undefined);
    const end = typeof head === 'object' ? head.seq : Infinity;
    return this.#damages
      .map((damage) => (damage.kind === 'changed' && damage.seq > end ? added(damage) : damage))
      .toSorted((a, b) => a.seq - b.seq);
  }

  #judge(seq: number, stored: StoredEntry): void {
    const entry = this.#key.fits('entry', stored.text, stored.mac) ? readEntry(this.#key, stored) : undefined;
    if (entry === undefined) {
      this.#say(seq, 'changed', `entry ${String(seq)} was changed: it does not fit its MAC`);
    } else if (entry.seq !== seq) {
      this.#say(
        seq,
        'moved',
        `at the place of entry ${String(seq)} stands entry ${String(entry.seq)}: moved, or put in twice`,
      );
    } else if (entry.prev === LINK.damaged) {
      this.#say(seq, 'continued', `when entry ${String(seq)} was written, what was before it was damaged already`);
    } else if (this.#link !== undefined && entry.prev !== this.#link) {
      const text = `entry ${String(seq)} does not follow the one before it: one of them is from another copy of the audit`;
      this.#say(seq, 'unlinked', text);
    }
  }

  #gap(from: number, to: number): void {
    const which = range(from, to);
    if (this.#count === 0) this.#say(from, 'front-cut', `${which} cut off at the front`);
    else this.#say(from, 'removed', `${which} removed`);
    this.#link = undefined;
  }

  #compare(head: Head): void {
    if (head.damagedAt > 0) {
      const text = `damage at entry ${String(head.damagedAt)} was seen when the oldest were trimmed away`;
      this.#say(head.damagedAt, 'trimmed', text);
    }
    if (this.#lastSeq < head.seq) {
      const which = range(this.#lastSeq + 1, head.seq);
      if (this.#count === 0)
        this.#say(this.#lastSeq + 1, 'all-removed', `the whole stream was deleted: ${which} removed`);
      else this.#say(this.#lastSeq + 1, 'tail-cut', `${which} cut off at the end`);
    } else if (this.#lastSeq > head.seq || this.#lastMac !== head.mac) {
      const text = `the head in Locker ends at entry ${String(head.seq)}, the entries end at ${String(this.#lastSeq)}, and they do not fit`;
      this.#say(Math.min(head.seq + 1, this.#lastSeq), 'head-older', text);
    }
  }

  #behind(seq: number, rolledBack: boolean): void {
    const known = `beside the root key it is written that it had come to entry ${String(seq)}`;
    if (rolledBack) {
      const text = `the audit was put back to an older state: it ends at entry ${String(this.#lastSeq)}, but ${known}`;
      this.#say(this.#lastSeq + 1, 'rolled-back', text);
    } else {
      this.#say(this.#lastSeq + 1, 'tail-cut', `it ends at entry ${String(this.#lastSeq)}, but ${known}`);
    }
  }

  #rewritten(seq: number): void {
    const text = `entry ${String(seq)} is another than the one that is remembered beside the root key: an older state was put back, and went on`;
    this.#say(seq, 'rewritten', text);
  }

  #say(seq: number, kind: DamageKind, text: string): void {
    if (this.#damages.length < DAMAGES_MAX) this.#damages.push({ seq, kind, text });
  }
}

function added({ seq }: Damage): Damage {
  return { seq, kind: 'inserted', text: `what stands behind the end, at ${String(seq)}, was not written by nexus3` };
}

function range(from: number, to: number): string {
  return from === to ? `entry ${String(from)} was` : `entries ${String(from)} to ${String(to)} were`;
}
