/** What is shown over HTTP, from a file: for a host that has no root key, and so cannot read Locker's. */
import { createHash } from 'node:crypto';
import { Nexus3Error } from '../errors.js';
import { Secret } from '../protocol/secret.js';
import { readClosedFile } from './closed-file.js';

/** Shorter ones might be guessed: nothing counts the guesses. */
const CHARS_MIN = 32;

/**
 * Read at each call, so that another one put there is in force at once. One line break at its end is not part of it.
 * @throws Nexus3Error TOKEN_MISSING, TOKEN_UNSAFE, TOKEN_INVALID
 */
export function readBearerFile(path: string): { readonly version: string; readonly token: Secret } {
  const file = readClosedFile(path, {
    what: 'file',
    unsafe: (evidence, hint) =>
      new Nexus3Error('TOKEN_UNSAFE', `The bearer token at ${path} is not safe to use.`, {
        evidence: [`${path}: ${evidence}`],
        hint,
      }),
    tooLarge: () => invalid(path, 'it is too large'),
  });
  if (file === undefined) {
    throw new Nexus3Error('TOKEN_MISSING', `There is no bearer token at ${path}.`, {
      evidence: [path],
      hint: `Make one: (umask 077; openssl rand -base64 32 > ${path})`,
    });
  }
  const text = file.text.replace(/\r?\n$/, '');
  if (!/^[\x21-\x7e]*$/.test(text)) throw invalid(path, 'it holds more than one word of visible ASCII');
  if (text.length < CHARS_MIN) throw invalid(path, `it has fewer than ${String(CHARS_MIN)} characters`);
  return { version: createHash('sha256').update(text).digest('hex'), token: new Secret(text) };
}

function invalid(path: string, evidence: string): Nexus3Error {
  return new Nexus3Error('TOKEN_INVALID', `The file at ${path} is no bearer token.`, {
    evidence: [`${path}: ${evidence}`],
    hint: `Put at least ${String(CHARS_MIN)} random characters there, on one line: openssl rand -base64 32`,
  });
}
