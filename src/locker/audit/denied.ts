/**
 * What Locker’s server has refused, as its ACL LOG has it. Pure. It is kept in memory there, the last 128 of them, with
 * like ones of one minute counted together; each is known by a number of that run of the server. Names that nobody of
 * nexus3’s has are not repeated: a person may have typed a password in the place of a name.
 */
import { CREDENTIAL_NAMES, TOKEN_ID } from '../../protocol/users.js';
import type { LockerReply } from '../channel.js';
import { KEY } from '../keys.js';
import type { SignedNote } from './chain.js';
import { parseJsonObject } from '../../json.js';

const OWN_KEY_PREFIX = 'nexus3:locker:';
const OBJECT_CHARACTERS_MAX = 120;

/** How much of the server’s log has been taken in: of one run of it, how many times each number. */
export interface Taken {
  readonly run: string;
  readonly counts: Readonly<Record<string, number>>;
}

export interface Refusal {
  readonly id: string;
  readonly count: number;
  readonly reason: string;
  readonly object: string;
  readonly user: string;
  readonly address: string;
  readonly at: string;
}

/** ACL LOG, oldest first. */
export function readAclLog(reply: LockerReply | undefined): readonly Refusal[] {
  const items: readonly unknown[] = Array.isArray(reply) ? reply : [];
  return items
    .flatMap((item) => {
      const words: readonly unknown[] = Array.isArray(item) ? item : [];
      const text = (name: string): string => {
        // Names and values in turn; a value may read like a name.
        const value = words[words.findIndex((word, index) => index % 2 === 0 && word === name) + 1];
        return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
      };
      const changed = Number(text('timestamp-last-updated'));
      if (!/^\d+$/.test(text('entry-id')) || !Number.isSafeInteger(changed)) return [];
      return [
        {
          ...{ id: text('entry-id'), count: Number(text('count')), reason: text('reason'), object: text('object') },
          user: text('username'),
          address: /(?:^| )addr=(\S{1,60})/.exec(text('client-info'))?.[1] ?? '',
          at: new Date(changed).toISOString(),
        },
      ];
    })
    .toSorted((a, b) => Number(a.id) - Number(b.id));
}

/** What has not been taken in yet, and what is taken in once that is. */
export function newRefusals(
  run: string,
  refusals: readonly Refusal[],
  taken: Taken | undefined,
): { readonly notes: readonly SignedNote[]; readonly taken: Taken } {
  const before = taken?.run === run ? taken.counts : {};
  const notes = refusals.flatMap((refusal) => {
    const fresh = refusal.count - (before[refusal.id] ?? 0);
    return fresh > 0 ? [noteOf(refusal, fresh)] : [];
  });
  const last = Math.max(-1, ...refusals.map(({ id }) => Number(id)));
  // Another process may have seen more of the log already; what the server has forgotten is forgotten here, too.
  const later = Object.entries(before).filter(([id]) => Number(id) > last);
  const seen = refusals.map(({ id, count }) => [id, Math.max(count, before[id] ?? 0)] as const);
  return { notes, taken: { run, counts: Object.fromEntries([...seen, ...later]) } };
}

function noteOf({ reason, object, user, address, at }: Refusal, times: number): SignedNote {
  const name = knownUser(user);
  const login = reason === 'auth';
  const tried = login ? '' : reason === 'key' ? `a key, ` : `${reason === 'command' ? 'a command' : 'a channel'}, `;
  return {
    action: login ? 'login' : 'get',
    what: login ? `locker, user ${name}` : knownObject(reason, object),
    outcome: 'denied',
    detail: `${tried}${login ? '' : `by ${name}, `}from ${address}${times > 1 ? `, ${String(times)} times` : ''}`,
    who: { user: '', pid: 0, parent: '', token: TOKEN_ID.test(user) ? user : null },
    at,
  };
}

function knownUser(user: string): string {
  return TOKEN_ID.test(user) || CREDENTIAL_NAMES.some((name) => name === user) ? user : 'of a name that Locker has not';
}

function knownObject(reason: string, object: string): string {
  const known = reason === 'command' ? /^[a-z0-9_.|-]+$/.test(object) : object.startsWith(OWN_KEY_PREFIX);
  return known ? object.replace(/[\p{Cc}\p{Cf}]/gu, '?').slice(0, OBJECT_CHARACTERS_MAX) : 'another key';
}

export function renderTaken({ run, counts }: Taken): readonly string[] {
  return ['HSET', KEY.auditDenied, 'taken', JSON.stringify({ run, counts })];
}

/** Undefined: nothing was taken in yet. */
export function readTaken(text: string | null | undefined): Taken | undefined {
  const { run, counts } = parseJsonObject(text ?? '') ?? {};
  if (typeof run !== 'string' || typeof counts !== 'object' || counts === null) return undefined;
  const numbers = Object.entries(counts).filter((pair): pair is [string, number] => typeof pair[1] === 'number');
  return { run, counts: Object.fromEntries(numbers) };
}
