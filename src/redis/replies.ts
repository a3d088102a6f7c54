/** What a Redis server answers, as values, and the checks at the border: assert what arrived before it is used. */
import { Nexus3Error } from '../errors.js';
import type { Secret } from '../protocol/secret.js';

/** The first word of an error reply, where nexus3 acts on it; `OTHER` for the rest. */
const REPLY_ERROR_KINDS = [
  'NOAUTH',
  'NOPERM',
  'WRONGPASS',
  'LOADING',
  'READONLY',
  'MASTERDOWN',
  'MISCONF',
  'NOREPLICAS',
  'OOM',
  'BUSY',
  'DENIED',
] as const;
export type ReplyErrorKind = (typeof REPLY_ERROR_KINDS)[number] | 'OTHER';

/** An error that a server answered. A value, not thrown: in a pipeline one refusal says nothing of the others. */
export class ReplyError {
  readonly kind: ReplyErrorKind;
  readonly text: string;

  constructor(text: string) {
    const [word = ''] = text.split(' ', 1);
    this.kind = REPLY_ERROR_KINDS.find((kind) => kind === word) ?? 'OTHER';
    this.text = text;
  }

  /** The same without any of these: Redis repeats arguments in some of its errors. */
  without(secrets: readonly Secret[]): ReplyError {
    const revealed = secrets.map((secret) => secret.reveal()).filter((value) => value !== '');
    return new ReplyError(revealed.reduce((text, value) => text.replaceAll(value, '[secret]'), this.text));
  }
}

/**
 * A reply in RESP2: a status is a string, a bulk string is bytes, an integer is a bigint only where a number would lose
 * digits.
 */
export type Reply = string | Buffer | number | bigint | null | ReplyError | readonly Reply[];

export function isErrorOf(reply: Reply | undefined, ...kinds: readonly ReplyErrorKind[]): boolean {
  return reply instanceof ReplyError && kinds.includes(reply.kind);
}

/** The text of a status or bulk string; undefined for anything else. */
export function textOf(reply: Reply | undefined): string | undefined {
  if (typeof reply === 'string') return reply;
  return Buffer.isBuffer(reply) ? reply.toString('utf8') : undefined;
}

/** @throws Nexus3Error REDIS_REPLY_UNEXPECTED */
export function expectText(reply: Reply | undefined, question: string): string {
  const text = textOf(reply);
  if (text === undefined) throw unexpectedReply(reply, question);
  return text;
}

/** @throws Nexus3Error REDIS_REPLY_UNEXPECTED */
export function expectInteger(reply: Reply | undefined, question: string): number {
  if (typeof reply !== 'number') throw unexpectedReply(reply, question);
  return reply;
}

/** @throws Nexus3Error REDIS_REPLY_UNEXPECTED */
export function expectList(reply: Reply | undefined, question: string): readonly Reply[] {
  if (!isList(reply)) throw unexpectedReply(reply, question);
  return reply;
}

/** @throws Nexus3Error REDIS_REPLY_UNEXPECTED */
export function expectOk(reply: Reply | undefined, question: string): void {
  if (reply !== 'OK') throw unexpectedReply(reply, question);
}

export function isList(reply: Reply | undefined): reply is readonly Reply[] {
  return Array.isArray(reply);
}

/** @param question the command without its values: those may be secret. */
export function unexpectedReply(reply: Reply | undefined, question: string): Nexus3Error {
  if (reply instanceof ReplyError) {
    return new Nexus3Error('REDIS_REPLY_UNEXPECTED', `The server refused ${question}.`, {
      evidence: [`${question}: ${reply.text}`],
      hint: HINTS[reply.kind] ?? 'Run `nexus3 check` to see what is wrong with this instance.',
    });
  }
  return new Nexus3Error('REDIS_REPLY_UNEXPECTED', `The server answered ${question} in a way that Redis does not.`, {
    evidence: [`${question}: ${describe(reply)}`],
    hint: 'Run `nexus3 check`: something other than Redis or Valkey may be listening on this port.',
  });
}

const HINTS: Partial<Record<ReplyErrorKind, string>> = {
  NOAUTH: 'Run `nexus3 check --fix`: the users in force are not those that nexus3 rendered.',
  WRONGPASS:
    'Run `nexus3 check --fix`: the password in force is not the one in Locker. Where the administrator is refused, too: ' +
    '`nexus3 down ENVIRONMENT`, then `nexus3 up ENVIRONMENT`.',
  NOPERM: 'Run `nexus3 check --fix`: the users in force are not those that nexus3 rendered.',
  LOADING: 'It is loading its data. Wait a moment, then run the command again.',
  MISCONF: 'The server cannot save its data. Look at its log with `nexus3 logs`, and whether its disk is full.',
};

/** The shape of a reply, never its content. */
function describe(reply: Reply | undefined): string {
  if (reply === undefined) return 'no reply';
  if (reply === null) return 'nothing (nil)';
  if (isList(reply)) return `a list of ${String(reply.length)}`;
  if (typeof reply === 'number' || typeof reply === 'bigint') return `the number ${String(reply)}`;
  if (reply instanceof ReplyError) return 'an error';
  return typeof reply === 'string' ? 'another status' : `${String(reply.length)} bytes`;
}
