/**
 * The audit in Locker’s Redis: one read and one transaction append to it, and whatever else must be read or changed with
 * that goes along in the same two round trips. Writers that race try again.
 */
import { setImmediate as turnOfTheLoop, setTimeout as sleep } from 'node:timers/promises';
import { Nexus3Error } from '../../errors.js';
import type { LockerConnection, LockerReply } from '../channel.js';
import type { HashAddress, LockerDatabase } from '../database.js';
import { KEY } from '../keys.js';
import type { AuditNote } from '../locker.js';
import { toFields, unreadable } from '../sealed-hash.js';
import type { Who } from './audit.js';
import { addWords, AuditKey, type Base, baseOf, type Head, headWords, makeEntry, type SignedNote } from './chain.js';
import { type StoredEntry, storedEntries } from './chain.js';
import { ChainCheck, type HeadMark } from './check.js';
import { advanceMark, type FoundMark, genuineMark, readMark } from './head-file.js';
import { trimTarget } from './trim.js';
import { whoAsks } from './who.js';

/** How often an append is tried again because another process was first. With eight at once, three or four are usual. */
const APPEND_RACES_MAX = 100;
/** The longest pause before another try, in milliseconds: chosen by chance, so that writers do not meet again. */
const RACE_PAUSE_MS = 20;
const KEY_NAME = 'key';

export const AUDIT_KEY_ADDRESS: HashAddress = {
  key: KEY.auditKey,
  place: { lockerId: 'audit', env: '' },
  label: 'the audit',
};

export interface AuditLogInit {
  readonly database: LockerDatabase;
  readonly headFile: string;
  /** The most entries that are kept. */
  readonly entriesMax: number;
  /** Told what went wrong beside the audit itself, a sentence each; an append goes on all the same. */
  readonly warn: (text: string) => void;
  readonly now?: () => Date;
}

/** What is to be written, once everything has been read. */
export interface Appending<T> {
  readonly notes: readonly (AuditNote & { readonly who?: Who; readonly at?: string })[];
  /** Done with the append, all or not at all. */
  readonly commands?: readonly (readonly string[])[];
  readonly result: T;
}

type Attempt<T> =
  { readonly kind: 'done'; readonly result: T } | { readonly kind: 'raced' } | { readonly kind: 'no-key' };

export class AuditLog {
  readonly database: LockerDatabase;
  readonly headFile: string;
  readonly #entriesMax: number;
  readonly #warn: (text: string) => void;
  readonly #now: () => Date;
  readonly #warned = new Set<string>();
  /** As it was opened last, and what it was opened from. */
  #opened: { readonly from: string; readonly key: AuditKey | undefined } | undefined;
  #marking: Promise<void> = Promise.resolve();

  constructor({ database, headFile, entriesMax, warn, now }: AuditLogInit) {
    this.database = database;
    this.headFile = headFile;
    this.#entriesMax = entriesMax;
    this.#warn = warn;
    this.#now = now ?? (() => new Date());
  }

  /** @throws Nexus3Error AUDIT_NOT_WRITTEN, LOCKER_UNREACHABLE, LOCKER_VALUE_UNREADABLE */
  async append(...notes: readonly AuditNote[]): Promise<void> {
    await this.appendWith([], () => ({ notes, result: undefined }));
  }

  /**
   * Reads what these commands ask for together with what the audit needs, and appends what `decide` makes of their
   * replies: two round trips in all. What `decide` says may be asked again when another process was first.
   * @throws Nexus3Error AUDIT_NOT_WRITTEN, LOCKER_UNREACHABLE, LOCKER_VALUE_UNREADABLE, and what `decide` throws
   */
  async appendWith<T>(
    reads: readonly (readonly string[])[],
    decide: (replies: readonly LockerReply[]) => Appending<T>,
  ): Promise<T> {
    for (let race = 0; race < APPEND_RACES_MAX; race += 1) {
      // What is remembered must not fall behind what is trimmed: it could not be compared any more.
      await this.#marking;
      const attempt = await this.database
        .inTurn(async (connection) => this.#attempt(connection, reads, decide))
        .catch((error: unknown) => {
          throw inAuditsWords(error);
        });
      if (attempt.kind === 'done') return attempt.result;
      if (attempt.kind === 'no-key') await this.#createKey();
      else await sleep(Math.random() * RACE_PAUSE_MS);
    }
    throw new Nexus3Error('AUDIT_NOT_WRITTEN', 'Others keep writing to Locker’s audit, so this could not be noted.', {
      evidence: [`${String(APPEND_RACES_MAX)} attempts`],
      hint: 'Nothing was handed out. Run the command again.',
    });
  }

  /** The audit’s key as it lies in Locker; undefined: there is none yet. @throws Nexus3Error LOCKER_VALUE_… */
  openKey(reply: LockerReply | undefined): AuditKey | undefined {
    if (toFields(reply).size === 0) return undefined;
    const secret = this.database.hash(AUDIT_KEY_ADDRESS, reply).open('value', KEY_NAME);
    if (secret === undefined) return undefined;
    const key = AuditKey.from(secret);
    if (key === undefined) throw unreadable(AUDIT_KEY_ADDRESS.label, 'its key is not one');
    return key;
  }

  /** Resolves when what is kept beside the root key is as far as it will come. */
  async settled(): Promise<void> {
    await this.#marking;
  }

  warn(text: string): void {
    if (this.#warned.has(text)) return;
    this.#warned.add(text);
    this.#warn(text);
  }

  async #attempt<T>(
    connection: LockerConnection,
    reads: readonly (readonly string[])[],
    decide: (replies: readonly LockerReply[]) => Appending<T>,
  ): Promise<Attempt<T>> {
    const found = readMark(this.headFile);
    const at = typeof found === 'object' ? `${String(found.seq)}-0` : '0-1';
    const own = [
      ['WATCH', KEY.auditHead, KEY.auditKey],
      ['HGETALL', KEY.auditHead],
      ['XREVRANGE', KEY.audit, '+', '-', 'COUNT', '1'],
      ['XRANGE', KEY.audit, at, at],
      // Each time: another run of nexus3 may have begun the audit anew, with another key.
      ['HGETALL', KEY.auditKey],
    ];
    const asked = connection.ask([...own, ...reads]);
    // While the server answers.
    const who = whoAsks();
    const replies = await asked;
    await this.database.refreshKeys();
    const key = this.#keyIn(replies[4]);
    if (key === undefined) return { kind: 'no-key' };
    const [last] = storedEntries(replies[2]);
    const base = baseOf(key, toFields(replies[1]), last);
    if (base === undefined) throw jammed(last);
    const appending = decide(replies.slice(own.length));
    const commands = appending.commands ?? [];
    if (appending.notes.length === 0 && commands.length === 0) return { kind: 'done', result: appending.result };
    const entries = this.#chain(key, base, who, appending.notes);
    const head = await this.#trimmed(connection, key, base, entries);
    const trim =
      head.anchorSeq > base.head.anchorSeq ? [['XTRIM', KEY.audit, 'MINID', `${String(head.anchorSeq + 1)}-0`]] : [];
    const added =
      entries.length === 0
        ? []
        : [...entries.map((entry) => addWords(KEY.audit, entry)), ['HSET', KEY.auditHead, ...headWords(key, head)]];
    const executed = await connection.ask([['MULTI'], ...added, ...trim, ...commands, ['EXEC']]);
    if (executed.at(-1) === null) return { kind: 'raced' };
    if (base.damaged) this.warn('What Locker’s audit holds is damaged: `nexus3 locker audit --verify` says where.');
    if (entries.length > 0) this.#remember(key, base, head, found, storedEntries(replies[3])[0]);
    return { kind: 'done', result: appending.result };
  }

  /** Opened only where it is another one than last time. */
  #keyIn(reply: LockerReply | undefined): AuditKey | undefined {
    const from = JSON.stringify(reply);
    if (this.#opened?.from !== from) this.#opened = { from, key: this.openKey(reply) };
    return this.#opened.key;
  }

  #chain(key: AuditKey, base: Base, who: Who, notes: Appending<unknown>['notes']): readonly StoredEntry[] {
    const at = this.#now().toISOString();
    let { seq, link } = base;
    return notes.map((note) => {
      const signed: SignedNote = { ...note, who: note.who ?? who, at: note.at ?? at };
      const entry = makeEntry(key, (seq += 1), link, signed);
      link = entry.mac;
      return entry;
    });
  }

  /** The head behind these entries, with the anchor where it will be; what goes is looked at once more. */
  async #trimmed(
    connection: LockerConnection,
    key: AuditKey,
    base: Base,
    entries: readonly StoredEntry[],
  ): Promise<Head> {
    const seq = base.seq + entries.length;
    const head: Head = { ...base.head, seq, mac: entries.at(-1)?.mac ?? base.head.mac };
    const target = trimTarget({ anchorSeq: head.anchorSeq, baseSeq: base.seq, seq, entriesMax: this.#entriesMax });
    if (target === undefined) return head;
    const range = ['XRANGE', KEY.audit, `${String(head.anchorSeq + 1)}-0`, `${String(target)}-0`];
    const [reply] = await connection.ask([range]);
    const check = new ChainCheck(key, head, undefined);
    for (const stored of storedEntries(reply)) check.take(stored);
    const whole = check.damages.length === 0 && check.lastSeq === target;
    if (whole) return { ...head, anchorSeq: target, anchorMac: check.lastMac };
    const damagedAt = head.damagedAt > 0 ? head.damagedAt : (check.damages[0]?.seq ?? target);
    return { ...head, anchorSeq: target, anchorMac: '', damagedAt };
  }

  /** In the background: whoever waits for a credential need not wait for this, and an older head is still a true one. */
  #remember(
    key: AuditKey,
    base: Base,
    { seq, mac }: Head,
    found: FoundMark,
    remembered: StoredEntry | undefined,
  ): void {
    if (!goesOn(key, base, found, remembered)) {
      this.warn(
        `Locker’s audit does not go on from what ${this.headFile} remembers: \`nexus3 locker audit --verify\` says what is wrong.`,
      );
      return;
    }
    const mark: HeadMark = { audit: key.id, seq, mac };
    this.#marking = this.#marking.then(async () => {
      await turnOfTheLoop();
      const failure = await advanceMark(this.headFile, key, mark);
      if (failure !== undefined) {
        this.warn(`How far Locker’s audit has come could not be kept beside the root key: ${failure}.`);
      }
    });
  }

  async #createKey(): Promise<void> {
    await this.database.change(AUDIT_KEY_ADDRESS, (hash) => ({
      commands:
        hash.version(KEY_NAME) > 0
          ? []
          : [['HSET', KEY.auditKey, ...hash.sealNew('value', KEY_NAME, AuditKey.generate().toSecret())]],
      result: undefined,
    }));
  }
}

/** A head that is not found in the chain stays, because it is what shows that something is wrong. */
function goesOn(key: AuditKey, { head }: Base, found: FoundMark, remembered: StoredEntry | undefined): boolean {
  if (found === undefined) return true;
  const mark = found === 'unreadable' ? undefined : genuineMark(key, found);
  if (mark === undefined || mark.audit !== key.id) return false;
  return remembered?.mac === mark.mac || (mark.seq === head.anchorSeq && mark.mac === head.anchorMac);
}

function jammed(last: StoredEntry | undefined): Nexus3Error {
  return new Nexus3Error('AUDIT_NOT_WRITTEN', 'Nothing can be put behind what lies in Locker’s audit.', {
    evidence: [`its last entry stands at ${last?.id ?? '0-0'}, where nexus3 puts none`],
    hint: AUDIT_WAY_OUT,
  });
}

export const AUDIT_WAY_OUT =
  'Keep what it shows (nexus3 locker audit --limit 100000 --json > FILE), find out who could write to Locker’s data, and ' +
  'then begin a new one: nexus3 locker audit --begin-anew';

/** Redis took the password, and then refused to write. */
function inAuditsWords(error: unknown): unknown {
  if (!(error instanceof Nexus3Error) || error.code !== 'LOCKER_UNREACHABLE') return error;
  const refused = error.cause instanceof Nexus3Error && error.cause.code === 'REDIS_REPLY_UNEXPECTED';
  if (!refused || error.evidence[0]?.startsWith('AUTH') === true) return error;
  const damaged = /WRONGTYPE|XADD is equal or smaller/.test(error.evidence.join());
  return new Nexus3Error('AUDIT_NOT_WRITTEN', 'Locker cannot write its audit, so nothing was handed out.', {
    evidence: error.evidence,
    hint: damaged
      ? AUDIT_WAY_OUT
      : 'Locker’s server refuses to write; `nexus3 check locker` says why. Then run it again.',
    cause: error,
  });
}
