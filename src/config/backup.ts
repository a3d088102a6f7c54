/** The `backup:` map: where backups lie, what is expected of them, what is kept, and the place off this machine. */
import { parseMemory } from '../protocol/settings.js';
import { longestGapMs, scheduleProblem } from '../schedule.js';
import { isAgeRecipient, looksLikeAgeIdentity } from './age-recipient.js';
import type { BackupPolicy, BackupTarget, Retention } from './configuration.js';
import type { Fields, TextRule } from './fields.js';
import { didYouMean } from './suggest.js';

const HOUR_MS = 3_600_000;
/** Ten years. */
const HOURS_MAX = 87_600;
const RECIPIENTS_MAX = 32;
const KEPT_MAX = 10_000;
/** Less would not hold one base and the writes after it of the smallest vault. */
const HISTORY_BYTES_MIN = 1024 ** 2;
const HISTORY_BYTES_MAX = 2 ** 50;
/** One run of a schedule may fail or be late; after the second one somebody should look. */
const RUNS_MISSED = 2;
const REPOSITORY_CHARS_MAX = 1_024;

export const DEFAULT_KEEP: Retention = { last: 3, hourly: 0, daily: 7, weekly: 4, monthly: 6 };

/** As the file has it: paths are as they were written. */
export interface WrittenBackupPolicy extends Omit<BackupPolicy, 'root'> {
  readonly root: string | undefined;
}

/** Where it says so, for mistakes that show only when its paths are known. */
export interface BackupLines {
  readonly backup: number;
  readonly root: number | undefined;
  readonly repository: number | undefined;
}

/** Without `backup:` in nexus3.yaml. The root is decided where the data root is. */
export const DEFAULT_BACKUP: WrittenBackupPolicy = {
  configured: false,
  root: undefined,
  schedule: undefined,
  staleAfterHours: 48,
  unverifiedAfterHours: 168,
  encrypt: false,
  recipients: [],
  keep: DEFAULT_KEEP,
  historyBytesMax: 1024 ** 3,
  target: undefined,
};

export interface ReadBackup {
  readonly policy: WrittenBackupPolicy;
  readonly lines: BackupLines | undefined;
}

/** @param fields undefined: there is no `backup:` @param path what may be a path */
export function readBackup(fields: Fields | undefined, path: TextRule): ReadBackup {
  if (fields === undefined) return { policy: DEFAULT_BACKUP, lines: undefined };
  const root = fields.text('root', path);
  const schedule = readSchedule(fields);
  const staleAfterHours = hours(fields, 'staleAfterHours') ?? staleAfter(schedule);
  const unverifiedAfterHours =
    hours(fields, 'unverifiedAfterHours') ?? Math.max(DEFAULT_BACKUP.unverifiedAfterHours, staleAfterHours);
  const encryption = readEncryption(fields);
  const keep = readKeep(fields.fields('keep'));
  const historyBytesMax = readHistoryBytesMax(fields) ?? DEFAULT_BACKUP.historyBytesMax;
  const { target, line: repository } = readTarget(fields.fields('target'), path);
  fields.end();
  const expected = { configured: true, root, schedule, staleAfterHours, unverifiedAfterHours };
  return {
    policy: { ...expected, ...encryption, keep, historyBytesMax, target },
    lines: { backup: fields.node.line, root: fields.lineOf('root'), repository },
  };
}

function readSchedule(fields: Fields): string | undefined {
  let problem: string | undefined;
  const text = fields.text('schedule', {
    allowed: (written) => (problem = scheduleProblem(written)) === undefined,
    get meaning() {
      return `a schedule of five cron fields, such as "0 3 * * *": ${problem ?? ''}`;
    },
  });
  return text?.trim();
}

/** Whole hours, so that a person reads the same number in the finding. */
function staleAfter(schedule: string | undefined): number {
  if (schedule === undefined) return DEFAULT_BACKUP.staleAfterHours;
  return Math.min(HOURS_MAX, Math.ceil((RUNS_MISSED * longestGapMs(schedule)) / HOUR_MS));
}

function hours(fields: Fields, key: string): number | undefined {
  return fields.number(key, { min: 1, max: HOURS_MAX, meaning: `a number of hours (1–${String(HOURS_MAX)})` });
}

function readEncryption(fields: Fields): Pick<BackupPolicy, 'encrypt' | 'recipients'> {
  const written = fields.oneOf('encrypt', ['true', 'false']);
  const recipients = fields.list('recipients', RECIPIENTS_MAX, {
    allowed: isAgeRecipient,
    // Whoever puts the wrong half of a key pair there must not find it in a log as well.
    secret: looksLikeAgeIdentity,
    meaning: 'a recipient of age (age1 and 58 characters more, as age-keygen prints its public key)',
  });
  if (written === 'false' && recipients.length > 0) {
    fields.note('encrypt', 'false, but there are recipients: backups are encrypted for them; leave one of the two out');
  }
  return { encrypt: written === 'true' || recipients.length > 0, recipients };
}

/** What is left out keeps its default: writing one number down never removes more than before. */
function readKeep(fields: Fields | undefined): Retention {
  if (fields === undefined) return DEFAULT_KEEP;
  const count = (key: keyof Retention, min: number): number =>
    fields.number(key, {
      min,
      max: KEPT_MAX,
      meaning: `a number of backups (${String(min)}–${String(KEPT_MAX)})`,
    }) ?? DEFAULT_KEEP[key];
  const keep = {
    last: count('last', 1),
    hourly: count('hourly', 0),
    daily: count('daily', 0),
    weekly: count('weekly', 0),
    monthly: count('monthly', 0),
  };
  fields.end();
  return keep;
}

function readHistoryBytesMax(fields: Fields): number | undefined {
  const text = fields.text('historyBytesMax', {
    allowed: (written) => {
      const bytes = parseMemory(written);
      return bytes !== undefined && bytes >= HISTORY_BYTES_MIN && bytes <= HISTORY_BYTES_MAX;
    },
    meaning: 'a memory size (a number with kb, mb or gb, at least 1mb)',
  });
  return text === undefined ? undefined : parseMemory(text);
}

function readTarget(
  target: Fields | undefined,
  path: TextRule,
): { readonly target: BackupTarget | undefined; readonly line: number | undefined } {
  if (target === undefined) return { target: undefined, line: undefined };
  let hint = '';
  const repository = target.text('repository', {
    allowed: (text) => {
      hint = schemeMeant(text);
      return isRepository(text);
    },
    secret: holdsPassword,
    get meaning() {
      return `a repository as restic names it, such as sftp:user@host:/backups, without a password; or a folder, which begins with / or ./${hint}`;
    },
  });
  if (repository === undefined && target.lineOf('repository') === undefined) {
    target.note('repository', 'is missing; name one as restic does, such as sftp:user@host:/backups');
  }
  const environmentFile = target.text('environmentFile', path);
  target.end();
  return {
    target: repository === undefined ? undefined : { repository, environmentFile },
    line: target.lineOf('repository'),
  };
}

function isRepository(text: string): boolean {
  const fits = text.trim() === text && text !== '' && text.length <= REPOSITORY_CHARS_MAX;
  return fits && !text.startsWith('-') && !/\p{Cc}/u.test(text) && !holdsPassword(text) && isPlace(text);
}

/** A slip in a scheme must not become a folder of this host that is taken for a place elsewhere. */
function isPlace(text: string): boolean {
  return REMOTE.test(text) || /^(local:.|\/|\.\.?\/)/.test(text);
}

function schemeMeant(text: string): string {
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):/.exec(text)?.[1];
  return scheme === undefined ? '' : didYouMean(scheme, SCHEMES);
}

/** `https://name:password@host`: it would be in nexus3.yaml, and in what `ps` shows. */
function holdsPassword(text: string): boolean {
  return /\/\/[^/@]*:[^/@]*@/.test(text);
}

/** Places that restic reaches by a scheme of its own; anything else is a folder of this host. */
const REMOTE_SCHEMES = ['sftp', 'rest', 's3', 'swift', 'b2', 'azure', 'gs', 'rclone'] as const;
const REMOTE = new RegExp(`^(${REMOTE_SCHEMES.join('|')}):`);
const SCHEMES = [...REMOTE_SCHEMES, 'local'];

/** The folder that a target is, where it is one. @returns as it was written, without `local:` */
export function folderOfTarget(repository: string): string | undefined {
  return REMOTE.test(repository) ? undefined : repository.replace(/^local:/, '');
}
