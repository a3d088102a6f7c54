/**
 * An environment put into the text of nexus3.yaml, or taken out of it, with everything else left as it stands. The YAML
 * library says where things are; the text is cut there, because writing its document out again would re-align comments.
 * Where the text cannot be cut (`environments` in flow style, say), the document is written out. Pure.
 */
import { isMap, isScalar, parseDocument } from 'yaml';
import type { Document, ParsedNode, Pair, YAMLMap } from 'yaml';
import type { Environment } from '../protocol/environment.js';
import { PARSE_OPTIONS } from './document.js';

type ParsedMap = YAMLMap.Parsed;
type ParsedPair = Pair<ParsedNode, ParsedNode | null>;

const KEY = 'environments';

/** Ways to write the text, best first; the caller takes the first that reads back as it should. */
export function textsWithEnvironment(text: string, environment: Environment): readonly (() => string | undefined)[] {
  const flow = formatEnvironment(environment);
  return [
    () => insertLine(text, `${environment.name}: ${flow}`),
    () => {
      const document = parseDocument(text, PARSE_OPTIONS);
      const value = { vault: environment.vaultPort, ...(environment.kind === 'secure' ? { kind: 'secure' } : {}) };
      if (!isMap(document.get(KEY))) document.set(KEY, document.createNode({}));
      document.setIn([KEY, environment.name], document.createNode(value, { flow: true }));
      return writeOut(document);
    },
  ];
}

export function textsWithoutEnvironment(text: string, name: string): readonly (() => string | undefined)[] {
  return [
    () => deleteLines(text, name),
    () => {
      const document = parseDocument(text, PARSE_OPTIONS);
      document.deleteIn([KEY, name]);
      return writeOut(document);
    },
  ];
}

/** `{ vault: 6650 }` */
export function formatEnvironment({ kind, vaultPort }: Environment): string {
  return kind === 'secure' ? `{ vault: ${String(vaultPort)}, kind: secure }` : `{ vault: ${String(vaultPort)} }`;
}

function writeOut(document: Document.Parsed): string | undefined {
  try {
    return document.toString({ lineWidth: 0 });
  } catch {
    // An alias whose anchor went with what was removed.
    return undefined;
  }
}

/** After the last environment, at the first one's indentation. */
function insertLine(text: string, line: string): string | undefined {
  const document = parseDocument(text, PARSE_OPTIONS);
  const root = document.contents;
  if (root === null || !isMap(root) || root.flow === true) return undefined;
  const eol = text.includes('\r\n') ? '\r\n' : '\n';
  const pair = findPair(root, KEY);
  if (pair === undefined) return `${endWithEol(text, eol)}${KEY}:${eol}  ${line}${eol}`;
  const map = pair.value;
  if (isEmptyValue(map)) {
    const keyEnd = lineEnd(text, pair.key.range[1]);
    return `${endWithEol(text.slice(0, keyEnd), eol)}  ${line}${eol}${text.slice(keyEnd)}`;
  }
  if (!isMap(map)) return undefined;
  const items = map.items as ParsedPair[];
  const [first, last] = [items[0], items.at(-1)];
  if (first === undefined || last === undefined) {
    // `environments: {}`: the braces go, a comment behind them stays.
    const before = text.slice(0, map.range[0]).trimEnd();
    const end = lineEnd(text, map.range[1]);
    const after = text.slice(map.range[1], end).replace(/[\r\n]+$/, '');
    return `${before}${after}${eol}  ${line}${eol}${text.slice(end)}`;
  }
  if (map.flow === true) return undefined;
  const indent = ' '.repeat(columnOf(text, first.key.range[0]));
  const end = lineEnd(text, contentEnd(last));
  return `${endWithEol(text.slice(0, end), eol)}${indent}${line}${eol}${text.slice(end)}`;
}

function deleteLines(text: string, name: string): string | undefined {
  const document = parseDocument(text, PARSE_OPTIONS);
  const root = document.contents;
  if (root === null || !isMap(root)) return undefined;
  const map = findPair(root, KEY)?.value;
  if (!isMap(map) || map.flow === true) return undefined;
  const pair = findPair(map, name);
  if (pair === undefined) return text;
  const start = pair.key.range[0] - columnOf(text, pair.key.range[0]);
  return text.slice(0, start) + text.slice(lineEnd(text, contentEnd(pair)));
}

function findPair(map: ParsedMap, key: string): ParsedPair | undefined {
  return (map.items as ParsedPair[]).find((pair) => isScalar(pair.key) && pair.key.value === key);
}

function isEmptyValue(node: ParsedNode | null | undefined): boolean {
  return (
    node === null || node === undefined || (isScalar(node) && node.value === null && node.range[0] === node.range[1])
  );
}

/** Where a pair's own text ends. A block map's range runs on over the comments behind it; its last value's does not. */
function contentEnd(pair: ParsedPair): number {
  const { value } = pair;
  if (isEmptyValue(value) || value === null) return pair.key.range[1];
  const last = isMap(value) && value.flow !== true ? (value.items as ParsedPair[]).at(-1) : undefined;
  return last === undefined ? value.range[1] : contentEnd(last);
}

/** The offset after the end of the line that `offset` stands on; a block scalar's text ends with its line already. */
function lineEnd(text: string, offset: number): number {
  if (offset > 0 && text[offset - 1] === '\n') return offset;
  const end = text.indexOf('\n', offset);
  return end === -1 ? text.length : end + 1;
}

function columnOf(text: string, offset: number): number {
  return offset - (text.lastIndexOf('\n', offset - 1) + 1);
}

function endWithEol(text: string, eol: string): string {
  return text === '' || text.endsWith('\n') ? text : `${text}${eol}`;
}
