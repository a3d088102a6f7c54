/** What lockers, their keys and their values may be. Pure. */
import { Nexus3Error } from '../../errors.js';
import type { Secret } from '../../protocol/secret.js';
import { VALUE_BYTES_MAX } from '../envelope.js';
import type { LockerWords } from '../lockers.js';

export const NAME_CHARS_MAX = 64;
export const KEY_CHARS_MAX = 64;
export const DESCRIPTION_CHARS_MAX = 200;
export const NOTES_CHARS_MAX = 4_000;
/** How many lockers there may be at a time. */
export const LOCKERS_MAX = 1_000;
/** How many keys one locker may have, those that were deleted and can be restored among them. */
export const KEYS_MAX = 256;
/** The longest password of an environment, in bytes of UTF-8. */
export const PASSWORD_BYTES_MAX = 1_024;

/** Letters, digits, spaces and `. _ -`; neither first nor last a space. */
const NAME = /^[A-Za-z0-9](?:[A-Za-z0-9._ -]*[A-Za-z0-9._-])?$/;
const KEY_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;
/** A name that could be taken for an id. */
const LIKE_ID = /^l_[0-9a-f]{4}$/i;
const CONTROL = /\p{Cc}/u;
const CONTROL_BUT_LINES = /(?![\n\t])\p{Cc}/u;
const SURROGATE = /\p{Surrogate}/u;
/** Of what a person typed, in an error. */
const SHOWN_CHARS_MAX = 40;

export const NAME_RULE = `a name has 1 to ${String(NAME_CHARS_MAX)} letters (a–z), digits, spaces and . _ -, begins with a letter or digit, and is not like an id`;
export const KEY_RULE = `a key has 1 to ${String(KEY_CHARS_MAX)} letters (a–z), digits and . _ -, and begins with a letter or digit`;

export function isLockerName(name: string): boolean {
  return name.length <= NAME_CHARS_MAX && NAME.test(name) && !LIKE_ID.test(name);
}

export function isKeyName(name: string): boolean {
  return name.length <= KEY_CHARS_MAX && KEY_NAME.test(name);
}

/** As a person typed it: on one line, and cut. */
export function shown(text: string): string {
  return JSON.stringify(text.length > SHOWN_CHARS_MAX ? `${text.slice(0, SHOWN_CHARS_MAX)}…` : text);
}

export function mistakeInKey(key: string): string | undefined {
  return isKeyName(key) ? undefined : `${shown(key)} is no key: ${KEY_RULE}`;
}

/** Why this cannot be a value; never says anything of it but its length. */
export function mistakeInValue(value: Secret, bytesMax: number = VALUE_BYTES_MAX): string | undefined {
  const text = value.reveal();
  if (text === '') return 'the value is empty';
  if (text.includes('\0')) return 'the value holds a NUL, which many programs take for its end: encode it, e.g. base64';
  if (SURROGATE.test(text)) return 'the value is no text: it holds half a character';
  const bytes = Buffer.byteLength(text, 'utf8');
  return bytes <= bytesMax ? undefined : `the value has ${String(bytes)} bytes; at most ${String(bytesMax)} are kept`;
}

function mistakesInWords({ description = '', notes = '' }: LockerWords): readonly string[] {
  const mistakes: string[] = [];
  if (description.length > DESCRIPTION_CHARS_MAX) {
    mistakes.push(
      `the description has ${String(description.length)} characters, ${String(DESCRIPTION_CHARS_MAX)} at most`,
    );
  }
  if (CONTROL.test(description)) mistakes.push('the description is one line, without control characters');
  if (notes.length > NOTES_CHARS_MAX) {
    mistakes.push(`the notes have ${String(notes.length)} characters, ${String(NOTES_CHARS_MAX)} at most`);
  }
  if (CONTROL_BUT_LINES.test(notes)) mistakes.push('the notes hold control characters; line breaks and tabs are fine');
  if (SURROGATE.test(description + notes)) mistakes.push('half a character is no text');
  return mistakes;
}

/** @throws Nexus3Error LOCKER_INPUT_INVALID with everything that is wrong */
export function checkWords(name: string | undefined, words: LockerWords): void {
  const nameMistakes = name === undefined || isLockerName(name) ? [] : [`${shown(name)} is no name: ${NAME_RULE}`];
  refuse([...nameMistakes, ...mistakesInWords(words)]);
}

/** @throws Nexus3Error LOCKER_INPUT_INVALID unless there is nothing to say */
export function refuse(mistakes: readonly string[]): void {
  if (mistakes.length === 0) return;
  const one = mistakes.length === 1;
  throw new Nexus3Error(
    'LOCKER_INPUT_INVALID',
    one ? 'Locker does not take that.' : `Locker does not take that: ${String(mistakes.length)} mistakes.`,
    { evidence: mistakes, hint: `Put ${one ? 'it' : 'them'} right and run the command again; nothing was changed.` },
  );
}
