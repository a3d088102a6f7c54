/** Options that several of the commands about backups take. */
import { BACKUP_ID } from '../backup/backups.js';
import { Nexus3Error } from '../errors.js';
import type { Arguments, OptionSpec } from './command.js';

const SHOWN_CHARS_MAX = 40;

/** @param description what the id is for */
export function idOption(description: string): OptionSpec {
  return { flags: '--id ID', description, parse: parseBackupId };
}

/** @throws Nexus3Error USAGE */
function parseBackupId(text: string): string {
  if (BACKUP_ID.test(text)) return text;
  const shown = text.length > SHOWN_CHARS_MAX ? `${text.slice(0, SHOWN_CHARS_MAX)}…` : text;
  throw new Nexus3Error('USAGE', `${JSON.stringify(shown)} is no id of a backup.`, {
    hint: 'An id looks like 20260108T120000Z-1a2b. See which there are: nexus3 backup list',
  });
}

/** Where no name means all of them, too. @throws Nexus3Error USAGE */
export function namedOrAll(args: Arguments): readonly string[] {
  const names = args.many('ENV');
  if (args.flag('all') && names.length > 0) {
    throw new Nexus3Error('USAGE', '--all leaves no choice of environments.', { hint: 'Leave one of the two out.' });
  }
  return names;
}
