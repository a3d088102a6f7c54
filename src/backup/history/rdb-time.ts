/**
 * When a snapshot was begun, from the first bytes of its file: `REDIS` and four digits of version, then auxiliary fields
 * (0xFA, name, value), among them `ctime` in seconds since 1970 (Redis source, rdb.c, rdbSaveInfoAuxFields). Pure.
 */

/** The auxiliary fields come first and are short: this many bytes hold them. */
export const RDB_HEAD_BYTES = 1_024;

const AUXILIARY = 0xfa;
const [BITS_6, BITS_14, LENGTH_32, ENCODED] = [0b00, 0b01, 0x80, 0b11];
/** Whole numbers of 1, 2 and 4 bytes in place of a text. */
const NUMBER_BYTES: Readonly<Record<number, 1 | 2 | 4>> = { 0xc0: 1, 0xc1: 2, 0xc2: 4 };

/** Seconds since 1970; undefined: it is no snapshot, or does not say. @param head the file's first RDB_HEAD_BYTES or less */
export function rdbTime(head: Buffer): number | undefined {
  if (!/^REDIS\d{4}$/.test(head.toString('latin1', 0, 9))) return undefined;
  let at = 9;
  while (head[at] === AUXILIARY) {
    const name = readText(head, at + 1);
    if (name === undefined) return undefined;
    const value = readText(head, name.end);
    if (value === undefined) return undefined;
    if (name.text === 'ctime') return /^\d{1,15}$/.test(value.text) ? Number(value.text) : undefined;
    at = value.end;
  }
  return undefined;
}

interface Text {
  readonly text: string;
  readonly end: number;
}

function readText(head: Buffer, at: number): Text | undefined {
  const first = head[at];
  if (first === undefined) return undefined;
  if (first >> 6 === ENCODED) {
    const bytes = NUMBER_BYTES[first];
    const end = at + 1 + (bytes ?? 0);
    return bytes === undefined || end > head.length ? undefined : { text: String(head.readIntLE(at + 1, bytes)), end };
  }
  const sized = readLength(head, at, first);
  if (sized === undefined || sized.end + sized.length > head.length) return undefined;
  const end = sized.end + sized.length;
  return { text: head.toString('latin1', sized.end, end), end };
}

function readLength(head: Buffer, at: number, first: number): { length: number; end: number } | undefined {
  if (first >> 6 === BITS_6) return { length: first & 0x3f, end: at + 1 };
  const second = head[at + 1];
  if (first >> 6 === BITS_14 && second !== undefined) return { length: ((first & 0x3f) << 8) | second, end: at + 2 };
  if (first === LENGTH_32 && at + 5 <= head.length) return { length: head.readUInt32BE(at + 1), end: at + 5 };
  return undefined;
}
