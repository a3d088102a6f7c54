/** What a connection must not be asked for that is shared by everything that a client does. Pure. */
import { Nexus3Error } from '../errors.js';
import type { Request } from './driver.js';

const SELECT = 'SELECT';

/**
 * With RESP2 they leave a connection fit for nothing else; behind a MULTI of its own, all that others ask is queued; RESET
 * logs it out, AUTH and HELLO log somebody else in, and HELLO 3 changes the form of all answers.
 */
const TAKING_OVER: ReadonlySet<string> = new Set([
  'SUBSCRIBE',
  'PSUBSCRIBE',
  'SSUBSCRIBE',
  'MONITOR',
  'MULTI',
  'RESET',
  'AUTH',
  'HELLO',
]);

/** CLIENT REPLY leaves out answers: those of others would be taken for the ones that do not come (measured). */
const [CLIENT, REPLY] = ['CLIENT', 'REPLY'];

/** The longest of those names is not longer. */
const NAME_LENGTH_MAX = 10;

export function isSelect(name: unknown): boolean {
  return upper(name) === SELECT;
}

export function selects({ commands }: Request): boolean {
  return commands.some(([name]) => isSelect(name));
}

/** Whether a command of this name is to be looked at. Asked of each write, so it must cost next to nothing. */
export function isForbiddenShared(name: unknown): boolean {
  const known = judged.get(name);
  if (known !== undefined) return known;
  const word = upper(name);
  const isForbidden = word === SELECT || word === CLIENT || TAKING_OVER.has(word);
  if (judged.size < JUDGED_MAX && typeof name === 'string') judged.set(name, isForbidden);
  return isForbidden;
}

/** Names as they were written: those of node-redis, which are the same few hundred texts, and what programs write beside. */
const judged = new Map<unknown, boolean>();
const JUDGED_MAX = 1_000;

/** Undefined: it may be asked. */
export function forbiddenShared({ commands }: Request): Nexus3Error | undefined {
  const words = commands.find(isForbidden);
  if (words === undefined) return undefined;
  const [name, second] = words.map(upper);
  return name === SELECT
    ? databaseFixed()
    : connectionShared(name === CLIENT ? `${CLIENT} ${second ?? ''}` : (name ?? ''));
}

function isForbidden([name, second]: readonly unknown[]): boolean {
  return isForbiddenShared(name) && (upper(name) !== CLIENT || upper(second) === REPLY);
}

function upper(name: unknown): string {
  const text = String(name);
  return text.length > NAME_LENGTH_MAX ? '' : text.toUpperCase();
}

function databaseFixed(): Nexus3Error {
  return new Nexus3Error('DATABASE_FIXED', 'A connection that is shared stays in its database.', {
    hint: 'Open another client for it: connect(NAME, { database: N }), or a duplicate: client.vault.duplicate({ database: N }).',
  });
}

function connectionShared(name: string): Nexus3Error {
  return new Nexus3Error('CONNECTION_SHARED', `${name} would take a connection that is shared from everything else.`, {
    evidence: ['it was not sent'],
    hint:
      name === 'MULTI'
        ? 'Write client.vault.multi()….exec(), or send it over a connection of its own: await client.vault.duplicate().connect().'
        : 'Open a connection of its own for it: await client.vault.duplicate().connect(), or client.operational.duplicate().',
    outcome: 'not-sent',
  });
}
