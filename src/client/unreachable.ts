/** The errors of servers that do not answer. */
import type { CommandOutcome } from '../errors.js';
import { Nexus3Error } from '../errors.js';

const OUTCOME: Readonly<Record<CommandOutcome, string>> = {
  'not-sent': 'it was not sent, so it has not been done and will not be',
  unknown: 'it was sent, and no answer came: it may or may not have been done',
};

/** Its `outcome` is for programs, the evidence for people. */
export function vaultUnreachable(env: string, outcome: CommandOutcome, cause: unknown): Nexus3Error {
  return new Nexus3Error('VAULT_UNREACHABLE', `The vault of ${env} does not answer.`, {
    evidence: [OUTCOME[outcome], ...seen(cause)],
    hint: hintOf(cause) ?? `Reads go on. Try the write again later; \`nexus3 check ${env}\` says what is wrong.`,
    outcome,
    cause,
  });
}

/** Of a question that is about no write: what was written before is none of its business, so it has no `outcome`. */
export function vaultNotAsked(env: string, cause: unknown): Nexus3Error {
  return new Nexus3Error('VAULT_UNREACHABLE', `The vault of ${env} does not answer.`, {
    evidence: ['it could not be asked what it has; what was acknowledged before is done', ...seen(cause)],
    hint: hintOf(cause) ?? `Wait again later; \`nexus3 check ${env}\` says what is wrong.`,
    cause,
  });
}

/** With readYourWrites: what only the vault could say, now. */
export function writesNotVisible(env: string, evidence: readonly string[], cause: unknown): Nexus3Error {
  return new Nexus3Error(
    'WRITES_NOT_VISIBLE',
    `The operational of ${env} has not yet what this client wrote, and its vault does not answer.`,
    {
      evidence,
      hint: 'Read again later. A client without readYourWrites reads what the operational has, which is older.',
      cause,
    },
  );
}

export function environmentUnreachable(env: string, evidence: readonly string[], cause: unknown): Nexus3Error {
  return new Nexus3Error('ENVIRONMENT_UNREACHABLE', `No server of ${env} can answer.`, {
    evidence: [...evidence, ...seen(cause)],
    hint:
      hintOf(cause) ?? `\`nexus3 check ${env}\` says what is wrong, \`nexus3 up ${env}\` starts what is not running.`,
    cause,
  });
}

export function tooMany(env: string, cause: unknown): Nexus3Error {
  return new Nexus3Error('TOO_MANY_COMMANDS', `Too many commands are under way on one connection to ${env}.`, {
    evidence: ['this one was not sent'],
    hint: 'Await some before sending more, or raise `commandsMax` where there is memory for the answers.',
    outcome: 'not-sent',
    cause,
  });
}

export function closed(env: string, outcome?: CommandOutcome): Nexus3Error {
  return new Nexus3Error('CLIENT_CLOSED', `This client of ${env} was closed.`, {
    ...(outcome === undefined ? {} : { evidence: [OUTCOME[outcome]], outcome }),
    hint: 'Call connect() again.',
  });
}

/** One line of it; never a password, because none is ever part of an error of ours or of node-redis. */
export function seen(cause: unknown): readonly string[] {
  if (cause === undefined) return [];
  if (cause instanceof Nexus3Error) return [`${cause.code}: ${cause.message}`];
  // What was aborted says why in its cause.
  if (cause instanceof Error && cause.name === 'AbortError' && cause.cause !== undefined) return seen(cause.cause);
  return [cause instanceof Error && cause.message !== '' ? cause.message : 'an error without words'];
}

/** Of a cause that says itself what to do: a revoked token, a root key that others can read. */
function hintOf(cause: unknown): string | undefined {
  return cause instanceof Nexus3Error ? cause.hint : undefined;
}
