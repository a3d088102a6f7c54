/** Locker's server runs, and does not let nexus3 in: somebody changed its users while it ran. */
import { Nexus3Error } from '../errors.js';
import type { Fit } from './root-key-fit.js';

/** Also of a user that is switched off. */
export function isPasswordRefused(error: unknown): error is Nexus3Error {
  return isRefusal(error, 'WRONGPASS');
}

/** It was let in, but may not do what Locker's user is there to do. */
export function isCommandRefused(error: unknown): boolean {
  return isRefusal(error, 'NOPERM') || isRefusal(error, 'NOAUTH');
}

function isRefusal(error: unknown, kind: string): error is Nexus3Error {
  if (!(error instanceof Nexus3Error) || error.code !== 'REDIS_REPLY_UNEXPECTED') return false;
  return error.evidence.some((line) => line.includes(`: ${kind} `));
}

/** @param rootKey what is known of the root key, as evidence */
export function refused(cause: Nexus3Error, rootKey: Exclude<Fit, 'other-key'>): Nexus3Error {
  if (rootKey === 'other-generation') return otherCopy(cause);
  const known =
    rootKey === 'fits'
      ? 'the root key is the one that Locker was made with'
      : 'no users.acl says whether the root key fits';
  const otherwise =
    rootKey === 'fits' ? '' : ' If it still refuses, the root key is not the one that it was made with.';
  return new Nexus3Error('LOCKER_PASSWORD_REFUSED', 'Locker runs, but refuses nexus3.', {
    evidence: [...cause.evidence, known],
    hint:
      'Its users were changed while it ran. Put them back: `nexus3 check locker --fix`. If it refuses the administrator, ' +
      `too: \`nexus3 down locker\`, then \`nexus3 up locker\`.${otherwise}`,
    cause,
  });
}

function otherCopy(cause: Nexus3Error): Nexus3Error {
  return new Nexus3Error(
    'LOCKER_PASSWORD_REFUSED',
    'Locker runs, but refuses nexus3: this is an older copy of root.key.',
    {
      evidence: [
        ...cause.evidence,
        'the key is the right one, but Locker’s own passwords have been rotated since that copy',
      ],
      hint:
        'Put the newest copy of root.key back. Where there is none: `nexus3 down locker`, then `nexus3 up locker` puts the ' +
        'passwords of this copy in force again; then `nexus3 rotate locker` makes others.',
      cause,
    },
  );
}

export function rekeyUnderWay(): Nexus3Error {
  return new Nexus3Error('REKEY_REFUSED', 'Locker’s root key is being changed, so its passwords are not rotated now.', {
    hint: 'Finish that first: nexus3 locker rekey',
  });
}
