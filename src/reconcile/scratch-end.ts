/**
 * Why a scratch server ended before it had loaded what it was given, read from its log. The words are those of Redis 8.2
 * and FalkorDB 4.16, each seen with a file damaged in that way; the exit code says nothing (0 where the engine's own check
 * of the file finds nothing wrong, 134 where the graph module gives up). Pure.
 */
import { Nexus3Error } from '../errors.js';

const TOO_NEW =
  /Can't handle RDB format version|not forward compatible|no matching module|configured to handle more than \d+ databases/;
const NO_ROOM = /No space left on device/;
const DAMAGED =
  /Short read|Unexpected EOF|Wrong RDB checksum|RDB CRC error|Wrong signature|Internal error in RDB|Error loading data from RDB|rdb file reading failure|Unexpected end of file|Bad file format|Unrecoverable error reading the append only file|append log file .* doesn't exist|Invalid AOF manifest|BUG REPORT START/;
const EVIDENCE_LINES_MAX = 4;
const EVIDENCE_CHARS_MAX = 300;

/** @param lines the newest of its log */
export function whyScratchEnded(env: string, exitCode: number, lines: readonly string[]): Nexus3Error {
  const ended = `the server ended with exit code ${String(exitCode)}`;
  const evidence = (pattern: RegExp): readonly string[] => {
    const telling = lines.filter((line) => pattern.test(line));
    return [
      ended,
      ...(telling.length > 0 ? telling.slice(0, EVIDENCE_LINES_MAX) : lines.slice(-EVIDENCE_LINES_MAX)),
    ].map((line) => line.slice(0, EVIDENCE_CHARS_MAX));
  };
  const says = (pattern: RegExp): boolean => lines.some((line) => pattern.test(line));
  if (says(TOO_NEW)) {
    return new Nexus3Error('BACKUP_TOO_NEW', `The copy of ${env} holds what this engine cannot read.`, {
      evidence: evidence(TOO_NEW),
      hint: 'Use an engine and a graph module at least as new as those that made it, then run the command again.',
    });
  }
  if (says(NO_ROOM)) {
    return new Nexus3Error('DISK_FULL', `There is no room left to load the copy of ${env}.`, {
      evidence: evidence(NO_ROOM),
      hint: 'Free some space on the file system of the data root, then run the command again.',
    });
  }
  if (says(DAMAGED)) {
    return new Nexus3Error('BACKUP_DAMAGED', `The copy of ${env} is damaged: it does not load.`, {
      evidence: evidence(DAMAGED),
      hint: 'Use another backup: nexus3 backup list',
    });
  }
  return new Nexus3Error('START_FAILED', `The scratch server for ${env} ended before it had loaded the copy.`, {
    evidence: evidence(/^$/),
    hint: 'Put right what its last words say, then run the command again; nothing was changed.',
  });
}
