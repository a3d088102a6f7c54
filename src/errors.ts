/**
 * The one error type of nexus3. Whatever is thrown on purpose is a `Nexus3Error`: what happened, the evidence, and what
 * to do now. Anything else that reaches the command line is a defect of ours and is reported as one.
 */

/** Exit codes of the command line; the meaning of each is a contract (see docs/cli-json.md). */
export const EXIT = {
  /** Done, and nothing is wrong. */
  good: 0,
  /** A problem was found, or is left. */
  problem: 1,
  /** Wrong usage or configuration; nothing was done. */
  usage: 2,
  /** The runtime or Locker cannot be reached, after the repairs that the command may do. */
  unreachable: 3,
  /** By SIGINT or SIGTERM; the same command, run again, goes on. */
  interrupted: 130,
} as const;
/** With which the command line ends. */
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Every code an error may carry, with the exit code that goes with it. Codes are contracts: add, never rename. */
export const ERROR_EXIT_CODES = {
  // wrong usage or configuration
  USAGE: EXIT.usage,
  NAME_INVALID: EXIT.usage,
  PORT_INVALID: EXIT.usage,
  ENVIRONMENT_UNKNOWN: EXIT.usage,
  ENVIRONMENT_EXISTS: EXIT.usage,
  CONFIG_NOT_FOUND: EXIT.usage,
  CONFIG_INVALID: EXIT.usage,
  CONFIG_EXISTS: EXIT.usage,
  CONFIRMATION_NEEDED: EXIT.usage,
  TOKEN_UNKNOWN: EXIT.usage,
  TOKEN_NOT_FOR: EXIT.usage,
  LOCKER_UNKNOWN: EXIT.usage,
  LOCKER_EXISTS: EXIT.usage,
  LOCKER_KEY_UNKNOWN: EXIT.usage,
  LOCKER_INPUT_INVALID: EXIT.usage,
  KIT_NOT_FOUND: EXIT.usage,
  KIT_EXISTS: EXIT.usage,
  FOLDER_NOT_EMPTY: EXIT.usage,
  BACKUP_NOT_FOUND: EXIT.usage,
  TIME_NOT_COVERED: EXIT.usage,
  QUERY_REFUSED: EXIT.usage,
  QUERY_INVALID: EXIT.usage,
  GRAPH_UNKNOWN: EXIT.usage,
  KEY_WRONG_TYPE: EXIT.usage,
  CURSOR_UNKNOWN: EXIT.usage,
  NOT_A_READ: EXIT.usage,
  DATABASE_FIXED: EXIT.usage,
  CONNECTION_SHARED: EXIT.usage,
  CLIENT_CLOSED: EXIT.usage,
  CLIENT_CONFIG_INVALID: EXIT.usage,
  CLIENT_ENTRY_FOREIGN: EXIT.usage,
  // a problem found or left
  PORT_TAKEN: EXIT.problem,
  PLAN_CHANGED: EXIT.problem,
  LOCK_HELD: EXIT.problem,
  LAST_COPY: EXIT.problem,
  RECOVER_REFUSED: EXIT.problem,
  ROTATE_REFUSED: EXIT.problem,
  NOT_PROVEN: EXIT.problem,
  START_FAILED: EXIT.problem,
  STOP_FAILED: EXIT.problem,
  FOREIGN_INSTANCE: EXIT.problem,
  DISK_FULL: EXIT.problem,
  FILE_NOT_WRITABLE: EXIT.problem,
  AUDIT_BROKEN: EXIT.problem,
  AUDIT_NOT_WRITTEN: EXIT.problem,
  LOCKER_FULL: EXIT.problem,
  LOCKER_REFUSED: EXIT.problem,
  LOCKER_ROTATING: EXIT.problem,
  REKEY_REFUSED: EXIT.problem,
  RESET_REFUSED: EXIT.problem,
  RESET_UNFINISHED: EXIT.problem,
  KIT_PASSPHRASE_WRONG: EXIT.problem,
  KIT_DAMAGED: EXIT.problem,
  KIT_FOREIGN: EXIT.problem,
  KIT_INVALID: EXIT.problem,
  KIT_TOO_LARGE: EXIT.problem,
  KIT_OTHER_KEY: EXIT.problem,
  BACKUP_FAILED: EXIT.problem,
  BACKUP_DAMAGED: EXIT.problem,
  BACKUP_INVALID: EXIT.problem,
  BACKUP_KEY_UNKNOWN: EXIT.problem,
  BACKUP_TOO_NEW: EXIT.problem,
  BACKUP_UNTRUE: EXIT.problem,
  RESTORE_REFUSED: EXIT.problem,
  RESTORE_FAILED: EXIT.problem,
  NOT_SYNCED: EXIT.problem,
  CURSOR_LOST: EXIT.problem,
  TOO_MANY_COMMANDS: EXIT.problem,
  QUERY_TIMED_OUT: EXIT.problem,
  REPLY_TOO_LARGE: EXIT.problem,
  SERVER_REFUSED: EXIT.problem,
  BUSY: EXIT.problem,
  // the runtime or Locker cannot be reached
  ENGINE_NOT_FOUND: EXIT.unreachable,
  DOCKER_UNREACHABLE: EXIT.unreachable,
  DOCKER_FAILED: EXIT.unreachable,
  IMAGE_MISSING: EXIT.unreachable,
  LOCKER_UNREACHABLE: EXIT.unreachable,
  LOCKER_PASSWORD_REFUSED: EXIT.unreachable,
  LOCKER_CREDENTIAL_MISSING: EXIT.unreachable,
  LOCKER_VALUE_UNREADABLE: EXIT.unreachable,
  LOCKER_VALUE_TAMPERED: EXIT.unreachable,
  LOCKER_VALUE_MOVED: EXIT.unreachable,
  ROOT_KEY_MISSING: EXIT.unreachable,
  ROOT_KEY_UNSAFE: EXIT.unreachable,
  ROOT_KEY_INVALID: EXIT.unreachable,
  ROOT_KEY_WRONG: EXIT.unreachable,
  TOKEN_MISSING: EXIT.unreachable,
  TOKEN_UNSAFE: EXIT.unreachable,
  TOKEN_INVALID: EXIT.unreachable,
  TOKEN_REVOKED: EXIT.unreachable,
  RESTIC_NOT_FOUND: EXIT.unreachable,
  RESTIC_FAILED: EXIT.unreachable,
  VAULT_UNREACHABLE: EXIT.unreachable,
  ENVIRONMENT_UNREACHABLE: EXIT.unreachable,
  WRITES_NOT_VISIBLE: EXIT.unreachable,
  REDIS_UNREACHABLE: EXIT.unreachable,
  REDIS_REPLY_UNEXPECTED: EXIT.unreachable,
  INTERRUPTED: EXIT.interrupted,
} as const satisfies Record<string, ExitCode>;
/** What went wrong, for programs: each is explained in docs/cli-json.md. */
export type ErrorCode = keyof typeof ERROR_EXIT_CODES;

/** Of a command that was not answered: `not-sent`, it has not been done and will not be; `unknown`, it was sent, and may or may not have been done. */
export type CommandOutcome = 'not-sent' | 'unknown';

export interface Nexus3ErrorInit {
  /** Lines of evidence: what was measured or read. Never a secret. */
  readonly evidence?: readonly string[];
  /** What to do now, as a sentence or a command. */
  readonly hint: string;
  readonly outcome?: CommandOutcome;
  readonly cause?: unknown;
}

/** The one error that nexus3 throws for what a caller can do something about. Its message says what happened, and none of it is secret. */
export class Nexus3Error extends Error {
  /** Always `Nexus3Error`. */
  override readonly name = 'Nexus3Error';
  /** Stable: programs decide by this, never by the message. */
  readonly code: ErrorCode;
  /** What was measured or read, a line each; empty where there is nothing to show. */
  readonly evidence: readonly string[];
  /** What to do now, for a person at a prompt. */
  readonly hint: string;
  /**
   * Whether the command may have been done: of TOO_MANY_COMMANDS and CONNECTION_SHARED, and of VAULT_UNREACHABLE and
   * CLIENT_CLOSED where they are about a write. Undefined otherwise.
   */
  readonly outcome: CommandOutcome | undefined;

  constructor(code: ErrorCode, message: string, init: Nexus3ErrorInit) {
    super(message, init.cause === undefined ? {} : { cause: init.cause });
    this.code = code;
    this.evidence = init.evidence ?? [];
    this.hint = init.hint;
    this.outcome = init.outcome;
  }

  /** What the command line ends with because of it: it follows from `code`. */
  get exitCode(): ExitCode {
    return ERROR_EXIT_CODES[this.code];
  }
}

/** The `code` of a Node.js system error (`ENOENT`, `EACCES`, …), or undefined for anything else. */
export function systemErrorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || error instanceof Nexus3Error || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** A system error of writing, as one of ours with the way out; anything else unchanged. */
export function writeFailure(path: string, error: unknown): unknown {
  const code = systemErrorCode(error);
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new Nexus3Error('DISK_FULL', `There is no room left to write ${path}.`, {
      evidence: [`${code} on ${path}`],
      hint: 'Free some space on that file system, then run the command again; nothing was half written.',
      cause: error,
    });
  }
  if (code === 'ENOENT' || code === 'EISDIR') {
    return new Nexus3Error('FILE_NOT_WRITABLE', `${path} cannot be written.`, {
      evidence: [code === 'ENOENT' ? 'the folder that it is to be in is not there' : 'it is a folder'],
      hint: 'Name a file in a folder that is there.',
      cause: error,
    });
  }
  if (
    code === 'EACCES' ||
    code === 'EPERM' ||
    code === 'EROFS' ||
    code === 'ENOTDIR' ||
    code === 'EEXIST' ||
    code === 'ELOOP'
  ) {
    return new Nexus3Error('FILE_NOT_WRITABLE', `${path} cannot be written.`, {
      evidence: [`${code} on ${path}`],
      hint: 'Make the folder writable for the user who runs nexus3, or name another one: with --data-root, or for backups with `backup: root` in nexus3.yaml.',
      cause: error,
    });
  }
  if (code === 'EIO' || code === 'ESTALE' || code === 'ENODEV' || code === 'ENXIO') {
    return new Nexus3Error('FILE_NOT_WRITABLE', `${path} cannot be written: its disk does not answer as it should.`, {
      evidence: [`${code} on ${path}`],
      hint: 'Look at that disk (its mount, and the log of the kernel), then run the command again.',
      cause: error,
    });
  }
  return error;
}
