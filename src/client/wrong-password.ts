/** Whether an error says that a server does not take a password: of node-redis, ioredis, nexus3, or one that wraps it. */

const WRONG_PASSWORD = /\bWRONGPASS\b/;
/** Errors inside errors; deeper than this nobody wraps. */
const DEPTH_MAX = 5;

/**
 * True where a server said WRONGPASS, as it does once a password was rotated: in the error itself, in its evidence, or in an
 * error within it (`cause`, `errors`, `lastNodeError`), at most five deep.
 * @param depth how deep this one is; to be left out
 */
export function isWrongPassword(error: unknown, depth = 0): boolean {
  if (!(error instanceof Error) || depth > DEPTH_MAX) return false;
  if (WRONG_PASSWORD.test(error.message)) return true;
  const { evidence, errors, cause, lastNodeError } = error as Error & Readonly<Record<string, unknown>>;
  if (Array.isArray(evidence) && evidence.some((line) => typeof line === 'string' && WRONG_PASSWORD.test(line))) {
    return true;
  }
  const inner: readonly unknown[] = [cause, lastNodeError, ...(Array.isArray(errors) ? (errors as unknown[]) : [])];
  return inner.some((one) => isWrongPassword(one, depth + 1));
}
