/** A file that holds a key: read only when nobody but its owner can have read it. Root keys and tokens are such files. */
import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { systemErrorCode } from '../errors.js';

/** More than this is no key of ours. */
const FILE_BYTES_MAX = 4_096;
const OTHERS_MASK = 0o077;

/** How each kind of file says what is wrong with it; never anything of its content. */
export interface ClosedFileWords {
  unsafe(evidence: string, hint: string): Error;
  tooLarge(): Error;
  /** `root key`, `token` */
  readonly what: string;
}

export interface ClosedFile {
  readonly text: string;
  /** More than 1: the file has another name somewhere. */
  readonly links: number;
}

/**
 * Undefined: not there. Opened once and judged by what was opened, so that nothing can be swapped in between. Read
 * synchronously: four turns through the thread pool take longer than logging in at Locker.
 * @throws what `words` makes of a link, another owner, a mode that lets others in, and too many bytes
 */
export function readClosedFile(path: string, words: ClosedFileWords): ClosedFile | undefined {
  const fd = openClosed(path, words);
  if (fd === undefined) return undefined;
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile()) throw words.unsafe('it is not a plain file', 'Put a plain file there.');
    const uid = process.geteuid?.() ?? stat.uid;
    if (stat.uid !== uid) {
      const evidence = `it belongs to user ${String(stat.uid)}, and nexus3 runs as ${String(uid)}`;
      throw words.unsafe(
        evidence,
        `Run nexus3 as that user, or make the ${words.what} yours: chown ${String(uid)} ${path}`,
      );
    }
    if ((stat.mode & OTHERS_MASK) !== 0) {
      const evidence = `its mode is ${(stat.mode & 0o777).toString(8).padStart(4, '0')}`;
      throw words.unsafe(evidence, `Close it to others: chmod 600 ${path}. Then ask yourself who has read it.`);
    }
    if (stat.size > FILE_BYTES_MAX) throw words.tooLarge();
    return { text: readFileSync(fd, 'utf8'), links: stat.nlink };
  } finally {
    closeSync(fd);
  }
}

function openClosed(path: string, words: ClosedFileWords): number | undefined {
  try {
    // Not following a link, not blocking on a pipe.
    return openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw openFailure(words, code, error);
  }
}

function openFailure(words: ClosedFileWords, code: string | undefined, error: unknown): unknown {
  if (code === 'ELOOP') return words.unsafe('it is a symbolic link', 'Put the file itself there, or name it directly.');
  if (code === 'EACCES' || code === 'EPERM') {
    return words.unsafe(`${code}: this user may not read it`, `Run nexus3 as the user who owns the ${words.what}.`);
  }
  return error;
}
