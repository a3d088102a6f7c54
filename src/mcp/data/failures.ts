/** What a server or its driver says, as an agent needs it: what happened and what to do next. Pure. */
import { vaultUnreachable } from '../../client/unreachable.js';
import { Nexus3Error } from '../../errors.js';
import type { ErrorCode } from '../../errors.js';
import { ReplyUnreadable } from '../../resp-cursor.js';
import { cutText } from './text.js';

export interface Asked {
  readonly environment: string;
  readonly effect: 'read' | 'write';
  readonly graph?: string | undefined;
  readonly write: boolean;
}

/** The connection failed before what was asked for was sent over it. */
export class NotSent extends Error {
  constructor(override readonly cause: Error) {
    super(cause.message);
  }
}

/** Of what a server says, so much is shown. */
const SAID_BYTES_MAX = 600;

interface Rule {
  readonly said: RegExp;
  readonly code: ErrorCode;
  readonly message: (asked: Asked) => string;
  readonly hint: (asked: Asked) => string;
  /** Whether the server's words help. */
  readonly quoted?: boolean;
}

const RULES: readonly Rule[] = [
  {
    said: /only on read-only queries/i,
    code: 'QUERY_REFUSED',
    message: () => 'The query would change the graph, and this tool only reads. Nothing was changed.',
    hint: ({ write }) =>
      write
        ? 'Use graph_write for it; or leave out CREATE, MERGE, SET, DELETE, REMOVE and procedures that write.'
        : 'This server only reads: leave out CREATE, MERGE, SET, DELETE, REMOVE and procedures that write.',
  },
  {
    said: /operation on empty key/i,
    code: 'GRAPH_UNKNOWN',
    message: ({ environment }) => `There is no graph of that name in ${environment}.`,
    hint: () => 'Call graph_list, and use one of its names.',
  },
  {
    said: /^WRONGTYPE|not a graph|wrong kind of value/i,
    code: 'KEY_WRONG_TYPE',
    message: () => 'That key holds a value of another type.',
    hint: () => 'Call key_get: it says what the key holds, and what to use for it.',
  },
  {
    said: /query timed out/i,
    code: 'QUERY_TIMED_OUT',
    message: ({ effect }) =>
      `The query was not done in time, and the server ended it.${effect === 'write' ? ' Nothing was changed.' : ''}`,
    hint: () =>
      'Ask for less: start from a label or an index, bound each path ([*1..3]), LIMIT early. Or raise timeoutMs.',
  },
  {
    said: /max pending queries/i,
    code: 'BUSY',
    message: () => 'The graph engine has too many queries waiting already.',
    hint: () => 'Wait a little, and call it again with fewer at once.',
  },
  {
    said: /exceeded capacity|^OOM /i,
    code: 'SERVER_REFUSED',
    message: () => 'The server has no memory for that.',
    hint: ({ effect }) =>
      effect === 'write' ? 'Write less at once, or tell the operator (maxmemory).' : 'Ask for less at once.',
  },
  {
    said: /^NOPERM/,
    code: 'SERVER_REFUSED',
    message: () => 'The server does not allow that command to this user.',
    hint: () => 'This is so by design, and cannot be had through these tools. Tell the person.',
    quoted: true,
  },
  {
    said: /^READONLY/,
    code: 'SERVER_REFUSED',
    message: () => 'That server takes no writes.',
    hint: () => 'Tell the person: `nexus3 check` says whether the vault is what it should be.',
  },
  {
    said: /^(LOADING|MASTERDOWN|BUSY |TRYAGAIN|CLUSTERDOWN)/,
    code: 'ENVIRONMENT_UNREACHABLE',
    message: ({ environment }) => `${environment} is just starting, or loads its data.`,
    hint: () => 'Wait a few seconds and call it again.',
  },
  {
    said: /^(WRONGPASS|NOAUTH)/,
    code: 'VAULT_UNREACHABLE',
    message: ({ environment }) => `The vault of ${environment} does not take the password that Locker has.`,
    hint: () => 'Tell the person: `nexus3 check` says more.',
  },
  {
    said: /^(MISCONF|NOREPLICAS|EXECABORT)/,
    code: 'SERVER_REFUSED',
    message: () => 'The vault takes no writes now.',
    hint: () => 'Tell the person: `nexus3 check` says why.',
  },
];

export function asFailure(error: unknown, asked: Asked): Nexus3Error {
  if (isUnreachable(error)) return unreachable(error, asked);
  if (error instanceof Nexus3Error)
    return asked.effect === 'write' && isTooLarge(error) ? doneAllTheSame(error) : error;
  if (!(error instanceof Error) || error instanceof ReplyUnreadable) return unexpected(error);
  if (!isReply(error)) return unreachable(error, asked);
  const said = readable(error.message);
  const rule = RULES.find((one) => one.said.test(said));
  if (rule !== undefined) {
    const evidence = rule.quoted === true ? [said] : [];
    return new Nexus3Error(rule.code, rule.message(asked), { hint: rule.hint(asked), evidence, cause: error });
  }
  if (asked.graph === undefined) {
    const hint = 'Read what the server said, and call it again with other input.';
    return new Nexus3Error('SERVER_REFUSED', 'The server did not do that.', { evidence: [said], hint, cause: error });
  }
  return new Nexus3Error('QUERY_INVALID', 'The graph engine does not take the query.', {
    evidence: [said],
    hint: 'Correct it where the engine says; graph_schema lists labels, relationship types and properties.',
    cause: error,
  });
}

/** What a server answered; anything else came from the connection. By name: the driver's classes are not ours to know. */
export function isReply(error: unknown): error is Error {
  return error instanceof Error && /^(SimpleError|BlobError|ErrorReply|MultiErrorReply)$/.test(error.constructor.name);
}

/** Of a connection for graph commands. */
export function isUnreachable(error: unknown): error is Nexus3Error {
  return error instanceof Nexus3Error && error.code === 'REDIS_UNREACHABLE';
}

/** The engine answers a write when it has been done (measured, FalkorDB 4.16.3). */
export function isTooLarge(error: unknown): error is Nexus3Error {
  return error instanceof Nexus3Error && error.code === 'REPLY_TOO_LARGE';
}

function doneAllTheSame(cause: Nexus3Error): Nexus3Error {
  return new Nexus3Error(cause.code, 'The write was done, but what it returns is more than may be read at once.', {
    hint: 'Do not run it again. Read with graph_query what it wrote: fewer rows (LIMIT), or less of each.',
    cause,
  });
}

function unreachable(error: Error, { environment, effect }: Asked): Nexus3Error {
  if (error.name === 'AbortError') {
    return new Nexus3Error('INTERRUPTED', 'The call was cancelled.', { hint: 'Call it again when it is needed.' });
  }
  if (effect === 'write' && error instanceof NotSent) return vaultUnreachable(environment, 'not-sent', error.cause);
  const code = effect === 'write' ? 'VAULT_UNREACHABLE' : 'ENVIRONMENT_UNREACHABLE';
  const message =
    effect === 'write'
      ? `The vault of ${environment} does not answer; whether the write was done is not known.`
      : `${environment} does not answer.`;
  const hint =
    effect === 'write'
      ? 'Wait a few seconds, read whether it was done, and only then write again. If it lasts, tell the person: `nexus3 check` says more.'
      : 'Wait a few seconds and call it again. If it lasts, tell the person: `nexus3 check` says more.';
  return new Nexus3Error(code, message, { hint, cause: error });
}

function unexpected(cause: unknown): Nexus3Error {
  const hint = 'Tell the person; the log of the server may say more.';
  return new Nexus3Error('REDIS_REPLY_UNEXPECTED', 'Something went wrong that was not expected.', { hint, cause });
}

/** One line, without control characters, of a bounded length. */
function readable(said: string): string {
  // eslint-disable-next-line no-control-regex
  return cutText(said.replaceAll(/[\x00-\x1f\x7f]+/g, ' '), SAID_BYTES_MAX);
}
