/** The errors of servers that do not answer. */
import { Nexus3Error } from '../errors.js';

/** `not-sent`: it did not happen. `unknown`: it was sent, and no answer came. */
export type Outcome = 'not-sent' | 'unknown';

const OUTCOME: Readonly<Record<Outcome, string>> = {
  'not-sent': 'it was not sent, so it has not been done and will not be',
  unknown: 'it was sent, and no answer came: it may or may not have been done',
};

export function vaultUnreachable(env: string, outcome: Outcome, cause: unknown): Nexus3Error {
  return new Nexus3Error('VAULT_UNREACHABLE', `The vault of ${env} does not answer.`, {
    evidence: [OUTCOME[outcome], ...seen(cause)],
    hint: hintOf(cause) ?? `Reads go on. Try the write again later; \`nexus3 check ${env}\` says what is wrong.`,
    cause,
  });
}

export function environmentUnreachable(env: string, evidence: readonly string[], cause: unknown): Nexus3Error {
  return new Nexus3Error('ENVIRONMENT_UNREACHABLE', `No server of ${env} can answer.`, {
    evidence: [...evidence, ...seen(cause)],
    hint:
      hintOf(cause) ?? `\`nexus3 check ${env}\` says what is wrong, \`nexus3 up ${env}\` starts what is not running.`,
    cause,
  });
}

export function closed(env: string): Nexus3Error {
  return new Nexus3Error('CLIENT_CLOSED', `This client of ${env} was closed.`, { hint: 'Call connect() again.' });
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
