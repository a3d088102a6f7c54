/** Passwords that break careless quoting: an imported one may be any of them. No NUL: no shell and no Redis directive can hold one. */
import fc from 'fast-check';

const PRINTABLE = Array.from({ length: 95 }, (_, index) => String.fromCharCode(0x20 + index)).join('');

export const AWKWARD: readonly string[] = [
  PRINTABLE,
  PRINTABLE.repeat(11).slice(0, 1024),
  'ü数😀'.repeat(113),
  `one\ntwo\r\n\tthree\n`,
  '\n',
  `it's "quoted" \`id\` $(id) $HOME \${HOME} \\`,
  `'"'"'`,
  '%41%zz%',
  '@:/?#[]',
  'ends with a space ',
  ' begins with one',
  '\u007f\u0001\u001b[31m',
  // Bytes that dash uses for itself.
  '\u0081\u0082\u0088 Á ‚ ƒ',
  'e\u0301\u202eright to left\u2028line',
  ...PRINTABLE.split('').filter((character) => !/\w/.test(character)),
];

/** One of those, or anything else up to 1,024 bytes. */
export const anyPassword = (): fc.Arbitrary<string> =>
  fc
    .oneof(
      fc.constantFrom(...AWKWARD),
      fc.string({ unit: 'grapheme', minLength: 1, maxLength: 200 }),
      fc.string({ unit: 'binary', minLength: 1, maxLength: 200 }),
    )
    .map((text) => cut(text.replaceAll('\0', '0')));

const BYTES_MAX = 1024;

/** Whole characters only, and only such as UTF-8 has. */
function cut(text: string): string {
  let kept = '';
  let bytes = 0;
  for (const character of Buffer.from(text).toString()) {
    bytes += Buffer.byteLength(character);
    if (bytes > BYTES_MAX) break;
    kept += character;
  }
  return kept === '' ? '0' : kept;
}
