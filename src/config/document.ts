/** YAML text to a tree with line numbers. All that is known of YAML stays here and in edit-text.ts. */
import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument } from 'yaml';
import type { Document, Node, ParsedNode } from 'yaml';
import type { Problem } from './problems.js';
import { quote } from './problems.js';
import type { MapEntry, TreeNode } from './tree.js';

/** An alias is written out where it stands; a file that grows beyond this many nodes is refused (an "alias bomb"). */
export const TREE_NODES_MAX = 50_000;
const TREE_DEPTH_MAX = 16;
const ALIASES_MAX = 100;

/**
 * How nexus3.yaml is parsed, for reading and for editing alike. Keys written twice are found by the schema, which knows
 * their path; the library compares each key with each other one, which is slow in a large file.
 */
export const PARSE_OPTIONS = { prettyErrors: false, uniqueKeys: false, stringKeys: true } as const;

export interface ReadTree {
  /** Undefined for an empty file, or where there are problems. */
  readonly tree: TreeNode | undefined;
  readonly problems: readonly Problem[];
}

export function readTree(text: string): ReadTree {
  const lines = new LineCounter();
  const document = parseDocument(text, { ...PARSE_OPTIONS, lineCounter: lines });
  const mistakes = [...document.errors, ...document.warnings];
  if (mistakes.length > 0) {
    return { tree: undefined, problems: distinct(mistakes.map((mistake) => syntaxProblem(mistake, lines))) };
  }
  const builder = new TreeBuilder(document, lines);
  const tree = document.contents === null ? undefined : builder.build(document.contents, 0);
  return builder.problems.length > 0
    ? { tree: undefined, problems: distinct(builder.problems) }
    : { tree, problems: [] };
}

function syntaxProblem(
  mistake: { readonly code: string; readonly message: string; readonly pos: [number, number] },
  lines: LineCounter,
): Problem {
  const line = Math.max(1, lines.linePos(mistake.pos[0]).line);
  if (mistake.code === 'RESOURCE_EXHAUSTION') return { line, path: '', text: 'is nested too deeply' };
  if (mistake.code === 'MULTIPLE_DOCS') return { line, path: '', text: 'a second document begins; there may be one' };
  if (mistake.code === 'NON_STRING_KEY') return { line, path: '', text: 'a key must be a plain word' };
  return { line, path: '', text: `is not valid YAML: ${mistake.message}` };
}

/** A broken line often gives several messages; the first says it. */
function distinct(problems: readonly Problem[]): readonly Problem[] {
  const seen = new Set<number>();
  return problems.filter(({ line }) => (seen.has(line) ? false : seen.add(line)));
}

class TreeBuilder {
  readonly problems: Problem[] = [];
  #nodes = 0;
  #aliases = 0;

  constructor(
    readonly document: Document.Parsed,
    readonly lines: LineCounter,
  ) {}

  build(node: Node | null, depth: number, lineAbove = 1): TreeNode {
    const line = node?.range ? this.lines.linePos(node.range[0]).line : lineAbove;
    this.#nodes += 1;
    if (this.#nodes > TREE_NODES_MAX || depth > TREE_DEPTH_MAX) {
      this.#refuse(line, depth > TREE_DEPTH_MAX ? 'is nested too deeply' : 'holds too much');
    }
    if (this.problems.length > 0) return { kind: 'scalar', line, value: null };
    if (isAlias(node)) {
      this.#aliases += 1;
      if (this.#aliases > ALIASES_MAX) {
        this.#refuse(line, `holds more than ${String(ALIASES_MAX)} aliases`);
        return { kind: 'scalar', line, value: null };
      }
      const target = node.resolve(this.document);
      if (target !== undefined) return this.build(target, depth + 1, line);
      this.#refuse(line, `${quote(`*${node.source}`)} refers to nothing above it`);
    }
    if (isMap<ParsedNode, ParsedNode | null>(node)) {
      return { kind: 'map', line, entries: node.items.map((pair) => this.#entry(pair, depth)) };
    }
    if (isSeq<ParsedNode>(node)) {
      return { kind: 'list', line, items: node.items.map((item) => this.build(item, depth + 1, line)) };
    }
    return { kind: 'scalar', line, value: isScalar(node) ? scalarValue(node.value) : null };
  }

  #entry(pair: { readonly key: ParsedNode; readonly value: ParsedNode | null }, depth: number): MapEntry {
    const line = this.lines.linePos(pair.key.range[0]).line;
    const key = isScalar(pair.key) ? String(pair.key.value) : '';
    return { key, line, value: this.build(pair.value, depth + 1, line) };
  }

  #refuse(line: number, text: string): void {
    if (this.problems.length === 0) this.problems.push({ line, path: '', text });
  }
}

function scalarValue(value: unknown): string | number | boolean | null {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value;
  return typeof value === 'bigint' ? String(value) : null;
}
