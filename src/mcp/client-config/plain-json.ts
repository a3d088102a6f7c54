/** What editors put up with in JSON, and programs that read plain JSON do not: comments, and a comma behind the last of a list. Pure. */
import { createScanner } from 'jsonc-parser';

/** Of jsonc-parser, by its numbers: its `SyntaxKind` is a const enum, which is not there at runtime. */
const SyntaxKind = {
  CloseBraceToken: 2,
  CloseBracketToken: 4,
  CommaToken: 5,
  LineCommentTrivia: 12,
  BlockCommentTrivia: 13,
  LineBreakTrivia: 14,
  Trivia: 15,
  EOF: 17,
} as const;
const COMMENTS: ReadonlySet<number> = new Set([SyntaxKind.LineCommentTrivia, SyntaxKind.BlockCommentTrivia]);
const BLANKS: ReadonlySet<number> = new Set([SyntaxKind.LineBreakTrivia, SyntaxKind.Trivia]);

export interface BeyondJson {
  readonly what: string;
  /** In UTF-16 units from the beginning. */
  readonly offset: number;
}

/** @param text that a lenient parser can read */
export function beyondJson(text: string): readonly BeyondJson[] {
  const scanner = createScanner(text);
  const found: BeyondJson[] = [];
  let comma: number | undefined;
  for (let kind: number = scanner.scan(); kind !== SyntaxKind.EOF; kind = scanner.scan()) {
    const closes = kind === SyntaxKind.CloseBraceToken || kind === SyntaxKind.CloseBracketToken;
    if (comma !== undefined && closes) found.push({ what: 'a comma with nothing behind it', offset: comma });
    if (COMMENTS.has(kind)) found.push({ what: 'a comment', offset: scanner.getTokenOffset() });
    else if (kind === SyntaxKind.CommaToken) comma = scanner.getTokenOffset();
    else if (!BLANKS.has(kind)) comma = undefined;
  }
  return found;
}
