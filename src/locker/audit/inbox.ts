/**
 * What holders of tokens have noted. They cannot extend the chain, so they leave notes, which are taken in by the next
 * one who can. A note says what its writer wants it to say, but for the token: that is the inbox that it was in.
 */
import type { LockerReply } from '../channel.js';
import { AUDIT_ACTIONS } from '../locker.js';
import type { SignedNote } from './chain.js';
import { parseJsonObject } from '../../json.js';

/** A longer note is not looked at. */
export const NOTE_CHARACTERS_MAX = 2_048;
/** Of each text in it. */
const TEXT_CHARACTERS_MAX = 200;
/** What stands behind the token’s own words. */
const SOURCE = 'noted by the token’s holder';

export interface InboxNote {
  readonly id: string;
  readonly note: SignedNote;
}

/** XRANGE of an inbox. @param now for what names no time of its own */
export function readInbox(token: string, reply: LockerReply | undefined, now: Date): readonly InboxNote[] {
  const items: readonly unknown[] = Array.isArray(reply) ? reply : [];
  return items.flatMap((item) => {
    const [id, words] = Array.isArray(item) ? (item as readonly unknown[]) : [];
    if (typeof id !== 'string') return [];
    const [field, text] = Array.isArray(words) ? (words as readonly unknown[]) : [];
    return [
      { id, note: field === 'note' && typeof text === 'string' ? readNote(token, text, now) : malformed(token, now) },
    ];
  });
}

function readNote(token: string, text: string, now: Date): SignedNote {
  if (text.length > NOTE_CHARACTERS_MAX) return malformed(token, now);
  const { action, what, outcome, detail, who, at } = parseJsonObject(text) ?? {};
  const known = AUDIT_ACTIONS.find((one) => one === action);
  if (known === undefined || typeof what !== 'string' || typeof at !== 'string' || Number.isNaN(Date.parse(at))) {
    return malformed(token, now);
  }
  if (outcome !== 'ok' && outcome !== 'denied' && outcome !== 'failed') return malformed(token, now);
  const { user, pid, parent } = typeof who === 'object' && who !== null ? (who as Record<string, unknown>) : {};
  return {
    ...{ action: known, what: short(what), outcome },
    detail: typeof detail === 'string' && detail !== '' ? `${short(detail)}, ${SOURCE}` : SOURCE,
    at: new Date(Date.parse(at)).toISOString(),
    who: {
      user: typeof user === 'string' ? short(user) : '',
      pid: typeof pid === 'number' && Number.isSafeInteger(pid) && pid >= 0 ? pid : 0,
      parent: typeof parent === 'string' ? short(parent) : '',
      token,
    },
  };
}

function malformed(token: string, now: Date): SignedNote {
  return dropped(token, 'a note that nexus3 would not write', now);
}

/** @param detail why its words are not in the audit */
export function dropped(token: string, detail: string, now: Date): SignedNote {
  const who = { user: '', pid: 0, parent: '', token };
  return { action: 'audit', what: token, outcome: 'failed', detail, who, at: now.toISOString() };
}

function short(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}]/gu, '?').slice(0, TEXT_CHARACTERS_MAX);
}
