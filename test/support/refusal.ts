/**
 * What a person must get for a mistake or a broken machine: one clear message with the way out, the right exit code, in
 * bounded time, and no stack trace; the same as one JSON document for a script.
 */
import { expect } from 'vitest';
import type { ErrorCode, ExitCode } from '../../src/errors.js';
import { ERROR_EXIT_CODES } from '../../src/errors.js';

/** Generous: it says that a command ends by itself, not how fast it is. */
export const REFUSAL_MS_MAX = 30_000;

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface RefusalDocument {
  readonly code: ErrorCode;
  readonly message: string;
  readonly evidence: readonly string[];
  readonly hint: string;
}

/** Runs it twice, for a script and for a person. Returns what the script was told. */
export async function refused(
  run: (...args: readonly string[]) => Promise<Ran>,
  args: readonly string[],
  code: ErrorCode,
): Promise<RefusalDocument> {
  const what = `nexus3 ${args.map((arg) => JSON.stringify(arg.slice(0, 40))).join(' ')}`;
  const forScript = await bounded(what, () => run('--json', ...args));
  expect(forScript.code, `${what}\n${forScript.out}\n${forScript.err}`).toBe(exitOf(code));
  const error = readRefusal(forScript.out, what);
  expect(error.code, `${what}\n${forScript.out}`).toBe(code);
  const forPerson = await bounded(what, () => run(...args));
  expect(forPerson.code, what).toBe(exitOf(code));
  expect(forPerson.err, what).toMatch(/^Error: /m);
  expect(forPerson.err, what).toMatch(/^Try: \S/m);
  expect(forPerson.err.match(/^Error: /gm), `${what}: one message`).toHaveLength(1);
  for (const { out, err } of [forScript, forPerson]) hasNoStackTrace(`${out}\n${err}`, what);
  return error;
}

/** Exactly one `nexus3.error/1` on stdout, with a way out. */
export function readRefusal(out: string, what: string): RefusalDocument {
  const document = JSON.parse(out) as {
    readonly schema: string;
    readonly ok: boolean;
    readonly error: RefusalDocument;
  };
  expect(document.schema, what).toBe('nexus3.error/1');
  expect(document.ok, what).toBe(false);
  expect(document.error.message.length, what).toBeGreaterThan(10);
  expect(document.error.hint.length, `${what}: the way out`).toBeGreaterThan(5);
  return document.error;
}

export function hasNoStackTrace(text: string, what: string): void {
  expect(text, `${what}: a stack trace`).not.toMatch(/^\s+at .+:\d+:\d+\)?$/m);
  expect(text, `${what}: a defect`).not.toMatch(/DEFECT|node:internal|defect of nexus3/);
}

export async function bounded<T>(what: string, work: () => Promise<T>, msMax: number = REFUSAL_MS_MAX): Promise<T> {
  const beganAt = performance.now();
  const result = await work();
  expect(performance.now() - beganAt, `${what}: milliseconds`).toBeLessThan(msMax);
  return result;
}

function exitOf(code: ErrorCode): ExitCode {
  return ERROR_EXIT_CODES[code];
}
