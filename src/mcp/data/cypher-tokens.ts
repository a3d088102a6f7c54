/**
 * Cypher in tokens, just as far as is needed to know what is a word of the language and what is text: strings, quoted
 * names, comments and white space as FalkorDB's parser has them (4.16.3, measured). What this cannot read, the engine
 * cannot either; it is refused rather than guessed at.
 */

export type TokenKind = 'word' | 'quoted-name' | 'string' | 'number' | 'parameter' | 'sign';

export interface Token {
  readonly kind: TokenKind;
  /** As written; of a word in upper case. */
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

export type Tokens =
  | { readonly ok: true; readonly tokens: readonly Token[] }
  | { readonly ok: false; readonly problem: string; readonly at: number };

const WHITE = /[ \t\n\r\v\f]+/y;
const LINE_COMMENT = /\/\/[^\n\r]*/y;
const BLOCK_COMMENT = /\/\*[^]*?\*\//y;
const STRING = /"(?:[^"\\]|\\[^])*"|'(?:[^'\\]|\\[^])*'/y;
/** No escapes in these: a backslash is a letter like others. */
const QUOTED_NAME = /`[^`]*`/y;
const PARAMETER = /\$(?:[A-Za-z_][A-Za-z0-9_]*|\d+|`[^`]*`)/y;
/** Digits alone: a word may follow a number without a space. */
const NUMBER = /\d+/y;
const WORD = /[A-Za-z_][A-Za-z0-9_]*/y;
/** What no token of the language begins with, and the engine does not take outside quotes. */
const FOREIGN = /[^\x21-\x7e]|[\\"'`]/;
const IS_FOREIGN = Array.from({ length: 128 }, (_, code) => FOREIGN.test(String.fromCharCode(code)));
/** With what each begins, so that most need not be tried. */
const KINDS: readonly (readonly [TokenKind | undefined, RegExp, RegExp])[] = [
  [undefined, WHITE, /[ \t\n\r\v\f]/],
  [undefined, LINE_COMMENT, /\//],
  [undefined, BLOCK_COMMENT, /\//],
  ['string', STRING, /["']/],
  ['quoted-name', QUOTED_NAME, /`/],
  ['parameter', PARAMETER, /\$/],
  ['number', NUMBER, /\d/],
  ['word', WORD, /[A-Za-z_]/],
];
const KINDS_BY_FIRST = Array.from({ length: 128 }, (_, code) =>
  KINDS.filter(([, , first]) => first.test(String.fromCharCode(code))),
);

export function cypherTokens(query: string): Tokens {
  const tokens: Token[] = [];
  let at = 0;
  while (at < query.length) {
    const found = longestAt(query, at);
    if (found === undefined) {
      const sign = query.charAt(at);
      if (query.startsWith('/*', at)) return { ok: false, problem: 'a comment that does not end', at };
      if (IS_FOREIGN[sign.charCodeAt(0)] ?? true) return { ok: false, problem: problemOf(sign), at };
      tokens.push({ kind: 'sign', text: sign, start: at, end: at + 1 });
      at += 1;
      continue;
    }
    const { kind, end } = found;
    const text = query.slice(at, end);
    if (kind !== undefined) tokens.push({ kind, text: kind === 'word' ? text.toUpperCase() : text, start: at, end });
    at = end;
  }
  return { ok: true, tokens };
}

function longestAt(query: string, at: number): { kind: TokenKind | undefined; end: number } | undefined {
  for (const [kind, pattern] of KINDS_BY_FIRST[query.charCodeAt(at)] ?? []) {
    pattern.lastIndex = at;
    if (pattern.test(query)) return { kind, end: pattern.lastIndex };
  }
  return undefined;
}

function problemOf(sign: string): string {
  if (sign === '\\') return 'a backslash outside a string: Cypher has no escapes there';
  if (sign === '"' || sign === "'" || sign === '`') return `a ${sign} that is never closed`;
  const code = sign.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0');
  return `the character U+${code} outside a string or a \`quoted name\``;
}
