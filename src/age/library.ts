/**
 * The library that seals and opens files of age (age-encryption.org/v1), for the recovery kit and for backups. Nobody else
 * imports it. It is loaded when it is first needed: that takes longer than a password takes to be read.
 */
import type * as Age from 'age-encryption';

export type AgeLibrary = typeof Age;

export async function ageLibrary(): Promise<AgeLibrary> {
  return import('age-encryption');
}

/** In the words of the library, which has no codes: the file is whole, and no key that was given opens it. */
export function isNoMatch(error: unknown): boolean {
  return error instanceof Error && /no identity matched/.test(error.message);
}
