/** What can be wrong with a backup, in words for a person, with the way out. */
import { Nexus3Error } from '../errors.js';
import type { BackupId, VerificationFailure } from './backups.js';

/** Where a backup lies. */
export interface BackupPlace {
  readonly env: string;
  readonly id: BackupId;
}

export function nameOf({ env, id }: BackupPlace): string {
  return `${env}/${id}`;
}

/** @param givenUpAt ISO 8601: of the root key, where what is wrong is that the backup is dated later */
export function invalid(place: BackupPlace, evidence: string, cause?: unknown, givenUpAt?: string): Nexus3Error {
  return new Nexus3Error('BACKUP_INVALID', `What the backup ${nameOf(place)} says of itself cannot be believed.`, {
    evidence: [`${nameOf(place)}/manifest.json: ${evidence}`],
    hint:
      givenUpAt === undefined
        ? 'Take another backup: `nexus3 backup list` shows them. If there is a copy off this machine, fetch this one from there ' +
          'again. Ask yourself who can write into the repository.'
        : `Take another backup: \`nexus3 backup list\` shows them. ${hintOfClock(givenUpAt)}`,
    cause,
  });
}

/** What is dated later than the root key that signed it was in force is a clock that was wrong, or a forgery. */
export function hintOfClock(givenUpAt: string): string {
  return (
    `It was made after the root key that it is signed with was given up, at ${givenUpAt}. If this host’s clock was wrong then, ` +
    'or when it was made, it is what it was: the root key of that time opens it, from a copy of root.key, named with ' +
    '$NEXUS3_ROOT_KEY_FILE. If no clock was wrong, whoever has that key made it: ask yourself who can write into the repository.'
  );
}

/**
 * @param what `The backup track/2026…`
 * @param fingerprint of the secret that would open it, where it says so
 * @param fault of the file that keeps the earlier ones
 */
export function keyUnknown(what: string, fingerprint?: string, fault?: string): Nexus3Error {
  return new Nexus3Error('BACKUP_KEY_UNKNOWN', `${what} was made under another root key, which is not known here.`, {
    evidence: [
      ...(fingerprint === undefined ? [] : [`it names the key ${fingerprint}`]),
      ...(fault === undefined ? [] : [fault]),
    ],
    hint:
      'The root key of that time opens it: from a recovery kit of then (`nexus3 locker import FILE`), or a copy of root.key, ' +
      'named with $NEXUS3_ROOT_KEY_FILE. After `nexus3 locker reset` the lost key is gone with what it opened, unless a kit holds it.',
  });
}

/** @param file `dump.rdb` */
export function damaged(place: BackupPlace, file: string, evidence: string, cause?: unknown): Nexus3Error {
  return new Nexus3Error('BACKUP_DAMAGED', `The backup ${nameOf(place)} is not what was written: it is damaged.`, {
    evidence: [`${nameOf(place)}/${file}: ${evidence}`],
    hint:
      'Take another backup: `nexus3 backup list` shows them. If there is a copy off this machine, fetch this one from there ' +
      'again, and look at the disk that this one lay on.',
    cause,
  });
}

/** As a list has it, and whoever asks for the newest: a verification of it has failed. */
export function failedVerification(place: BackupPlace, { at, code }: VerificationFailure): Nexus3Error {
  const found = code === 'BACKUP_DAMAGED' ? 'is damaged' : 'does not hold what it should';
  return new Nexus3Error(code, `The backup ${nameOf(place)} ${found}: its last verification failed.`, {
    evidence: [`verified at ${at}: ${code}`],
    hint:
      `Do not rely on it; make another one: nexus3 backup create ${place.env}. ` +
      `What is wrong with it: nexus3 backup verify ${place.env} --id ${place.id}`,
  });
}

export function notFound(env: string, id: BackupId | undefined): Nexus3Error {
  const message = id === undefined ? `There is no backup of ${env}.` : `There is no backup ${id} of ${env}.`;
  return new Nexus3Error('BACKUP_NOT_FOUND', message, {
    hint: id === undefined ? `Make one: nexus3 backup create ${env}` : `See which there are: nexus3 backup list ${env}`,
  });
}
