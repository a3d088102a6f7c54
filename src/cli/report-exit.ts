/** The exit code that goes with a report. Pure. */
import type { ExitCode } from '../errors.js';
import { EXIT } from '../errors.js';
import type { Report } from '../reconcile/report.js';

export function exitCodeOfReport(report: Report): ExitCode {
  if (report.lockerError !== null) return EXIT.unreachable;
  return report.ok ? EXIT.good : EXIT.problem;
}
