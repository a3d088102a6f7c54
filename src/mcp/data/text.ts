/** Text and bytes. Pure. */
import { isUtf8 } from 'node:buffer';
import { VALUE_BYTES_MAX } from './limits.js';

/** Whether it can be sent as UTF-8 and come back the same: no half of a character in it. */
export function isWhole(text: string): boolean {
  return text.isWellFormed();
}

/** Its beginning, of at most so many bytes of UTF-8, never half of a character. */
export function cutText(value: string, bytesMax: number): string {
  const { read } = new TextEncoder().encodeInto(value.slice(0, bytesMax), new Uint8Array(bytesMax));
  return value.slice(0, read);
}

/** Bytes as JSON: text where they are text; `{base64}` where not; with `bytes`, their whole length, where they were cut. */
export type BytesShown = string | { readonly text?: string; readonly base64?: string; readonly bytes?: number };

export function shown(bytes: Buffer, bytesMax = VALUE_BYTES_MAX): BytesShown {
  const isText = isUtf8(bytes);
  if (bytes.length <= bytesMax) return isText ? bytes.toString('utf8') : { base64: bytes.toString('base64') };
  if (isText) return { text: cutText(bytes.subarray(0, bytesMax + 4).toString('utf8'), bytesMax), bytes: bytes.length };
  return { base64: bytes.subarray(0, bytesMax).toString('base64'), bytes: bytes.length };
}

/** Without the last character where that was cut in two. */
export function wholeCharacters(bytes: Buffer): Buffer {
  for (let left = 0; left < 4 && left <= bytes.length; left += 1) {
    const part = bytes.subarray(0, bytes.length - left);
    if (isUtf8(part)) return part;
  }
  return bytes;
}
