/** The exit code that goes with a report. Pure. */
import type { ErrorCode, ExitCode } from '../errors.js';
import { ERROR_EXIT_CODES, EXIT } from '../errors.js';
import type { Report } from '../reconcile/report.js';

export function exitCodeOfReport(report: Report): ExitCode {
  if (report.lockerError !== null) return EXIT.unreachable;
  return report.ok ? EXIT.good : EXIT.problem;
}

/** Of a report in which something failed: the environments’ own code where it is the same for all, else a problem. */
export function exitCodeOfEach(errors: readonly ({ readonly code: ErrorCode } | null)[]): ExitCode {
  const codes = new Set(errors.map((error) => (error === null ? EXIT.good : ERROR_EXIT_CODES[error.code])));
  const [only] = codes;
  return codes.size === 1 && only !== undefined && only !== EXIT.good ? only : EXIT.problem;
}
