/** Fields of JSON from where anything may be: taken as what they should be, or refused. Pure. */

/** What was read cannot be true; its message says which field, for a person. Never leaves src/backup. */
export class Untrue extends Error {}

const LINE_CHARACTERS_MAX = 500;

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function object(value: unknown, field: string): Readonly<Record<string, unknown>> {
  if (!isObject(value)) throw new Untrue(`${field}: missing`);
  return value;
}

/** A whole number that is not negative. */
export function count(value: unknown, field: string): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw new Untrue(`${field}: no number`);
  return value;
}

/** Text that may be shown to a person: one line, not long. */
export function line(value: unknown, field: string): string {
  if (typeof value !== 'string' || value === '' || value.length > LINE_CHARACTERS_MAX || /\p{Cc}/u.test(value)) {
    throw new Untrue(`${field}: no short line of text`);
  }
  return value;
}

/** ISO 8601 with milliseconds, as Date writes it. */
export function time(value: unknown, field: string): string {
  const text = line(value, field);
  const ms = Date.parse(text);
  if (Number.isNaN(ms) || new Date(ms).toISOString() !== text) throw new Untrue(`${field}: no time`);
  return text;
}

export function oneOf<T extends string>(value: unknown, words: readonly T[], field: string): T {
  const word = words.find((one) => one === value);
  if (word === undefined) throw new Untrue(`${field}: none of ${words.join(', ')}`);
  return word;
}

export function list(value: unknown, lengthMax: number, field: string): readonly unknown[] {
  if (!Array.isArray(value) || value.length > lengthMax) throw new Untrue(`${field}: no list, or too long a one`);
  return value;
}
