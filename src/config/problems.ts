/** Mistakes in nexus3.yaml: collected while it is read, shown all together, each with its line. */
import { basename } from 'node:path';
import { Nexus3Error } from '../errors.js';

export interface Problem {
  /** 1-based. */
  readonly line: number;
  /** `environments.track.vault`; empty for the file as a whole. */
  readonly path: string;
  /** `70000 is not a port (1024–65534)` */
  readonly text: string;
}

/** More mistakes than these are counted, not listed. */
export const PROBLEMS_SHOWN_MAX = 50;
/** A value is quoted up to this many characters. */
const QUOTED_CHARS_MAX = 40;

/** `nexus3.yaml:7: environments.track.vault: 70000 is not a port (1024–65534)` */
export function formatProblem(file: string, problem: Problem): string {
  const place = `${basename(file)}:${String(problem.line)}`;
  return problem.path === '' ? `${place}: ${problem.text}` : `${place}: ${problem.path}: ${problem.text}`;
}

export function configInvalid(file: string, problems: readonly Problem[]): Nexus3Error {
  const sorted = [...problems].sort((a, b) => a.line - b.line);
  const evidence = sorted.slice(0, PROBLEMS_SHOWN_MAX).map((problem) => formatProblem(file, problem));
  if (sorted.length > PROBLEMS_SHOWN_MAX) evidence.push(`… and ${String(sorted.length - PROBLEMS_SHOWN_MAX)} more`);
  const count = sorted.length === 1 ? 'a mistake' : `${String(sorted.length)} mistakes`;
  return new Nexus3Error('CONFIG_INVALID', `There ${sorted.length === 1 ? 'is' : 'are'} ${count} in ${file}.`, {
    evidence,
    hint: `Put ${sorted.length === 1 ? 'it' : 'them'} right in ${file}; nothing was done. \`nexus3 init --help\` shows what the file may hold.`,
  });
}

/** A value as a message shows it: text in quotes, nothing that could move a terminal's cursor, never long. */
export function quote(value: string | number | boolean | null): string {
  if (typeof value !== 'string') return String(value);
  const short = value.length > QUOTED_CHARS_MAX ? `${value.slice(0, QUOTED_CHARS_MAX)}…` : value;
  return JSON.stringify(short).replace(/[\p{Cc}\u200b-\u200f\u2028-\u202e\u2066-\u2069]/gu, '?');
}

/** A key as part of a path: bare where it is a plain word. */
export function quoteKey(key: string): string {
  return /^[A-Za-z0-9_-]{1,40}$/.test(key) ? key : quote(key);
}
