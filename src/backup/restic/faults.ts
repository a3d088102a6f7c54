/** What can go wrong with restic, in words for a person, with the way out. Never a password. */
import { Nexus3Error } from '../../errors.js';

const EVIDENCE_LINES_MAX = 6;
const EVIDENCE_CHARS_MAX = 300;

export function resticNotFound(evidence: readonly string[], message = 'restic is not to be found.'): Nexus3Error {
  return new Nexus3Error('RESTIC_NOT_FOUND', message, {
    evidence,
    hint: 'Install it, on Debian with `apt install restic`; or take `target:` out of nexus3.yaml.',
  });
}

export interface ResticFault {
  readonly message: string;
  /** Of what it said, its last lines. */
  readonly said?: readonly string[];
  readonly hint: string;
}

export function resticFailed({ message, said = [], hint }: ResticFault): Nexus3Error {
  const evidence = said
    .filter((line) => line.trim() !== '')
    .slice(-EVIDENCE_LINES_MAX)
    .map((line) => withoutSecrets(line).slice(0, EVIDENCE_CHARS_MAX));
  const full = said.some((line) => /no space left on device|disk quota exceeded/i.test(line));
  return full
    ? new Nexus3Error('DISK_FULL', message, { evidence, hint: 'Free some space there, then run the command again.' })
    : new Nexus3Error('RESTIC_FAILED', message, { evidence, hint });
}

/** A repository's address may hold a password, where the file of its secrets names one. */
function withoutSecrets(line: string): string {
  return line.replace(/\/\/[^/@\s]*@/g, '//…@').replace(/\p{Cc}/gu, ' ');
}
