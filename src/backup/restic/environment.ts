/**
 * What restic finds in its environment: next to nothing of ours, and what the file that nexus3.yaml names says. Secrets of a
 * remote are in that file, because restic takes them from nowhere else; only the user who runs nexus3 may read it.
 */
import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { Nexus3Error, systemErrorCode } from '../../errors.js';

/** What programs need to find each other, their own settings and an agent of keys. */
const PASSED_ON = ['PATH', 'HOME', 'SSH_AUTH_SOCK', 'TMPDIR', 'XDG_CACHE_HOME'] as const;
/** Nexus3's to decide: the password is derived from the root key. */
const NOT_THEIRS = /^RESTIC_(PASSWORD|PASSWORD_FILE|PASSWORD_COMMAND|KEY_HINT)$/;
const NAME = /^[A-Za-z_][A-Za-z0-9_]{0,127}$/;
const FILE_BYTES_MAX = 64 * 1024;
const OTHERS_MASK = 0o077;
/** Twice a second is enough for whoever looks, and for a log. */
const PROGRESS_A_SECOND = '2';

/** @param file absolute; undefined: nothing is added @throws Nexus3Error CONFIG_INVALID */
export function resticEnvironment(
  variables: NodeJS.ProcessEnv,
  file: string | undefined,
): Readonly<Record<string, string>> {
  const own = PASSED_ON.flatMap((name) => {
    const value = variables[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return {
    ...Object.fromEntries(own),
    RESTIC_PROGRESS_FPS: PROGRESS_A_SECOND,
    ...(file === undefined ? {} : parseEnvironment(readClosed(file), file)),
  };
}

/** Pure. A line is NAME=value, taken as it stands but for quotes around all of the value. @throws Nexus3Error CONFIG_INVALID */
export function parseEnvironment(text: string, file: string): Readonly<Record<string, string>> {
  const found: Record<string, string> = {};
  const mistakes: string[] = [];
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    const trimmed = line.trim();
    if (trimmed === '' || trimmed.startsWith('#')) continue;
    const at = trimmed.indexOf('=');
    const name = trimmed.slice(0, Math.max(0, at)).replace(/^export\s+/, '');
    const place = `line ${String(index + 1)}`;
    // Never what stands there: it may be half a secret.
    if (at === -1 || !NAME.test(name)) mistakes.push(`${place} is not NAME=value`);
    else if (NOT_THEIRS.test(name)) mistakes.push(`${place}: ${name} is not for you to set; nexus3 knows the password`);
    else found[name] = unquoted(trimmed.slice(at + 1));
  }
  if (mistakes.length > 0) throw unusable(file, mistakes, 'Write a variable a line: NAME=value.');
  return found;
}

function unquoted(value: string): string {
  return /^(["'])(.*)\1$/.exec(value)?.[2] ?? value;
}

/** Opened once and judged by what was opened. */
function readClosed(file: string): string {
  const fd = openFile(file);
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile()) throw unusable(file, ['it is not a plain file'], 'Put a plain file there.');
    const uid = process.geteuid?.() ?? stat.uid;
    if (stat.uid !== uid && stat.uid !== 0) {
      const evidence = `it belongs to user ${String(stat.uid)}, and nexus3 runs as ${String(uid)}`;
      throw unusable(file, [evidence], `Make it yours: chown ${String(uid)} ${file}`);
    }
    if ((stat.mode & OTHERS_MASK) !== 0) {
      const evidence = `its mode is ${(stat.mode & 0o777).toString(8).padStart(4, '0')}`;
      throw unusable(file, [evidence], `Close it to others: chmod 600 ${file}. Then ask yourself who has read it.`);
    }
    if (stat.size > FILE_BYTES_MAX) {
      throw unusable(
        file,
        [`it has more than ${String(FILE_BYTES_MAX)} bytes`],
        'Write a variable a line: NAME=value.',
      );
    }
    return readFileSync(fd, 'utf8');
  } finally {
    closeSync(fd);
  }
}

function openFile(file: string): number {
  try {
    // Not blocking on a pipe.
    return openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === undefined) throw error;
    throw unusable(file, [code === 'ENOENT' ? 'it is not there' : code], 'Put the secrets of the target there, 0600.');
  }
}

function unusable(file: string, evidence: readonly string[], hint: string): Nexus3Error {
  return new Nexus3Error('CONFIG_INVALID', `The environmentFile of the backup target cannot be used: ${file}`, {
    evidence,
    hint,
  });
}
