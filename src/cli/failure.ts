/** The one place that turns an error into words, or into a JSON document, and into an exit code. */
import type { ExitCode } from '../errors.js';
import { EXIT, Nexus3Error } from '../errors.js';
import type { Page } from './render/paint.js';
import { clean, hanging, wrap } from './render/text.js';

export interface FailureDocument {
  readonly ok: false;
  readonly error: {
    readonly code: string;
    readonly message: string;
    readonly evidence: readonly string[];
    readonly hint: string;
  };
}

export const ERROR_SCHEMA = 'nexus3.error/1';
/** What an error that is not one of ours is called in JSON: a defect of nexus3. */
export const DEFECT_CODE = 'DEFECT';

export function exitCodeOf(error: unknown): ExitCode {
  return error instanceof Nexus3Error ? error.exitCode : EXIT.problem;
}

export function failureDocument(error: unknown): FailureDocument {
  const { code, message, evidence, hint } = explain(error);
  return { ok: false, error: { code, message, evidence, hint } };
}

/** What happened, the evidence, what to do now. */
export function failureLines(error: unknown, page: Page, showStack: boolean): readonly string[] {
  const { message, evidence, hint } = explain(error);
  const [first = '', ...rest] = hanging('Error: ', clean(message), page.width);
  const lines = [
    first.replace('Error:', () => page.paint('bad', 'Error:')),
    ...rest,
    ...evidence.flatMap((line) => wrap(clean(line), page.width, '  ')),
    ...hanging('Try: ', clean(hint), page.width),
  ];
  if (showStack && error instanceof Error) lines.push(...stackOf(error));
  return lines;
}

function explain(error: unknown): FailureDocument['error'] {
  if (error instanceof Nexus3Error) return error;
  const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return {
    code: DEFECT_CODE,
    message: 'nexus3 came upon something that it was not made for. This is a defect of nexus3, not your mistake.',
    evidence: [message],
    hint: 'Run it again with NEXUS3_DEBUG=1 and report what it prints. `nexus3 check` says how the environments are.',
  };
}

function stackOf(error: Error): readonly string[] {
  const lines = (error.stack ?? '').split('\n').map(clean);
  return error.cause instanceof Error ? [...lines, 'caused by:', ...stackOf(error.cause)] : lines;
}
