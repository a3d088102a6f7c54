/** A reply as redis-cli shows it to a person. Pure. */
import type { Reply } from './replies.js';
import { isList, ReplyError } from './replies.js';

/** Without a newline at its end. */
export function formatReply(reply: Reply): string {
  return formatLines(reply).join('\n');
}

function formatLines(reply: Reply): readonly string[] {
  if (reply === null) return ['(nil)'];
  if (reply instanceof ReplyError) return [`(error) ${printable(reply.text)}`];
  if (typeof reply === 'string') return [printable(reply)];
  if (typeof reply === 'number' || typeof reply === 'bigint') return [`(integer) ${String(reply)}`];
  return isList(reply) ? formatList(reply) : [quote(reply)];
}

/** `1) …`, numbers aligned at the right, the lines of a nested list indented under their number. */
function formatList(items: readonly Reply[]): readonly string[] {
  if (items.length === 0) return ['(empty array)'];
  const width = String(items.length).length;
  const indent = ' '.repeat(width + 2);
  return items.flatMap((item, index) => {
    const [first = '', ...rest] = formatLines(item);
    return [`${String(index + 1).padStart(width)}) ${first}`, ...rest.map((line) => indent + line)];
  });
}

const ESCAPES: Readonly<Record<number, string>> = {
  0x07: String.raw`\a`,
  0x08: String.raw`\b`,
  0x09: String.raw`\t`,
  0x0a: String.raw`\n`,
  0x0d: String.raw`\r`,
  0x22: String.raw`\"`,
  0x5c: String.raw`\\`,
};

/** Valid UTF-8 is shown as text; control characters, and what is not UTF-8, as `\xHH`, so that no reply can drive the terminal. */
function quote(bytes: Buffer): string {
  const text = bytes.toString('utf8');
  if (Buffer.from(text, 'utf8').equals(bytes)) return `"${printable(text.replaceAll(/["\\]/g, String.raw`\$&`))}"`;
  let quoted = '';
  for (const byte of bytes) {
    quoted += ESCAPES[byte] ?? (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : escapeByte(byte));
  }
  return `"${quoted}"`;
}

/** Control characters and those that reorder a line are shown, not sent to the terminal. */
const UNPRINTABLE = /[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu;

function printable(text: string): string {
  return text.replaceAll(
    UNPRINTABLE,
    (character) => ESCAPES[character.charCodeAt(0)] ?? [...Buffer.from(character, 'utf8')].map(escapeByte).join(''),
  );
}

function escapeByte(byte: number): string {
  return String.raw`\x` + byte.toString(16).padStart(2, '0');
}
