/**
 * A new property at the end of an object in somebody's file. Nothing that stands there is touched: the library's own way of
 * doing this lays the line before it out anew, and puts itself in front of a comment that belongs to that line. Pure.
 */
import type { Node } from 'jsonc-parser';
import { createScanner } from 'jsonc-parser';

export interface Layout {
  /** What one level is indented by: spaces, or a tab. */
  readonly indent: string;
  readonly eol: string;
}

/** @param object a node of this text, an object that has no property of that name */
export function insertProperty(text: string, object: Node, name: string, value: unknown, layout: Layout): string {
  const close = object.offset + object.length - 1;
  const last = object.children?.at(-1);
  const lastEnd = last === undefined ? undefined : last.offset + last.length;
  const needsComma = lastEnd !== undefined && !hasComma(text, lastEnd, close);
  // Behind everything that belongs to what is there, comments as well.
  const at = text.slice(0, close).trimEnd().length;
  const outer = indentAt(text, object.offset);
  const inner =
    last !== undefined && isFirstOfLine(text, last.offset) ? indentAt(text, last.offset) : outer + layout.indent;
  const lines = JSON.stringify({ [name]: value }, null, layout.indent)
    .split('\n')
    .slice(1, -1);
  const own = lines.map((line) => layout.eol + inner + line.slice(layout.indent.length)).join('');
  const rest = text.slice(at);
  const before = needsComma ? `${text.slice(0, lastEnd)},${text.slice(lastEnd, at)}` : text.slice(0, at);
  return before + own + (rest.slice(0, close - at).includes('\n') ? rest : layout.eol + outer + text.slice(close));
}

function hasComma(text: string, from: number, to: number): boolean {
  const scanner = createScanner(text, true);
  scanner.setPosition(from);
  scanner.scan();
  const at = scanner.getTokenOffset();
  return at < to && text[at] === ',';
}

function lineStart(text: string, at: number): number {
  return text.lastIndexOf('\n', at - 1) + 1;
}

function indentAt(text: string, at: number): string {
  return /^[ \t]*/.exec(text.slice(lineStart(text, at)))?.[0] ?? '';
}

function isFirstOfLine(text: string, at: number): boolean {
  return text.slice(lineStart(text, at), at).trim() === '';
}
