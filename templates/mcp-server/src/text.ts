/** Texts that come in, and words that are looked for. */
import { z } from 'zod';

const NUL = '\u0000';

/** Without NUL, which no query can hold. */
export function text(charactersMax: number): z.ZodString {
  return z
    .string()
    .trim()
    .max(charactersMax)
    .refine((value) => !value.includes(NUL), 'must not hold a NUL character');
}

/** What the full-text index is given: it tells upper from lower case, and é from e, where a person does not. */
export function searchable(...texts: readonly string[]): string {
  return texts.join(' ').normalize('NFKD').replace(/\p{M}/gu, '').toUpperCase().toLowerCase();
}

/** What people type, as a query for that index: all words, each as the beginning of one. Empty when there is none. */
export function searchFor(words: string): string {
  return (searchable(words).match(/[\p{L}\p{N}]+/gu) ?? []).map((word) => `${word}*`).join(' ');
}
