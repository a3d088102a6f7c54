/**
 * What was read, in a form that two readings can be held against each other: a path for each field of each value
 * (`db0 hash "hash:small" field "a"`), and what it holds.
 */
import { createHash } from 'node:crypto';

export type Contents = Map<string, string>;

const SHOWN_BYTES_MAX = 64;
const DIGEST_DIGITS = 24;
const DIFFERENCES_SHOWN_MAX = 25;

/** Short and plain as it is; anything else by its digest. No two values have one form. */
export function formOf(value: Buffer | string): string {
  const bytes = typeof value === 'string' ? Buffer.from(value) : value;
  if (bytes.length <= SHOWN_BYTES_MAX) return quoted(bytes);
  const digest = createHash('sha256').update(bytes).digest('hex').slice(0, DIGEST_DIGITS);
  return `sha256 ${digest}, ${String(bytes.length)} bytes`;
}

/** Text that is plain already: as it is, or by its digest. */
export function shortened(text: string): string {
  return text.length <= SHOWN_BYTES_MAX ? text : formOf(text);
}

/** All of it. */
export function quoted(value: Buffer | string): string {
  let text = '';
  for (const byte of typeof value === 'string' ? Buffer.from(value) : value) {
    const isPlain = byte >= 0x20 && byte < 0x7f && byte !== 0x22 && byte !== 0x5c;
    text += isPlain ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`;
  }
  return `"${text}"`;
}

/** Of everything: equal exactly where no difference can be named. */
export function digestOf(contents: Contents): string {
  const hash = createHash('sha256');
  for (const path of [...contents.keys()].toSorted()) hash.update(`${path}\0${contents.get(path) ?? ''}\0`);
  return hash.digest('hex');
}

/** Each by its path; no more than a person reads, and how many there are besides. Empty: they are equal. */
export function differences(expected: Contents, actual: Contents): readonly string[] {
  const found: string[] = [];
  for (const [path, value] of expected) {
    const other = actual.get(path);
    if (other === undefined) found.push(`${path}: missing, was ${value}`);
    else if (other !== value) found.push(`${path}: ${other}, was ${value}`);
  }
  for (const [path, value] of actual) if (!expected.has(path)) found.push(`${path}: ${value}, was not there`);
  const more = found.length - DIFFERENCES_SHOWN_MAX;
  return more > 0 ? [...found.slice(0, DIFFERENCES_SHOWN_MAX), `and ${String(more)} more`] : found;
}
