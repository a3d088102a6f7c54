/**
 * The audit as a chain: each entry holds the MAC of the one before, and nobody without the audit's key can make a MAC.
 * Pure. An entry's place in the stream is its number (`12-0`), so that what is missing shows.
 *
 * The head says where the chain ends, and where it begins: `anchor` is the last entry that was trimmed away. Head and
 * anchor are bound by a MAC of their own, so the front cannot be cut without a trace either.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { parseJsonObject } from '../../json.js';
import { Secret } from '../../protocol/secret.js';
import type { LockerReply } from '../channel.js';
import { AUDIT_ACTIONS, type AuditNote } from '../locker.js';
import type { AuditEntry, Who } from './audit.js';

const KEY_BYTES = 32;
const ID_CHARACTERS = 16;

/** What a MAC is made for; none can stand in for another. */
type Purpose = 'audit' | 'entry' | 'head' | 'head-file' | 'denied';

/** What binds the entries. Keeps to itself: it can only make and compare MACs. */
export class AuditKey {
  readonly #key: Buffer;
  /** Tells one audit from another; says nothing of the key. */
  readonly id: string;

  private constructor(key: Buffer) {
    this.#key = key;
    this.id = this.mac('audit', '').slice(0, ID_CHARACTERS);
  }

  static generate(): AuditKey {
    return new AuditKey(randomBytes(KEY_BYTES));
  }

  /** Undefined for what is no such key. */
  static from(secret: Secret): AuditKey | undefined {
    const key = Buffer.from(secret.reveal(), 'base64url');
    return key.length === KEY_BYTES ? new AuditKey(key) : undefined;
  }

  toSecret(): Secret {
    return new Secret(this.#key.toString('base64url'));
  }

  mac(purpose: Purpose, text: string): string {
    return createHmac('sha256', this.#key).update(`nexus3 ${purpose}\n${text}`, 'utf8').digest('base64url');
  }

  fits(purpose: Purpose, text: string, mac: string): boolean {
    const [right, given] = [Buffer.from(this.mac(purpose, text)), Buffer.from(mac)];
    return right.length === given.length && timingSafeEqual(right, given);
  }
}

/** In place of the MAC before: of the first entry, and of one that could not be bound to what was there. */
export const LINK = { first: '', damaged: 'damaged' } as const;

/** As it lies in the stream. */
export interface StoredEntry {
  /** `12-0` */
  readonly id: string;
  readonly text: string;
  readonly mac: string;
}

/** A note, and whose it is. */
export interface SignedNote extends AuditNote {
  readonly who: Who;
  /** ISO 8601. */
  readonly at: string;
}

export interface Head {
  readonly seq: number;
  readonly mac: string;
  readonly anchorSeq: number;
  /** Empty for the very beginning, and where damage was trimmed away. */
  readonly anchorMac: string;
  /** Damage that was seen when it was trimmed away; 0: none. */
  readonly damagedAt: number;
}

export function makeEntry(key: AuditKey, seq: number, prev: string, note: SignedNote): StoredEntry {
  const { at, who, action, what, outcome, detail } = note;
  const text = JSON.stringify({
    ...{ seq, at, who: { user: who.user, pid: who.pid, parent: who.parent, token: who.token } },
    ...{ action, what, outcome, ...(detail === undefined ? {} : { detail }), prev },
  });
  return { id: `${String(seq)}-0`, text, mac: key.mac('entry', text) };
}

/** The number that a place in the stream stands for; undefined for a place where nexus3 puts nothing. */
export function seqOf(id: string): number | undefined {
  const seq = Number(/^([1-9]\d{0,15})-0$/.exec(id)?.[1]);
  return Number.isSafeInteger(seq) ? seq : undefined;
}

/** Undefined: it is of no such form. Whether it is genuine, the MAC says. */
export function readEntry(key: AuditKey, { id, text, mac }: StoredEntry): (AuditEntry & { prev: string }) | undefined {
  const { seq, at, who, action, what, outcome, detail, prev } = parseJsonObject(text) ?? {};
  const { user, pid, parent, token } = isObject(who) ? who : {};
  const known = AUDIT_ACTIONS.find((one) => one === action);
  if (typeof seq !== 'number' || typeof at !== 'string' || typeof prev !== 'string') return undefined;
  if (known === undefined || typeof what !== 'string') return undefined;
  if (outcome !== 'ok' && outcome !== 'denied' && outcome !== 'failed') return undefined;
  return {
    ...{ seq, at, action: known, what, outcome, prev },
    who: {
      user: typeof user === 'string' ? user : '',
      pid: typeof pid === 'number' ? pid : 0,
      parent: typeof parent === 'string' ? parent : '',
      token: typeof token === 'string' ? token : null,
    },
    detail: typeof detail === 'string' ? detail : null,
    genuine: key.fits('entry', text, mac) && seqOf(id) === seq,
  };
}

/** The words of HSET. */
export function headWords(key: AuditKey, head: Head): readonly string[] {
  return [
    ...['seq', String(head.seq), 'mac', head.mac],
    ...['anchor-seq', String(head.anchorSeq), 'anchor-mac', head.anchorMac, 'damaged-at', String(head.damagedAt)],
    ...['bound', key.mac('head', headText(head))],
  ];
}

/** Undefined: there is none. `changed`: nexus3 did not write it. */
export function readHead(key: AuditKey, fields: ReadonlyMap<string, string>): Head | 'changed' | undefined {
  if (fields.size === 0) return undefined;
  const number = (name: string): number => {
    const text = fields.get(name) ?? '';
    return /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  };
  const head: Head = {
    ...{ seq: number('seq'), mac: fields.get('mac') ?? '' },
    ...{ anchorSeq: number('anchor-seq'), anchorMac: fields.get('anchor-mac') ?? '' },
    damagedAt: number('damaged-at'),
  };
  return key.fits('head', headText(head), fields.get('bound') ?? '') ? head : 'changed';
}

function headText({ seq, mac, anchorSeq, anchorMac, damagedAt }: Head): string {
  return JSON.stringify([seq, mac, anchorSeq, anchorMac, damagedAt]);
}

/** What the next entry follows. */
export interface Base {
  readonly seq: number;
  readonly link: string;
  readonly head: Head;
  /** What is there cannot be followed: the next entry is bound to nothing, and the proof says so for ever. */
  readonly damaged: boolean;
}

const EMPTY: Head = { seq: 0, mac: LINK.first, anchorSeq: 0, anchorMac: LINK.first, damagedAt: 0 };

/** Undefined: nothing can be put behind what is there. */
export function baseOf(
  key: AuditKey,
  fields: ReadonlyMap<string, string>,
  last: StoredEntry | undefined,
): Base | undefined {
  const read = readHead(key, fields);
  const head = read === undefined || read === 'changed' ? EMPTY : read;
  const lastSeq = last === undefined ? 0 : (seqOf(last.id) ?? Number.NaN);
  const whole = read !== 'changed' && lastSeq === head.seq && (last?.mac ?? LINK.first) === head.mac;
  const seq = Math.max(head.seq, lastSeq);
  if (!Number.isSafeInteger(seq + 1)) return undefined;
  return { seq, link: whole ? head.mac : LINK.damaged, head, damaged: !whole };
}

/** XRANGE and XREVRANGE. What has not the three fields of an entry of ours is kept as one that is not genuine. */
export function storedEntries(reply: LockerReply | undefined): readonly StoredEntry[] {
  const items: readonly unknown[] = Array.isArray(reply) ? reply : [];
  return items.flatMap((item) => {
    const [id, words] = Array.isArray(item) ? (item as readonly unknown[]) : [];
    const list: readonly unknown[] = Array.isArray(words) ? words : [];
    if (typeof id !== 'string') return [];
    const named = list.length === 6 && list[0] === 'seq' && list[2] === 'entry' && list[4] === 'mac';
    const usual = named && `${String(list[1])}-0` === id;
    return [{ id, text: usual ? String(list[3]) : '', mac: usual ? String(list[5]) : '' }];
  });
}

export function addWords(key: string, { id, text, mac }: StoredEntry): readonly string[] {
  return ['XADD', key, id, 'seq', id.replace(/-0$/, ''), 'entry', text, 'mac', mac];
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
