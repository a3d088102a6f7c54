import { Nexus3Error } from '../../src/errors.js';

/** The code of the error of nexus3 that some work ends with. */
export function codeOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof Nexus3Error) return error.code;
  }
  return 'it did not fail';
}

/** The error of nexus3 that some work is expected to fail with; anything else, and no failure, is thrown. */
export async function failureOf(work: Promise<unknown>): Promise<Nexus3Error> {
  const failure: unknown = await work.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (failure instanceof Nexus3Error) return failure;
  throw failure instanceof Error ? failure : new Error('it did not fail');
}
